package segment

import (
	"encoding/binary"
	"net/netip"
)

const tcpHeaderLen = 20

// Decode reads a packet that starts with its IP header, version 4 or 6, and carries a TCP segment. Checksums are
// not looked at. Octets beyond the length in the IP header (the padding of a
// short Ethernet frame) are ignored. A capture that is shorter than the headers announce is decoded as far as it
// goes, see [Segment.Truncated].
//
// The segment's Payload and IP.Options are parts of b. Decode does not allocate, except for an error.
//
// Errors: a [*MalformedError]; one that wraps [ErrTruncated] where less than a whole TCP header without options was
// captured (the segment then has its addresses, and ports and sequence number as far as they were there); a
// [*NotTCPError] or a [*FragmentError] where the packet carries no TCP header.
func Decode(b []byte) (Segment, error) {
	var s Segment
	var n network
	if err := n.parse(b); err != nil {
		return s, err
	}
	s.Src, s.Dst, s.IP = netip.AddrPortFrom(n.src, 0), netip.AddrPortFrom(n.dst, 0), n.ip
	if n.offset > 0 || n.protocol != protocolTCP {
		return s, n.notTCP()
	}
	return s, s.decodeTCP(n.body, n.length)
}

func (n *network) notTCP() error {
	if n.offset > 0 {
		return n.fragment()
	}
	return &NotTCPError{Src: n.src, Dst: n.dst, Protocol: n.protocol, ICMP: n.icmp()}
}

func (n *network) fragment() error {
	return &FragmentError{
		Src: n.src, Dst: n.dst, Protocol: n.protocol, ID: n.id, Offset: n.offset, More: n.ip.MoreFragments,
	}
}

// decodeTCP reads the header of RFC 9293 section 3.1. b is what was captured of the length octets that the IP
// header announces.
func (s *Segment) decodeTCP(b []byte, length int) error {
	if length < tcpHeaderLen {
		return malformedf("TCP", "%d octets, %d below a header", length, tcpHeaderLen-length)
	}
	if len(b) < tcpHeaderLen {
		s.decodeStart(b)
		return truncated("TCP")
	}
	s.decodeStart(b)
	s.Ack = binary.BigEndian.Uint32(b[8:])
	s.Flags = Flags(binary.BigEndian.Uint16(b[12:])) & maxFlags
	s.Window = binary.BigEndian.Uint16(b[14:])
	s.Urgent = binary.BigEndian.Uint16(b[18:])

	header := int(b[12]>>4) * 4
	switch {
	case header < tcpHeaderLen:
		return malformedf("TCP", "data offset %d is below %d", header, tcpHeaderLen)
	case header > length:
		return malformedf("TCP", "data offset %d is beyond the segment's %d octets", header, length)
	}
	options := b[tcpHeaderLen:min(header, len(b))]
	copy(s.Options.raw[:], options)
	s.Options.n = uint8(len(options))
	s.Options.missing = uint8(header - tcpHeaderLen - len(options))
	if header < len(b) {
		s.Payload = b[header:]
	}
	s.Missing = length - header - len(s.Payload)
	return nil
}

// decodeStart reads what the first octets of a TCP header say, as many as there are: 8 of them are what an ICMP
// error quotes.
func (s *Segment) decodeStart(b []byte) {
	if len(b) >= 4 {
		s.Src = netip.AddrPortFrom(s.Src.Addr(), binary.BigEndian.Uint16(b))
		s.Dst = netip.AddrPortFrom(s.Dst.Addr(), binary.BigEndian.Uint16(b[2:]))
	}
	if len(b) >= 8 {
		s.Seq = binary.BigEndian.Uint32(b[4:])
	}
}
