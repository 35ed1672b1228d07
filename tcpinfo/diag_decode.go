package tcpinfo

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Sizes of include/uapi/linux/inet_diag.h.
const (
	sizeofDiagMsg = 72 // struct inet_diag_msg
	sizeofDiagReq = 56 // struct inet_diag_req_v2
	sizeofDiagID  = 48 // struct inet_diag_sockid
)

// Attributes of a reply (INET_DIAG_…).
const (
	attrInfo      = 2
	attrVegas     = 3
	attrCong      = 4
	attrTOS       = 5
	attrTClass    = 6
	attrSkMemInfo = 7
	attrShutdown  = 8
	attrDCTCP     = 9
	attrV6Only    = 11
	attrPad       = 14
	attrMark      = 15
	attrBBR       = 16
	attrClassID   = 17
	attrULP       = 19
	attrCgroupID  = 21
	attrSockOpt   = 22

	ulpName = 1 // INET_ULP_INFO_NAME, within attrULP
)

// DecodeSocket reads the body of a sock_diag message about a TCP socket: struct inet_diag_msg and attributes, as the
// kernel of this machine writes them. Attributes that are not known, or not of the length they should have, are kept in
// Socket.Unknown. The result does not refer to b.
func DecodeSocket(b []byte) (s Socket, err error) {
	d := decoder{kernel: running()}
	err = d.decode(&s, b)
	return s, err
}

func (d *decoder) decode(s *Socket, b []byte) error {
	if len(b) < sizeofDiagMsg {
		return fmt.Errorf("%w: inet_diag_msg of %d bytes, not %d", errMalformed, len(b), sizeofDiagMsg)
	}
	*s = Socket{
		Family: b[0],
		State:  State(b[1]),
		Timer: Timer{
			Kind: TimerKind(b[2]), Retrans: b[3],
			Expires: time.Duration(native.Uint32(b[52:])) * ms,
		},
		Interface: native.Uint32(b[40:]),
		Cookie:    uint64(native.Uint32(b[44:])) | uint64(native.Uint32(b[48:]))<<32,
		RecvQ:     native.Uint32(b[56:]),
		SendQ:     native.Uint32(b[60:]),
		UID:       native.Uint32(b[64:]),
		Inode:     native.Uint32(b[68:]),
	}
	s.Local = netip.AddrPortFrom(diagAddr(s.Family, b[8:24]), binary.BigEndian.Uint16(b[4:]))
	s.Remote = netip.AddrPortFrom(diagAddr(s.Family, b[24:40]), binary.BigEndian.Uint16(b[6:]))
	return d.attrs(s, b[sizeofDiagMsg:])
}

// diagAddr reads one of the 16-byte addresses of struct inet_diag_sockid, in network order. Of a family that is not
// IP's it makes the zero Addr.
func diagAddr(family uint8, b []byte) netip.Addr {
	switch family {
	case unix.AF_INET:
		return netip.AddrFrom4([4]byte(b[:4]))
	case unix.AF_INET6:
		return netip.AddrFrom16([16]byte(b[:16]))
	}
	return netip.Addr{}
}

func (d *decoder) attrs(s *Socket, b []byte) error {
	var r *room
	for {
		a, rest, ok, err := nextAttr(b)
		if err != nil || !ok {
			return err
		}
		if r == nil {
			r = d.room()
		}
		if !d.take(s, r, a) {
			s.Unknown = append(s.Unknown, Attr{Type: a.Type, Data: append([]byte(nil), a.Data...)})
		}
		b = rest
	}
}

// take puts an attribute in its place; false if there is none for it.
func (d *decoder) take(s *Socket, r *room, a Attr) bool {
	switch a.Type {
	case attrPad:
		return len(a.Data) == 0
	case attrInfo:
		if r.info.decode(a.Data, d.kernel) != nil {
			return false
		}
		s.Info = &r.info
		return true
	case attrCong:
		s.Cong = d.name(a.Data)
		return s.Cong != ""
	case attrULP:
		return s.takeULP(a.Data)
	}
	return int(a.Type) < len(fixed) && len(a.Data) > 0 && len(a.Data) == fixed[a.Type] && s.takeFixed(r, a.Type, a.Data) ||
		a.Type == attrSkMemInfo && len(a.Data) == 32 && s.takeFixed(r, a.Type, a.Data) // before Linux 4.7: without drops
}

// fixed are the lengths of the attributes that have one.
var fixed = [...]int{
	attrShutdown: 1, attrTOS: 1, attrTClass: 1, attrV6Only: 1, attrMark: 4, attrClassID: 4, attrCgroupID: 8,
	attrSkMemInfo: 36, attrSockOpt: 2, attrVegas: 16, attrDCTCP: 16, attrBBR: 20,
}

// takeFixed places one of them.
func (s *Socket) takeFixed(r *room, attr uint16, b []byte) bool {
	u32 := func(at int) uint32 { return native.Uint32(b[at:]) }
	switch attr {
	case attrShutdown:
		r.shutdown = Shutdown(b[0])
		s.Shutdown = &r.shutdown
	case attrTOS:
		r.tos = b[0]
		s.TOS = &r.tos
	case attrTClass:
		r.tclass = b[0]
		s.TClass = &r.tclass
	case attrV6Only:
		r.v6only = b[0] != 0
		s.V6Only = &r.v6only
	case attrMark:
		r.mark = u32(0)
		s.Mark = &r.mark
	case attrClassID:
		r.classID = u32(0)
		s.ClassID = &r.classID
	case attrCgroupID:
		r.cgroupID = native.Uint64(b)
		s.CgroupID = &r.cgroupID
	case attrSkMemInfo:
		r.mem = Memory{u32(0), u32(4), u32(8), u32(12), int32(u32(16)), u32(20), u32(24), u32(28), 0}
		if len(b) == 36 {
			r.mem.Drops = u32(32)
		}
		s.Mem = &r.mem
	case attrSockOpt:
		r.sockOpt = decodeSockOpt(b, bigEndian)
		s.SockOpt = &r.sockOpt
	case attrVegas:
		r.withRare().vegas = VegasInfo{Enabled: u32(0) != 0, RTTCnt: u32(4), RTT: time.Duration(u32(8)) * us, MinRTT: time.Duration(u32(12)) * us}
		s.Vegas = &r.vegas
	case attrDCTCP:
		r.withRare().dctcp = DCTCPInfo{Enabled: native.Uint16(b) != 0, CEState: native.Uint16(b[2:]), Alpha: u32(4), AbECN: u32(8), AbTot: u32(12)}
		s.DCTCP = &r.dctcp
	case attrBBR:
		r.withRare().bbr = BBRInfo{Bandwidth: uint64(u32(0)) | uint64(u32(4))<<32, MinRTT: time.Duration(u32(8)) * us, PacingGain: u32(12), CwndGain: u32(16)}
		s.BBR = &r.bbr
	default:
		return false
	}
	return true
}

func decodeSockOpt(b []byte, bigEndian bool) SockOpt {
	bit := func(n int) bool {
		shift := n % 8
		if bigEndian {
			shift = 7 - shift
		}
		return b[n/8]>>shift&1 == 1
	}
	return SockOpt{
		RecvErr: bit(0), IsICSK: bit(1), Freebind: bit(2), HdrIncl: bit(3),
		McLoop: bit(4), Transparent: bit(5), McAll: bit(6), Nodefrag: bit(7),
		BindAddressNoPort: bit(8), RecvErrRFC4884: bit(9), DeferConnect: bit(10),
	}
}

// takeULP reads the name out of the nested INET_DIAG_ULP_INFO; what else is nested there is kept as an unknown
// attribute.
func (s *Socket) takeULP(b []byte) bool {
	a, rest, ok, err := nextAttr(b)
	if err != nil || !ok || a.Type != ulpName {
		return false
	}
	s.ULP = text(a.Data)
	if len(rest) > 0 {
		s.Unknown = append(s.Unknown, Attr{Type: attrULP, Data: append([]byte(nil), rest...)})
	}
	return true
}

// text is a string that the kernel ends with a NUL.
func text(b []byte) string { return unix.ByteSliceToString(b) }
