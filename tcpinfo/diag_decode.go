package tcpinfo

import (
	"bytes"
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

// extras is where a Socket's pointers point: one allocation instead of one for each.
type extras struct {
	info     Info
	mem      Memory
	sockOpt  SockOpt
	vegas    VegasInfo
	dctcp    DCTCPInfo
	bbr      BBRInfo
	cgroupID uint64
	mark     uint32
	classID  uint32
	shutdown Shutdown
	tos      uint8
	tclass   uint8
	v6only   bool
}

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
	var x *extras
	for {
		a, rest, ok, err := nextAttr(b)
		if err != nil {
			return err
		}
		if !ok {
			return nil
		}
		if x == nil {
			x = new(extras)
		}
		if !s.take(a, x, kernel) {
			s.Unknown = append(s.Unknown, Attr{Type: a.Type, Data: append([]byte(nil), a.Data...)})
		}
		b = rest
	}
}

// take puts an attribute in its place; false if there is none for it.
func (s *Socket) take(a Attr, x *extras, kernel release) bool {
	switch a.Type {
	case attrPad:
		return len(a.Data) == 0
	case attrInfo:
		if x.info.decode(a.Data, kernel) != nil {
			return false
		}
		s.Info = &x.info
		return true
	case attrCong:
		s.Cong = intern(a.Data)
		return s.Cong != ""
	case attrULP:
		return s.takeULP(a.Data)
	case attrSkMemInfo, attrSockOpt:
		return s.takeMemory(a, x)
	case attrVegas, attrDCTCP, attrBBR:
		return s.takeCongInfo(a, x)
	}
	return s.takeNumber(a, x)
}

// takeNumber places the attributes that are a single number.
func (s *Socket) takeNumber(a Attr, x *extras) bool {
	switch {
	case a.Type == attrShutdown && len(a.Data) == 1:
		x.shutdown, s.Shutdown = Shutdown(a.Data[0]), &x.shutdown
	case a.Type == attrTOS && len(a.Data) == 1:
		x.tos, s.TOS = a.Data[0], &x.tos
	case a.Type == attrTClass && len(a.Data) == 1:
		x.tclass, s.TClass = a.Data[0], &x.tclass
	case a.Type == attrV6Only && len(a.Data) == 1:
		x.v6only, s.V6Only = a.Data[0] != 0, &x.v6only
	case a.Type == attrMark && len(a.Data) == 4:
		x.mark, s.Mark = native.Uint32(a.Data), &x.mark
	case a.Type == attrClassID && len(a.Data) == 4:
		x.classID, s.ClassID = native.Uint32(a.Data), &x.classID
	case a.Type == attrCgroupID && len(a.Data) == 8:
		x.cgroupID, s.CgroupID = native.Uint64(a.Data), &x.cgroupID
	default:
		return false
	}
	return true
}

func (s *Socket) takeMemory(a Attr, x *extras) bool {
	u32 := func(n int) uint32 { return native.Uint32(a.Data[4*n:]) }
	switch {
	case a.Type == attrSkMemInfo && (len(a.Data) == 32 || len(a.Data) == 36):
		x.mem = Memory{u32(0), u32(1), u32(2), u32(3), int32(u32(4)), u32(5), u32(6), u32(7), 0}
		if len(a.Data) == 36 {
			x.mem.Drops = u32(8)
		}
		s.Mem = &x.mem
	case a.Type == attrSockOpt && len(a.Data) == 2:
		x.sockOpt = decodeSockOpt(a.Data, bigEndian)
		s.SockOpt = &x.sockOpt
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

func (s *Socket) takeCongInfo(a Attr, x *extras) bool {
	u16 := func(at int) uint16 { return native.Uint16(a.Data[at:]) }
	u32 := func(at int) uint32 { return native.Uint32(a.Data[at:]) }
	us := func(at int) time.Duration { return time.Duration(u32(at)) * time.Microsecond }
	switch {
	case a.Type == attrVegas && len(a.Data) == 16:
		x.vegas = VegasInfo{Enabled: u32(0) != 0, RTTCnt: u32(4), RTT: us(8), MinRTT: us(12)}
		s.Vegas = &x.vegas
	case a.Type == attrDCTCP && len(a.Data) == 16:
		x.dctcp = DCTCPInfo{Enabled: u16(0) != 0, CEState: u16(2), Alpha: u32(4), AbECN: u32(8), AbTot: u32(12)}
		s.DCTCP = &x.dctcp
	case a.Type == attrBBR && len(a.Data) == 20:
		x.bbr = BBRInfo{Bandwidth: uint64(u32(0)) | uint64(u32(4))<<32, MinRTT: us(8), PacingGain: u32(12), CwndGain: u32(16)}
		s.BBR = &x.bbr
	default:
		return false
	}
	return true
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

// intern is text, and spares an allocation a socket: nearly all of them use one of these.
func intern(b []byte) string {
	if n := bytes.IndexByte(b, 0); n >= 0 {
		b = b[:n]
	}
	switch string(b) {
	case "cubic":
		return "cubic"
	case "bbr":
		return "bbr"
	case "reno":
		return "reno"
	case "dctcp":
		return "dctcp"
	}
	return string(b)
}
