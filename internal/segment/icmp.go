package segment

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// ICMP is a message of ICMP that says that a segment could not be delivered: "destination unreachable" of version 4
// (RFC 792), where that includes a packet too big, or 6 (RFC 4443), where that is a type of its own.
type ICMP struct {
	what string // "ICMP destination unreachable (port unreachable)"

	// Of the segment that it is about, which it quotes; zero where that was cut off.
	Src, Dst netip.AddrPort
	seq      uint32
}

// DecodeICMP reads a packet that starts with its IP header; nil if it carries anything else.
func DecodeICMP(b []byte) *ICMP {
	var n network
	if n.parse(b) != nil || n.later || len(n.body) < 4 {
		return nil
	}
	m := &ICMP{}
	switch kind, code := n.body[0], n.body[1]; {
	case n.protocol == protocolICMP && kind == 3:
		m.what = "ICMP destination unreachable (" + nameOf(unreachable4, code) + ")"
	case n.protocol == protocolICMPv6 && kind == 1:
		m.what = "ICMPv6 destination unreachable (" + nameOf(unreachable6, code) + ")"
	case n.protocol == protocolICMPv6 && kind == 2:
		m.what = "ICMPv6 packet too big"
	default:
		return nil
	}
	if len(n.body) >= 8 {
		m.readMTU(&n)
		m.readQuote(n.body[8:])
	}
	return m
}

// readMTU says how many octets fit, of "fragmentation needed" and "packet too big".
func (m *ICMP) readMTU(n *network) {
	mtu := uint32(0)
	switch kind, code := n.body[0], n.body[1]; {
	case n.protocol == protocolICMP && code == 4: // RFC 1191 section 4
		mtu = uint32(binary.BigEndian.Uint16(n.body[6:]))
	case n.protocol == protocolICMPv6 && kind == 2: // RFC 4443 section 3.2
		mtu = binary.BigEndian.Uint32(n.body[4:])
	}
	if mtu != 0 {
		m.what += fmt.Sprintf(" mtu %d", mtu)
	}
}

// readQuote reads the first octets of a packet: of its TCP header there are at least 8.
func (m *ICMP) readQuote(b []byte) {
	var quoted network
	if quoted.parse(b) != nil || quoted.later || quoted.protocol != protocolTCP || len(quoted.body) < 8 {
		return
	}
	m.Src = netip.AddrPortFrom(quoted.src, binary.BigEndian.Uint16(quoted.body))
	m.Dst = netip.AddrPortFrom(quoted.dst, binary.BigEndian.Uint16(quoted.body[2:]))
	m.seq = binary.BigEndian.Uint32(quoted.body[4:])
}

// String is "ICMP destination unreachable (port unreachable) about TCP 192.0.2.1:7007 > 192.0.2.2:40000 seq=5".
func (m ICMP) String() string {
	if !m.Src.IsValid() {
		return m.what
	}
	return fmt.Sprintf("%s about TCP %s > %s seq=%d", m.what, m.Src, m.Dst, m.seq)
}

// The codes of "destination unreachable", after the IANA registries "ICMP Type Numbers" and "ICMPv6 Parameters".
var unreachable4 = []string{
	"network unreachable", "host unreachable", "protocol unreachable", "port unreachable", "fragmentation needed",
	"source route failed", "network unknown", "host unknown", "host isolated", "network administratively prohibited",
	"host administratively prohibited", "network unreachable for this type of service",
	"host unreachable for this type of service", "administratively prohibited", "host precedence violation",
	"precedence cutoff",
}

var unreachable6 = []string{
	"no route", "administratively prohibited", "beyond scope of source address", "address unreachable",
	"port unreachable", "source address failed policy", "reject route", "error in source routing header",
	"headers too long",
}

func nameOf(names []string, n uint8) string {
	if int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprintf("UNKNOWN(%d)", n)
}
