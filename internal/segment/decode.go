package segment

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

const tcpHeaderLen = 20

// Decode reads a packet that starts with its IP header, version 4 or 6, and carries a TCP segment. Checksums are
// not looked at. Octets beyond the length in the IP header (the padding of a short Ethernet frame) are ignored. Where
// the capture ends inside the data, the segment says how much is missing.
//
// The segment's Payload is a part of b. Decode does not allocate, except for an error: a header contradicts itself or
// what is around it, the capture ends inside one, or there is none of TCP, as in a fragment that is not the first.
func Decode(b []byte) (Segment, error) {
	var n network
	if err := n.parse(b); err != nil {
		return Segment{}, err
	}
	if n.later || n.protocol != protocolTCP {
		return Segment{}, fmt.Errorf("segment: %s > %s: protocol %d, not the start of a TCP segment", n.src, n.dst, n.protocol)
	}
	return n.decodeTCP()
}

// HeaderOf is the TCP header, with its options, of a packet that Decode takes: a part of it, not a copy. It is nil of
// any other.
func HeaderOf(b []byte) []byte {
	var n network
	if n.parse(b) != nil || n.later || n.protocol != protocolTCP || len(n.body) < tcpHeaderLen {
		return nil
	}
	if header := int(n.body[12]>>4) * 4; header >= tcpHeaderLen && header <= len(n.body) {
		return n.body[:header]
	}
	return nil
}

// decodeTCP reads the header of RFC 9293 section 3.1.
func (n *network) decodeTCP() (Segment, error) {
	b := n.body
	if n.length < tcpHeaderLen {
		return Segment{}, malformed("TCP", "%d octets, %d below a header", n.length, tcpHeaderLen-n.length)
	}
	if len(b) < tcpHeaderLen {
		return Segment{}, truncated("TCP")
	}
	header := int(b[12]>>4) * 4
	switch {
	case header < tcpHeaderLen:
		return Segment{}, malformed("TCP", "data offset %d is below %d", header, tcpHeaderLen)
	case header > n.length:
		return Segment{}, malformed("TCP", "data offset %d is beyond the segment's %d octets", header, n.length)
	case header > len(b):
		return Segment{}, truncated("TCP")
	}
	s := Segment{
		Src:     netip.AddrPortFrom(n.src, binary.BigEndian.Uint16(b)),
		Dst:     netip.AddrPortFrom(n.dst, binary.BigEndian.Uint16(b[2:])),
		Seq:     binary.BigEndian.Uint32(b[4:]),
		Ack:     binary.BigEndian.Uint32(b[8:]),
		Flags:   Flags(binary.BigEndian.Uint16(b[12:])) & maxFlags,
		Window:  binary.BigEndian.Uint16(b[14:]),
		Missing: n.length - len(b),
	}
	if header < len(b) {
		s.Payload = b[header:]
	}
	s.Options.n = uint8(copy(s.Options.raw[:], b[tcpHeaderLen:header]))
	return s, nil
}

func malformed(header, format string, args ...any) error {
	return fmt.Errorf("segment: %s: "+format, append([]any{header}, args...)...)
}

func truncated(header string) error {
	return fmt.Errorf("segment: %s header: the capture was cut short", header)
}
