package tcpinfo

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// body builds a struct inet_diag_msg with attributes behind it.
func body(family, state, timer, retrans byte, attrs ...[]byte) []byte {
	b := make([]byte, sizeofDiagMsg)
	b[0], b[1], b[2], b[3] = family, state, timer, retrans
	copy(b[4:], []byte{0x1b, 0x5f, 0xd4, 0x31}) // ports 7007 and 54321, in network order
	copy(b[8:], []byte{192, 0, 2, 1})
	copy(b[24:], []byte{198, 51, 100, 2})
	copy(b[40:], u32s(3, 0x89abcdef, 0x01234567, 1500, 11, 22, 1000, 4711))
	return append(b, bytes.Join(attrs, nil)...)
}

func TestDecodeSocket(t *testing.T) {
	s, err := DecodeSocket(body(unix.AF_INET, 8, 2, 5))
	if err != nil {
		t.Fatal(err)
	}
	want := Socket{
		Family: unix.AF_INET, State: CloseWait,
		Local: netip.MustParseAddrPort("192.0.2.1:7007"), Remote: netip.MustParseAddrPort("198.51.100.2:54321"),
		Interface: 3, Cookie: 0x0123456789abcdef, Timer: Timer{TimerKeepalive, 1500 * time.Millisecond, 5},
		RecvQ: 11, SendQ: 22, UID: 1000, Inode: 4711,
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	if got := s.Timer.String(); got != "keepalive,1.5s,5" {
		t.Errorf("the timer is printed as %q", got)
	}
}

func TestDecodeSocketIPv6(t *testing.T) {
	b := body(unix.AF_INET6, 1, 0, 0)
	mapped := netip.MustParseAddr("::ffff:192.0.2.1").As16()
	v6 := netip.MustParseAddr("2001:db8::7").As16()
	copy(b[8:], mapped[:])
	copy(b[24:], v6[:])
	s, err := DecodeSocket(b)
	if err != nil || s.Local.Addr() != netip.AddrFrom16(mapped) || s.Remote.Addr() != netip.AddrFrom16(v6) || s.Family != unix.AF_INET6 {
		t.Errorf("%v > %v, family %d, %v", s.Local, s.Remote, s.Family, err)
	}
	b[0] = 77
	s, err = DecodeSocket(b)
	if err != nil || s.Local.Addr().IsValid() || s.Local.Port() != 7007 {
		t.Errorf("of an unknown family: %+v, %v", s, err)
	}
}

func TestDecodeAttributes(t *testing.T) {
	s, err := DecodeSocket(body(unix.AF_INET, 1, 0, 0,
		appendAttr(nil, attrShutdown, []byte{2}),
		appendAttr(nil, attrTOS, []byte{0x10}),
		appendAttr(nil, attrTClass, []byte{0x20}),
		appendAttr(nil, attrV6Only, []byte{1}),
		appendAttr(nil, attrMark, u32s(0xfeed)),
		appendAttr(nil, attrClassID, u32s(0x10001)),
		appendAttr(nil, attrPad, nil),
		appendAttr(nil, attrCgroupID, native.AppendUint64(nil, 1<<40)),
		appendAttr(nil, attrSkMemInfo, u32s(1, 2, 3, 4, ^uint32(4), 6, 7, 8, 9)),
		appendAttr(nil, attrCong, []byte("westwood\x00")),
		appendAttr(nil, attrVegas, u32s(1, 2, 3, 4)),
		appendAttr(nil, attrDCTCP, append(native.AppendUint16(native.AppendUint16(nil, 1), 2), u32s(3, 4, 5)...)),
		appendAttr(nil, attrBBR, u32s(1, 2, 3, 739, 512)),
		appendAttr(nil, attrULP|unix.NLA_F_NESTED, appendAttr(appendAttr(nil, ulpName, []byte("tls\x00")), 2, []byte{9, 9})),
		appendAttr(nil, attrInfo, pattern(104)),
		appendAttr(nil, 12, []byte("addresses of another protocol")),
		appendAttr(nil, 999, nil),
	))
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
	}
	check("Shutdown", *s.Shutdown, SendShutdown)
	check("TOS, TClass", []uint8{*s.TOS, *s.TClass}, []uint8{0x10, 0x20})
	check("V6Only", *s.V6Only, true)
	check("Mark, ClassID", []uint32{*s.Mark, *s.ClassID}, []uint32{0xfeed, 0x10001})
	check("CgroupID", *s.CgroupID, uint64(1<<40))
	check("Mem", *s.Mem, Memory{1, 2, 3, 4, -5, 6, 7, 8, 9})
	check("Cong", s.Cong, "westwood")
	check("Vegas", *s.Vegas, VegasInfo{true, 2, 3 * time.Microsecond, 4 * time.Microsecond})
	check("DCTCP", *s.DCTCP, DCTCPInfo{true, 2, 3, 4, 5})
	check("BBR", *s.BBR, BBRInfo{2<<32 | 1, 3 * time.Microsecond, 739, 512})
	check("ULP", s.ULP, "tls")
	check("Info", []any{s.Info.Len, s.Info.Has("total_retrans"), s.Info.Has("pacing_rate")}, []any{104, true, false})
	check("Unknown", s.Unknown, []Attr{
		{attrULP, appendAttr(nil, 2, []byte{9, 9})}, {12, []byte("addresses of another protocol")}, {999, []byte(nil)}})
	j, err := json.Marshal(s)
	if err != nil || !strings.Contains(string(j), `"unknown":[{"type":19,"data":"BgACAAkJAAA="`) && !bigEndian {
		t.Errorf("%v: %s", err, j)
	}
}

// An attribute of another length than it should have is kept and not interpreted.
func TestDecodeOddAttributes(t *testing.T) {
	for _, a := range []Attr{
		{attrShutdown, nil}, {attrShutdown, []byte{1, 2}}, {attrTOS, []byte{}}, {attrTClass, []byte{1, 2, 3, 4}},
		{attrMark, []byte{1}}, {attrClassID, make([]byte, 8)}, {attrCgroupID, make([]byte, 4)}, {attrSkMemInfo, make([]byte, 31)},
		{attrSkMemInfo, make([]byte, 40)}, {attrSockOpt, []byte{1}}, {attrVegas, make([]byte, 15)},
		{attrDCTCP, nil}, {attrBBR, make([]byte, 16)}, {attrInfo, nil}, {attrCong, []byte{0}}, {attrPad, []byte{1}},
		{attrULP, nil}, {attrULP, []byte{1, 2}}, {attrV6Only, make([]byte, 2)}, {0, []byte{7}},
	} {
		s, err := DecodeSocket(body(unix.AF_INET, 1, 0, 0, appendAttr(nil, a.Type, a.Data)))
		if err != nil || len(s.Unknown) != 1 || s.Unknown[0].Type != a.Type || !bytes.Equal(s.Unknown[0].Data, a.Data) {
			t.Errorf("attribute %d of %d bytes: %v, %+v", a.Type, len(a.Data), err, s.Unknown)
		}
		s.Unknown = nil
		if plain, _ := DecodeSocket(body(unix.AF_INET, 1, 0, 0)); !reflect.DeepEqual(s, plain) {
			t.Errorf("attribute %d of %d bytes was interpreted: %+v", a.Type, len(a.Data), s)
		}
	}
	// Memory without its youngest number, as Linux before 4.7 sends it.
	s, err := DecodeSocket(body(unix.AF_INET, 1, 0, 0, appendAttr(nil, attrSkMemInfo, u32s(1, 2, 3, 4, 5, 6, 7, 8))))
	if err != nil || s.Mem == nil || *s.Mem != (Memory{1, 2, 3, 4, 5, 6, 7, 8, 0}) {
		t.Errorf("memory of eight numbers: %+v, %v", s.Mem, err)
	}
}

func TestDecodeMalformedSocket(t *testing.T) {
	for n := range sizeofDiagMsg {
		if _, err := DecodeSocket(make([]byte, n)); !errors.Is(err, errMalformed) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	b := body(unix.AF_INET, 1, 0, 0, appendAttr(nil, attrCong, []byte("cubic\x00")))
	native.PutUint16(b[sizeofDiagMsg:], 200)
	if _, err := DecodeSocket(b); !errors.Is(err, errMalformed) {
		t.Errorf("an attribute past the end: %v", err)
	}
}

// What is decoded must not change when the buffer is used again.
func TestDecodeKeepsNothing(t *testing.T) {
	b := body(unix.AF_INET, 1, 0, 0, appendAttr(nil, 999, []byte("data")), appendAttr(nil, attrCong, []byte("westwood\x00")),
		appendAttr(nil, attrInfo, pattern(300)))
	s, err := DecodeSocket(b)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := json.Marshal(s)
	extra := bytes.Clone(s.Info.Extra)
	clear(b)
	if after, _ := json.Marshal(s); !bytes.Equal(before, after) || !bytes.Equal(extra, s.Info.Extra) {
		t.Error("the socket changed with the buffer")
	}
}

func TestSockOptOfEitherOrder(t *testing.T) {
	if got := decodeSockOpt([]byte{0b0000_0010, 0b0000_0100}, false); got != (SockOpt{IsICSK: true, DeferConnect: true}) {
		t.Errorf("little-endian: %+v", got)
	}
	if got := decodeSockOpt([]byte{0b0100_0000, 0b0010_0000}, true); got != (SockOpt{IsICSK: true, DeferConnect: true}) {
		t.Errorf("big-endian: %+v", got)
	}
}

func TestRequestBytes(t *testing.T) {
	r := request{family: unix.AF_INET, states: 0x3ffe, local: netip.MustParseAddrPort("192.0.2.1:7007"),
		remote: netip.MustParseAddrPort("198.51.100.2:54321"), iface: 3, cookie: 0x0123456789abcdef}
	got := r.append(nil)
	want := append([]byte{2, 6, 0b0111_1110, 0}, u32s(0x3ffe)...)
	want = append(want, body(0, 0, 0, 0)[4:40]...)
	want = append(want, u32s(3, 0x89abcdef, 0x01234567)...)
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	r.family = unix.AF_INET6
	if got := r.append(nil)[12:28]; netip.AddrFrom16([16]byte(got)) != netip.MustParseAddr("::ffff:192.0.2.1") {
		t.Errorf("an IPv4 address among IPv6 ones is sent as %x", got)
	}
}
