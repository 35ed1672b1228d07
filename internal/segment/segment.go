package segment

import (
	"fmt"
	"net/netip"
	"strings"
)

// Segment is one TCP segment. Numbers are in host byte order and as they stand in the header: Seq and Ack absolute,
// Window not scaled.
type Segment struct {
	Src, Dst netip.AddrPort // both IPv4, or both IPv6; a zone is not on the wire

	Seq     uint32 // sequence number of the first octet (of the SYN, where there is one)
	Ack     uint32 // next sequence number expected, significant with flag ACK
	Flags   Flags
	Window  uint16 // as in the header; see [Seen.Window] for octets
	Options Options

	Payload []byte // the data that was captured: a part of the packet that was decoded, not a copy
	Missing int    // octets of data that the headers announce beyond Payload: the capture was cut short
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

// String is the segment on one line, without its addresses and with absolute numbers:
//
//	SYN seq=1500 win=65535 <mss 1460, sackOK, TS val 1 ecr 0, wscale 7>
//	FIN+ACK seq=13 ack=1 len=5 win=512
//
// The acknowledgment number is shown where it is significant, the length where there is data.
func (s Segment) String() string {
	words := []string{s.Flags.String(), fmt.Sprintf("seq=%d", s.Seq)}
	if s.Flags&ACK != 0 {
		words = append(words, fmt.Sprintf("ack=%d", s.Ack))
	}
	if n := s.Len(); n > 0 {
		words = append(words, fmt.Sprintf("len=%d", n))
	}
	words = append(words, fmt.Sprintf("win=%d", s.Window))
	if list := s.Options.StringsRelative(0); len(list) > 0 {
		words = append(words, "<"+strings.Join(list, ", ")+">")
	}
	if s.Missing > 0 {
		words = append(words, fmt.Sprintf("(%d octets not captured)", s.Missing))
	}
	return strings.Join(words, " ")
}
