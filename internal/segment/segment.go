package segment

import (
	"bytes"
	"net/netip"
	"strconv"
)

// Segment is one TCP segment with what the IP header around it says. Numbers are in host byte order and
// as they stand in the header: Seq and Ack absolute, Window not scaled. The zero value of every field is
// what a header has without it.
type Segment struct {
	Src, Dst netip.AddrPort // both IPv4, or both IPv6; a zone is not on the wire
	IP       IP

	Seq     uint32 // sequence number of the first octet (of the SYN, where there is one)
	Ack     uint32 // next sequence number expected, significant with flag ACK
	Flags   Flags
	Window  uint16 // as in the header; see [Seen.Window] for octets
	Urgent  uint16 // urgent pointer: offset from Seq, significant with flag URG
	Options Options

	Payload []byte // the data that was captured: a part of the packet that was decoded, not a copy
	Missing int    // octets of data that the headers announce beyond Payload: the capture was cut short
}

// IP is what a segment's IP header says, IPv4 (RFC 791 section 3.1) or IPv6 (RFC 8200 section 3). Fields that
// the version has not are zero when read, and not written.
type IP struct {
	TTL  uint8 // hops it may still go: IPv4 time to live, IPv6 hop limit
	DSCP uint8 // differentiated services code point, 6 bits (RFC 2474)
	ECN  uint8 // explicit congestion notification, 2 bits (RFC 3168)

	ID            uint16 // IPv4: identification
	DontFragment  bool   // IPv4
	MoreFragments bool   // IPv4, or an IPv6 fragment header: this is only the first part of the segment

	FlowLabel  uint32 // IPv6: 20 bits
	NextHeader uint8  // IPv6: kind of the first header in Options, 0 (hop-by-hop) where there is none

	Options []byte // IPv4: options; IPv6: extension headers; as they stand in the packet, not a copy
}

// Len is the number of octets of data by the headers, whether captured or not.
func (s Segment) Len() int { return len(s.Payload) + s.Missing }

// SeqLen is how far the segment moves the sequence number on: its data, and one each for SYN and FIN
// (RFC 9293 section 3.4, SEG.LEN).
func (s Segment) SeqLen() uint32 {
	n := uint32(s.Len())
	if s.Flags&SYN != 0 {
		n++
	}
	if s.Flags&FIN != 0 {
		n++
	}
	return n
}

// Truncated reports whether the capture was cut short of what the headers announce: data is missing, or
// options are.
func (s Segment) Truncated() bool { return s.Missing > 0 || s.Options.missing > 0 }

// Clone returns a copy that keeps nothing of the packet it was decoded from, whose buffer can then be reused.
func (s Segment) Clone() Segment {
	s.Payload = bytes.Clone(s.Payload)
	s.IP.Options = bytes.Clone(s.IP.Options)
	return s
}

// String is the segment on one line, without its addresses and with absolute numbers:
//
//	SYN seq=1500 win=65535 <mss 1460, sackOK, TS val 1 ecr 0, wscale 7>
//	FIN+ACK seq=13 ack=1 len=5 win=512
//
// The acknowledgment number and the urgent pointer are shown where they are significant, the length where there
// is data.
func (s Segment) String() string { return string(s.line(s.Seq, s.Ack, strconv.Itoa(int(s.Window)))) }

// line is String with other numbers. The edges of SACK blocks, which count as the acknowledgment number does, move with
// ack.
func (s Segment) line(seq, ack uint32, window string) []byte {
	b := make([]byte, 0, 128)
	b = append(b, s.Flags.String()...)
	b = strconv.AppendUint(append(b, " seq="...), uint64(seq), 10)
	if s.Flags&ACK != 0 {
		b = strconv.AppendUint(append(b, " ack="...), uint64(ack), 10)
	}
	if n := s.Len(); n > 0 {
		b = strconv.AppendInt(append(b, " len="...), int64(n), 10)
	}
	b = append(append(b, " win="...), window...)
	if s.Flags&URG != 0 {
		b = strconv.AppendUint(append(b, " urg="...), uint64(s.Urgent), 10)
	}
	b = s.Options.appendLine(b, ack-s.Ack)
	if s.Missing > 0 {
		b = append(strconv.AppendInt(append(b, " ("...), int64(s.Missing), 10), " octets not captured)"...)
	}
	if s.IP.MoreFragments {
		b = append(b, " (first fragment)"...)
	}
	return b
}
