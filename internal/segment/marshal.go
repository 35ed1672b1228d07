package segment

import (
	"encoding/binary"
	"fmt"
)

// Marshal returns the packet: IP header, TCP header and data, with correct lengths and checksums. See [Segment.Append].
func (s Segment) Marshal() ([]byte, error) {
	return s.Append(make([]byte, 0, ipv6HeaderLen+len(s.IP.Options)+tcpHeaderLen+s.Options.Len()+len(s.Payload)))
}

// Append appends the packet to b. What [Decode] reads from it equals s, down to the padding of the options. Set
// IP.TTL (hosts send 64): with 0 the packet goes nowhere.
//
// It is an error if the addresses are missing or of two families, if s is a truncated capture or a fragment, if a
// value does not fit its field, or if the packet would be longer than the length field of its IP header can say.
// b is then returned as it was.
func (s Segment) Append(b []byte) ([]byte, error) {
	if err := s.check(); err != nil {
		return b, err
	}
	start := len(b)
	tcp := tcpHeaderLen + s.Options.Len() + len(s.Payload)
	out, err := s.appendIP(b, tcp)
	if err != nil {
		return b, err
	}
	out = s.appendTCP(out)
	if err := s.rereads(out[start:], tcp); err != nil {
		return b, err
	}
	segment := out[len(out)-tcp:]
	sum := addOctets(pseudoHeader(s.Src.Addr(), s.Dst.Addr(), tcp), segment)
	binary.BigEndian.PutUint16(segment[16:], ^fold(sum))
	return out, nil
}

func (s Segment) check() error {
	src, dst := s.Src.Addr(), s.Dst.Addr()
	switch {
	case !src.IsValid() || !dst.IsValid() || src.Is4() != dst.Is4():
		return fmt.Errorf("segment: cannot write a packet from %s to %s", s.Src, s.Dst)
	case s.Truncated():
		return fmt.Errorf("segment: cannot write a packet: %w", ErrTruncated)
	case s.IP.MoreFragments:
		return fmt.Errorf("segment: cannot write a fragment")
	case s.Flags > maxFlags || s.IP.DSCP > 63 || s.IP.ECN > 3 || s.IP.FlowLabel > 0xfffff:
		return fmt.Errorf("segment: flags %#x, dscp %d, ecn %d or flow label %#x does not fit its field",
			uint16(s.Flags), s.IP.DSCP, s.IP.ECN, s.IP.FlowLabel)
	}
	return nil
}

// rereads checks that the IP options or extension headers that s came with lead to the TCP header: they are written
// as they are.
func (s Segment) rereads(packet []byte, tcp int) error {
	if len(s.IP.Options) == 0 {
		return nil
	}
	var n network
	if err := n.parse(packet); err != nil {
		return err
	}
	if n.protocol != protocolTCP || n.length != tcp || n.offset > 0 || n.ip.MoreFragments {
		return fmt.Errorf("segment: the IP options do not lead to the TCP header")
	}
	return nil
}

func (s Segment) appendIP(b []byte, tcp int) ([]byte, error) {
	if s.Src.Addr().Is4() {
		return s.appendIPv4(b, tcp)
	}
	return s.appendIPv6(b, tcp)
}

func (s Segment) appendIPv4(b []byte, tcp int) ([]byte, error) {
	header := ipv4HeaderLen + len(s.IP.Options)
	if header > 60 || header%4 != 0 {
		return nil, fmt.Errorf("segment: %d octets of IPv4 options", len(s.IP.Options))
	}
	if header+tcp > 0xffff {
		return nil, fmt.Errorf("segment: %d octets do not fit into an IPv4 packet", header+tcp)
	}
	start := len(b)
	b = append(b, 4<<4|byte(header/4), s.IP.DSCP<<2|s.IP.ECN)
	b = binary.BigEndian.AppendUint16(b, uint16(header+tcp))
	b = binary.BigEndian.AppendUint16(b, s.IP.ID)
	var frag uint16
	if s.IP.DontFragment {
		frag = 0x4000
	}
	b = binary.BigEndian.AppendUint16(b, frag)
	b = append(b, s.IP.TTL, protocolTCP, 0, 0)
	src, dst := s.Src.Addr().As4(), s.Dst.Addr().As4()
	b = append(append(append(b, src[:]...), dst[:]...), s.IP.Options...)
	binary.BigEndian.PutUint16(b[start+10:], ^fold(addOctets(0, b[start:])))
	return b, nil
}

func (s Segment) appendIPv6(b []byte, tcp int) ([]byte, error) {
	payload := len(s.IP.Options) + tcp
	if payload > 0xffff {
		return nil, fmt.Errorf("segment: %d octets do not fit into an IPv6 packet", ipv6HeaderLen+payload)
	}
	next := uint8(protocolTCP)
	if len(s.IP.Options) > 0 {
		next = s.IP.NextHeader
	}
	first := 6<<28 | uint32(s.IP.DSCP)<<22 | uint32(s.IP.ECN)<<20 | s.IP.FlowLabel
	b = binary.BigEndian.AppendUint32(b, first)
	b = binary.BigEndian.AppendUint16(b, uint16(payload))
	b = append(b, next, s.IP.TTL)
	src, dst := s.Src.Addr().As16(), s.Dst.Addr().As16()
	return append(append(append(b, src[:]...), dst[:]...), s.IP.Options...), nil
}

// appendTCP leaves the checksum 0.
func (s Segment) appendTCP(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, s.Src.Port())
	b = binary.BigEndian.AppendUint16(b, s.Dst.Port())
	b = binary.BigEndian.AppendUint32(b, s.Seq)
	b = binary.BigEndian.AppendUint32(b, s.Ack)
	words := uint16(tcpHeaderLen+s.Options.Len()) / 4
	b = binary.BigEndian.AppendUint16(b, words<<12|uint16(s.Flags))
	b = binary.BigEndian.AppendUint16(b, s.Window)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, s.Urgent)
	b = append(b, s.Options.raw[:s.Options.n]...)
	return append(b, s.Payload...)
}
