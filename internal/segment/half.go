package segment

import "time"

// half is one direction of a connection: what its sender has sent.
type half struct {
	base    uint32 // relative number 0: the initial sequence number
	based   bool
	fromSYN bool // base is the SYN's number, not a guess from the first segment seen
	shift   int8 // of the SYN's window scale option, noShift without it; only with fromSYN

	next       uint32    // the expected number: one past the highest seen
	nextAt     time.Time // when it last moved
	contiguous uint32    // what can be acknowledged: one past what was seen without a gap
	nextKnown  bool

	ack        uint32 // of the last segment that had one
	ackAt      time.Time
	ackKnown   bool
	duplicates int // duplicate acknowledgments in a row

	window      uint16 // of the last segment, as in the header
	octets      int    // the same, scaled; only with scaled
	windowKnown bool
	scaled      bool

	last Analysis // of the last segment
}

const (
	noShift  = -1
	maxShift = 14 // larger window scales count as this (RFC 7323 section 2.3)
)

// start takes the numbers of the first segment of a direction. Without its SYN the first octet seen gets the
// number 1, as if the SYN had been just before it. A reset that answers a segment without ACK has number 0 by RFC 9293
// section 3.5.2: that is no number of the connection.
func (h *half) start(s *Segment) {
	switch {
	case s.Flags&SYN != 0:
		if h.based && s.Seq != h.base {
			*h = half{} // answered anew: a listener that forgot the first SYN picks another number
		}
		h.base, h.based, h.fromSYN, h.shift = s.Seq, true, true, noShift
		if shift, ok := s.Options.WindowScale(); ok {
			h.shift = int8(min(shift, maxShift))
		}
	case !h.based && (s.Flags&RST == 0 || s.Seq != 0):
		h.base, h.based = s.Seq-1, true
	}
}

// startFromAck takes the numbers of a direction from which nothing was seen yet from what the other one
// acknowledges.
func (h *half) startFromAck(s *Segment) {
	if !h.based && s.Flags&ACK != 0 {
		h.base, h.based = s.Ack-1, true
	}
}

// windowOf is the window in s, which h's sender announces, in octets; false where its scale is not known. A SYN's is
// never scaled; the others' scale takes both SYNs to know, and applies only if both had the option (RFC 7323
// section 2.2).
func (h *half) windowOf(s *Segment, other *half) (octets int, known bool) {
	switch {
	case s.Flags&SYN != 0:
		return int(s.Window), true
	case !h.fromSYN || !other.fromSYN:
		return int(s.Window), false
	case h.shift == noShift || other.shift == noShift:
		return int(s.Window), true
	}
	return int(s.Window) << h.shift, true
}

// record takes note of a segment after it was analysed.
func (h *half) record(at time.Time, s *Segment, seen *Seen) {
	a := seen.Analysis
	if a&ZeroWindowProbe == 0 || a&KeepAlive != 0 { // the octet in a probe is rarely taken, and then comes again
		h.advance(at, s.Seq, s.Seq+s.SeqLen())
	}
	if s.Flags&ACK != 0 {
		if !h.ackKnown || s.Ack != h.ack {
			h.duplicates = 0
		}
		h.ack, h.ackAt, h.ackKnown = s.Ack, at, true
	}
	if s.Flags&RST == 0 { // a reset announces no window
		h.window, h.windowKnown = s.Window, true
		h.octets, h.scaled = seen.Window, seen.Scaled
	}
	h.last = a
}

// advance moves the expected number to end, if that is further on. What closes a gap is taken to close all of them.
func (h *half) advance(at time.Time, seq, end uint32) {
	if !h.nextKnown || After(end, h.next) {
		h.next, h.nextAt = end, at
	}
	if !h.nextKnown || seq == h.contiguous {
		h.contiguous = h.next
	}
	h.nextKnown = true
}

// probeTaken counts the octet of a zero window probe after all, when s, from the other side, acknowledges it.
func (h *half) probeTaken(at time.Time, s *Segment) {
	if s.Flags&ACK != 0 && h.last&ZeroWindowProbe != 0 && h.last&KeepAlive == 0 && s.Ack == h.next+1 {
		h.advance(at, h.next, h.next+1)
	}
}

// acknowledged takes note that the other side acknowledges, in s, data that was not seen: it is said once.
func (h *half) acknowledged(s *Segment) {
	if s.Flags&ACK != 0 && h.nextKnown && After(s.Ack, h.contiguous) {
		h.contiguous = s.Ack
	}
}
