package lab

import (
	"net/netip"

	"socklife/internal/segment"
)

// flow is one direction of one connection, as far as sequence numbers go.
type flow struct {
	isn  uint32 // of the SYN
	next uint32 // one past the highest number sent
	byte int64  // which byte of the stream next is, from 1; the FIN counts as one

	meetings
}

// flows are those of one direction of the wire, by source and destination.
type flows map[[2]netip.AddrPort]*flow

// place numbers a segment of the flow: whether it repeats sequence numbers, and where in the stream its data is.
func (f *flow) place(s *segment.Segment) (again bool, at int64) {
	end := s.Seq + s.SeqLen()
	again = end != s.Seq && segment.Before(s.Seq, f.next)
	if s.Len() > 0 {
		at = f.byte + int64(int32(s.Seq-f.next))
		if s.Flags.Has(segment.SYN) {
			at++ // data in a SYN comes after it
		}
	}
	if segment.After(end, f.next) {
		f.byte += int64(end - f.next)
		f.next = end
	}
	return again, at
}

// find is the segment's flow. A SYN with another number than before starts a new one between the same ports.
func (fs flows) find(s *segment.Segment) *flow {
	pair := [2]netip.AddrPort{s.Src, s.Dst}
	f, syn := fs[pair], s.Flags.Has(segment.SYN)
	if f != nil && (!syn || f.isn == s.Seq) {
		return f
	}
	f = &flow{isn: s.Seq, next: s.Seq}
	if !syn {
		f.byte = 1 // as if the SYN had come just before
	}
	fs[pair] = f
	return f
}
