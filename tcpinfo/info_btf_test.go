package tcpinfo

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
)

// The kernel carries a description of its own types (BTF, Documentation/bpf/btf.rst). It says where each field of
// struct tcp_info is in the kernel that runs, bit-fields included: nothing could be more independent of the table here.

func TestFieldsMatchTheRunningKernel(t *testing.T) {
	size, members := btfStruct(t, "tcp_info")
	byName := map[string]btfMember{}
	for _, m := range members {
		byName[strings.TrimPrefix(m.name, "tcpi_")] = m
	}
	for _, f := range fields {
		m, ok := byName[f.Name]
		if !f.within(size, running()) {
			if ok && m.byteOffset()+m.size <= knownLen && f.gone == (release{}) {
				t.Errorf("%s: this kernel has it (at byte %d), and it is taken for absent", f.Name, m.byteOffset())
			}
			continue
		}
		if !ok {
			t.Errorf("%s: this kernel (%v, %d bytes) does not have it", f.Name, running(), size)
			continue
		}
		if m.byteOffset() != f.Offset || m.bits != f.Bits || m.size != f.Size || m.bits > 0 && m.bit%8 != f.Bit {
			t.Errorf("%s: byte %d size %d bit %d bits %d; the kernel has byte %d size %d bit %d bits %d",
				f.Name, f.Offset, f.Size, f.Bit, f.Bits, m.byteOffset(), m.size, m.bit%8, m.bits)
		}
		delete(byName, f.Name)
	}
	for name, m := range byName {
		if m.byteOffset() < knownLen && running().before(release{7, 0}) {
			t.Errorf("%s at byte %d is in the kernel's struct and not in the table", name, m.byteOffset())
		}
	}
}

func TestDiagStructsMatchTheRunningKernel(t *testing.T) {
	sizes := map[string]int{
		"inet_diag_msg": sizeofDiagMsg, "inet_diag_req_v2": sizeofDiagReq, "inet_diag_sockid": sizeofDiagID,
		"inet_diag_meminfo": 16, "inet_diag_sockopt": 2, "inet_diag_bc_op": sizeofBCOp,
		"tcpvegas_info": 16, "tcp_dctcp_info": 16, "tcp_bbr_info": 20,
	}
	for name, want := range sizes {
		if got, _ := btfStruct(t, name); got != want {
			t.Errorf("struct %s is %d bytes long here, %d in this kernel", name, want, got)
		}
	}
	_, members := btfStruct(t, "inet_diag_sockopt")
	for n, m := range members[:11] {
		b := []byte{0, 0}
		b[m.bit/8] = 1 << (m.bit % 8)
		if bigEndian {
			b[m.bit/8] = 0x80 >> (m.bit % 8)
		}
		if got := sockOptBits(decodeSockOpt(b, bigEndian)); got != 1<<n {
			t.Errorf("inet_diag_sockopt.%s alone is read as bits %b, want bit %d", m.name, got, n)
		}
	}
}

// sockOptBits numbers the switches in the order in which the kernel declares them.
func sockOptBits(o SockOpt) (bits int) {
	for n, on := range []bool{o.RecvErr, o.IsICSK, o.Freebind, o.HdrIncl, o.McLoop, o.Transparent, o.McAll, o.Nodefrag,
		o.BindAddressNoPort, o.RecvErrRFC4884, o.DeferConnect} {
		if on {
			bits |= 1 << n
		}
	}
	return bits
}

type btfMember struct {
	name      string
	bit, bits int // offset; width if it is a bit-field
	size      int // bytes, of the member's type
}

func (m btfMember) byteOffset() int { return m.bit / 8 }

// btfType is one record of the type section.
type btfType struct {
	name  string
	kind  uint32
	flag  bool   // of a struct: members say whether they are bit-fields
	size  uint32 // or the type referred to
	extra []byte
}

// Kinds of types, and how many bytes each has behind its record: fixed, and for each of its members.
const (
	btfInt, btfStructKind, btfTypedef = 1, 4, 8
)

var btfExtra = map[uint32][2]int{
	1: {4, 0}, 2: {}, 3: {12, 0}, 4: {0, 12}, 5: {0, 12}, 6: {0, 8}, 7: {}, 8: {}, 9: {}, 10: {}, 11: {}, 12: {},
	13: {0, 8}, 14: {4, 0}, 15: {0, 12}, 16: {}, 17: {4, 0}, 18: {}, 19: {0, 12},
}

// btfStruct finds a struct in the running kernel's BTF and returns its size and members.
func btfStruct(t *testing.T, name string) (int, []btfMember) {
	t.Helper()
	b, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	if err != nil {
		t.Skipf("this kernel does not describe its types (CONFIG_DEBUG_INFO_BTF): %v", err)
	}
	types := btfTypes(t, b)
	for _, ty := range types {
		if ty.kind != btfStructKind || ty.name != name {
			continue
		}
		return int(ty.size), btfMembers(b, types, ty)
	}
	t.Skipf("struct %s is not in this kernel's BTF", name)
	return 0, nil
}

func btfMembers(b []byte, types []btfType, ty btfType) []btfMember {
	var members []btfMember
	for e := ty.extra; len(e) > 0; e = e[12:] {
		off := native.Uint32(e[8:])
		m := btfMember{name: btfString(b, native.Uint32(e)), bit: int(off)}
		if ty.flag {
			m.bit, m.bits = int(off&0xffffff), int(off>>24)
		}
		of := types[native.Uint32(e[4:])]
		for of.kind == btfTypedef {
			of = types[of.size]
		}
		if of.kind == btfInt {
			m.size = int(of.size)
		}
		members = append(members, m)
	}
	return members
}

func btfTypes(t *testing.T, b []byte) []btfType {
	t.Helper()
	head := int(native.Uint32(b[4:]))
	start, length := head+int(native.Uint32(b[8:])), int(native.Uint32(b[12:]))
	section := b[start : start+length]
	types := []btfType{{}} // type 0 is void
	for len(section) > 0 {
		info := native.Uint32(section[4:])
		kind, vlen := info>>24&0x1f, int(info&0xffff)
		extra, known := btfExtra[kind]
		if !known {
			t.Skipf("this kernel's BTF has a type of kind %d, which is younger than this test", kind)
		}
		end := 12 + extra[0] + extra[1]*vlen
		types = append(types, btfType{
			name: btfString(b, native.Uint32(section)), kind: kind, flag: info>>31 == 1,
			size: native.Uint32(section[8:]), extra: section[12:end],
		})
		section = section[end:]
	}
	return types
}

func btfString(b []byte, at uint32) string {
	head := native.Uint32(b[4:])
	s := b[head+native.Uint32(b[16:])+at:]
	return string(s[:bytes.IndexByte(s, 0)])
}

func TestNativeOrder(t *testing.T) {
	if got := native.Uint32([]byte{1, 2, 3, 4}) == binary.BigEndian.Uint32([]byte{1, 2, 3, 4}); got != bigEndian {
		t.Errorf("bigEndian is %v", bigEndian)
	}
}
