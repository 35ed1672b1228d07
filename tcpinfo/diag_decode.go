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
func DecodeSocket(b []byte) (Socket, error) {
	var s Socket
	err := s.decode(b, running())
	return s, err
}

func (s *Socket) decode(b []byte, kernel release) error {
	if len(b) < sizeofDiagMsg {
		return fmt.Errorf("%w: inet_diag_msg of %d bytes, not %d", errMalformed, len(b), sizeofDiagMsg)
	}
	*s = Socket{
		Family: b[0],
		State:  State(b[1]),
		Timer: Timer{
			Kind: TimerKind(b[2]), Retrans: b[3],
			Expires: time.Duration(native.Uint32(b[52:])) * time.Millisecond,
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
	return s.decodeAttrs(b[sizeofDiagMsg:], kernel)
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

func (s *Socket) decodeAttrs(b []byte, kernel release) error {
	for {
		a, rest, ok, err := nextAttr(b)
		if err != nil || !ok {
			return err
		}
		if !s.take(a, kernel) {
			s.Unknown = append(s.Unknown, Attr{Type: a.Type, Data: append([]byte(nil), a.Data...)})
		}
		b = rest
	}
}

// take puts an attribute in its place; false if there is none for it.
func (s *Socket) take(a Attr, kernel release) bool {
	switch a.Type {
	case attrPad:
		return len(a.Data) == 0
	case attrInfo:
		info, err := decodeInfo(a.Data, kernel)
		if err == nil {
			s.Info = &info
		}
		return err == nil
	case attrCong:
		s.Cong = text(a.Data)
		return s.Cong != ""
	case attrULP:
		return s.takeULP(a.Data)
	}
	return s.takeFixed(a)
}

// takeFixed places the attributes that have one length.
func (s *Socket) takeFixed(a Attr) bool {
	type shape struct {
		attr uint16
		size int
	}
	b := a.Data
	u32 := func(at int) uint32 { return native.Uint32(b[at:]) }
	us := func(at int) time.Duration { return time.Duration(u32(at)) * time.Microsecond }
	switch (shape{a.Type, len(b)}) {
	case shape{attrShutdown, 1}:
		s.Shutdown = new(Shutdown(b[0]))
	case shape{attrTOS, 1}:
		s.TOS = new(b[0])
	case shape{attrTClass, 1}:
		s.TClass = new(b[0])
	case shape{attrV6Only, 1}:
		s.V6Only = new(b[0] != 0)
	case shape{attrMark, 4}:
		s.Mark = new(u32(0))
	case shape{attrClassID, 4}:
		s.ClassID = new(u32(0))
	case shape{attrCgroupID, 8}:
		s.CgroupID = new(native.Uint64(b))
	case shape{attrSkMemInfo, 32}, shape{attrSkMemInfo, 36}:
		s.Mem = &Memory{u32(0), u32(4), u32(8), u32(12), int32(u32(16)), u32(20), u32(24), u32(28), 0}
		if len(b) == 36 {
			s.Mem.Drops = u32(32)
		}
	case shape{attrSockOpt, 2}:
		s.SockOpt = new(decodeSockOpt(b, bigEndian))
	case shape{attrVegas, 16}:
		s.Vegas = &VegasInfo{Enabled: u32(0) != 0, RTTCnt: u32(4), RTT: us(8), MinRTT: us(12)}
	case shape{attrDCTCP, 16}:
		s.DCTCP = &DCTCPInfo{Enabled: native.Uint16(b) != 0, CEState: native.Uint16(b[2:]), Alpha: u32(4), AbECN: u32(8), AbTot: u32(12)}
	case shape{attrBBR, 20}:
		s.BBR = &BBRInfo{Bandwidth: uint64(u32(0)) | uint64(u32(4))<<32, MinRTT: us(8), PacingGain: u32(12), CwndGain: u32(16)}
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
