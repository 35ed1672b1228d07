package segment

import "time"

// incarnation is one connection between two ports. The same ports can have had others before (RFC 9293 section 3.4.3),
// whose late segments still arrive.
type incarnation struct {
	half  [2]*half      // by direction; one and the same for a connection with oneself
	synAt time.Time     // of the last SYN without ACK
	synBy int           // the direction it came from
	rtt   time.Duration // of the handshake, 0 where not seen
	over  bool          // a reset was seen
}

func newIncarnation(self bool) *incarnation {
	c := &incarnation{half: [2]*half{{}, {}}}
	if self {
		c.half[1] = c.half[0]
	}
	return c
}

// opensWith reports whether a SYN without ACK belongs to the incarnation: its own SYN once more, or the second one
// of a simultaneous open (RFC 9293 section 3.5, figure 7).
func (c *incarnation) opensWith(dir int, s *Segment) bool {
	own, other := c.half[dir], c.half[1-dir]
	if own.based {
		return own.fromSYN && own.base == s.Seq
	}
	return other.fromSYN && !c.over && !other.ackKnown
}

// answersWith reports whether a SYN with ACK belongs to the incarnation: it acknowledges the SYN of the other side
// (and with it data, if it was a fast open).
func (c *incarnation) answersWith(dir int, s *Segment) bool {
	own, other := c.half[dir], c.half[1-dir]
	if !other.fromSYN {
		return own.fromSYN && own.base == s.Seq
	}
	return After(s.Ack, other.base) && !After(s.Ack, other.next)
}

// distance is how far the segment is from what the incarnation's next ones should be like.
func (c *incarnation) distance(dir int, s *Segment) uint64 {
	const unknown = 1 << 30 // as far as a random number is from another, on average
	var d uint64
	own, other := c.half[dir], c.half[1-dir]
	switch {
	case own.nextKnown:
		d = uint64(distance(s.Seq, own.next))
	case other.ackKnown:
		d = uint64(distance(s.Seq, other.ack))
	case s.Flags&RST == 0 || s.Seq != 0:
		d = unknown
	}
	switch {
	case s.Flags&ACK == 0:
	case other.nextKnown:
		d += uint64(distance(s.Ack, other.next))
	default:
		d += unknown
	}
	return d
}

// add judges a segment of the incarnation and takes note of it.
func (c *incarnation) add(at time.Time, dir int, s *Segment) Seen {
	fwd, rev := c.half[dir], c.half[1-dir]
	seen := Seen{Segment: *s}
	fwd.start(s)
	rev.startFromAck(s)
	seen.number(fwd, rev)

	rev.probeTaken(at, s)
	l := newLook(at, s, fwd, rev, c.rtt)
	seen.Analysis = l.analysis()
	if seen.Analysis&DuplicateAck != 0 {
		fwd.duplicates++
	}
	fwd.record(at, s, &seen)
	rev.acknowledged(s)
	c.note(at, dir, &seen)
	return seen
}

// note measures the round trip time from the SYN to the ACK that ends the handshake, and sees a reset.
func (c *incarnation) note(at time.Time, dir int, seen *Seen) {
	switch seen.Segment.Flags & (SYN | ACK | RST) {
	case SYN:
		c.synAt, c.synBy = at, dir
	case ACK:
		if dir == c.synBy && seen.Seq == 1 && seen.Ack == 1 && c.rtt == 0 && !c.synAt.IsZero() {
			c.rtt = at.Sub(c.synAt)
		}
	case RST, RST | ACK:
		c.over = true
	}
}
