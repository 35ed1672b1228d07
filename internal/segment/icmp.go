package segment

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
)

// ICMP is the start of an ICMP message, version 4 (RFC 792) or 6 (RFC 4443). Errors quote the packet that they
// are about, which is how TCP learns which connection is meant.
type ICMP struct {
	Version    int // 4 or 6
	Type, Code uint8
	MTU        uint32 // of "fragmentation needed" and "packet too big": octets that fit, else 0

	// Of the packet that an error quotes; zero where there is none or it was cut off.
	Src, Dst netip.AddrPort // ports only with TCP and UDP
	Protocol uint8
	Seq      uint32 // sequence number, with TCP
}

// icmp is the ICMP message that a packet carries, nil where it carries none or not even type and code.
func (n *network) icmp() *ICMP {
	if n.version == 4 && n.protocol != protocolICMP || n.version == 6 && n.protocol != protocolICMPv6 {
		return nil
	}
	if len(n.body) < 4 {
		return nil
	}
	m := &ICMP{Version: n.version, Type: n.body[0], Code: n.body[1]}
	if !m.quotes() || len(n.body) < 8 {
		return m
	}
	switch {
	case m.Version == 4 && m.Type == 3 && m.Code == 4: // RFC 1191 section 4
		m.MTU = uint32(binary.BigEndian.Uint16(n.body[6:]))
	case m.Version == 6 && m.Type == 2: // RFC 4443 section 3.2
		m.MTU = binary.BigEndian.Uint32(n.body[4:])
	}
	m.readQuote(n.body[8:])
	return m
}

// quotes reports whether this is an error, which ends in the packet it is about: in version 4 destination
// unreachable, source quench, redirect, time exceeded and parameter problem; in version 6 what is below 128.
func (m *ICMP) quotes() bool {
	if m.Version == 6 {
		return m.Type < 128
	}
	return m.Type == 3 || m.Type == 4 || m.Type == 5 || m.Type == 11 || m.Type == 12
}

func (m *ICMP) readQuote(b []byte) {
	var quoted network
	if quoted.parse(b) != nil {
		return
	}
	s := Segment{Src: netip.AddrPortFrom(quoted.src, 0), Dst: netip.AddrPortFrom(quoted.dst, 0)}
	if quoted.offset == 0 && (quoted.protocol == protocolTCP || quoted.protocol == protocolUDP) {
		s.decodeStart(quoted.body)
	}
	m.Src, m.Dst, m.Protocol = s.Src, s.Dst, quoted.protocol
	if m.Protocol == protocolTCP {
		m.Seq = s.Seq
	}
}

// TypeName is the name of the message's type, such as "destination unreachable", or UNKNOWN(n).
func (m ICMP) TypeName() string {
	names := icmp4Types
	if m.Version == 6 {
		names = icmp6Types
	}
	return nameOf(names, m.Type)
}

// CodeName is the name of the message's code within its type, such as "port unreachable"; UNKNOWN(n), or
// nothing where the code is 0 and the type has no other.
func (m ICMP) CodeName() string {
	codes := icmp4Codes
	if m.Version == 6 {
		codes = icmp6Codes
	}
	if names, ok := codes[m.Type]; ok || m.Code != 0 {
		return nameOf(names, m.Code)
	}
	return ""
}

func nameOf(names map[uint8]string, n uint8) string {
	if name, ok := names[n]; ok {
		return name
	}
	return "UNKNOWN(" + strconv.Itoa(int(n)) + ")"
}

// String is "ICMP destination unreachable (port unreachable) about TCP 192.0.2.1:7007 > 192.0.2.2:40000 seq=5".
func (m ICMP) String() string {
	text := "ICMP"
	if m.Version == 6 {
		text = "ICMPv6"
	}
	text += " " + m.TypeName()
	if code := m.CodeName(); code != "" {
		text += " (" + code + ")"
	}
	if m.MTU != 0 {
		text += fmt.Sprintf(" mtu %d", m.MTU)
	}
	switch {
	case !m.Src.Addr().IsValid():
		return text
	case m.Protocol == protocolTCP:
		return fmt.Sprintf("%s about TCP %s > %s seq=%d", text, m.Src, m.Dst, m.Seq)
	case m.Protocol == protocolUDP:
		return fmt.Sprintf("%s about UDP %s > %s", text, m.Src, m.Dst)
	}
	return fmt.Sprintf("%s about %s %s > %s", text, ProtocolName(m.Protocol), m.Src.Addr(), m.Dst.Addr())
}
