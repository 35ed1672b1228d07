package segment

import (
	"net/netip"
	"slices"
	"time"
)

// Flow follows what two addresses and ports send each other: it numbers segments from the initial sequence
// numbers of their connection, scales windows, and compares each segment with those before it. Where the same ports
// open one connection after another, each segment belongs to the one whose numbers it fits best.
//
// The zero value is ready. Segments are to be added in the order in which they were seen, at one point of the path. A
// Flow is not safe for concurrent use. It keeps nothing of the segments but numbers.
type Flow struct {
	// OneOrigin has the numbers of every connection between the two count from the initial sequence numbers of the
	// first. To be set before the first segment is added.
	OneOrigin bool

	origin       [2]half        // base alone: of the first connection, by direction
	from, to     netip.AddrPort // of the first segment: direction 0
	incarnations []*incarnation // newest last
}

// maxIncarnations is how many connections between the same ports are remembered, for their late segments.
const maxIncarnations = 4

// Seen is a segment and what its [Flow] makes of it.
type Seen struct {
	Segment Segment

	// Relative: the SYN has number 0, the first octet of data 1. Where the SYN was not seen, the first octet of the
	// first segment, or the first that it acknowledges, has number 1.
	Seq, Ack uint32

	// What Seq and Ack count from: Seq is Segment.Seq less SeqBase, modulo 2^32. OneOrigin: as [Flow.OneOrigin] asks,
	// which need not be the SYNs of the segment's own connection.
	SeqBase, AckBase uint32
	OneOrigin        bool

	Window int  // octets, if Scaled; else the number in the header
	Scaled bool // the window scale is known: both SYNs were seen, or this is one

	Analysis Analysis
}

func (s *Seen) number(fwd, rev *half) {
	s.countFrom(fwd.base, rev.base)
	s.Window, s.Scaled = fwd.windowOf(&s.Segment, rev)
}

// countFrom numbers the segment; a base of 0 leaves the numbers as they are.
func (s *Seen) countFrom(seqBase, ackBase uint32) {
	s.Seq, s.SeqBase = s.Segment.Seq-seqBase, seqBase
	if s.Segment.Flags&ACK != 0 {
		s.Ack, s.AckBase = s.Segment.Ack-ackBase, ackBase
	}
}

// Add takes the next segment, seen at a time, which only serves to tell overtaken segments from those sent again.
// A segment between other addresses is taken as if it were between the flow's; see [Flows].
func (f *Flow) Add(at time.Time, s Segment) Seen {
	dir := f.direction(&s)
	c := f.find(dir, &s)
	reused := c == nil && len(f.incarnations) > 0 && s.Flags&ACK == 0
	if c == nil {
		c = newIncarnation(f.from == f.to)
		f.incarnations = append(f.incarnations, c)
		if len(f.incarnations) > maxIncarnations {
			f.incarnations = slices.Delete(f.incarnations, 0, 1)
		}
	}
	seen := c.add(at, dir, &s)
	f.fromOrigin(dir, &seen, c.half)
	if reused {
		seen.Analysis |= ReusedPorts
	}
	return seen
}

// Relative has the numbers that a segment would have if it were added now: Seq, Ack, and its window.
func (f *Flow) Relative(s Segment) Seen {
	dir := f.direction(&s)
	var fwd, rev half
	if c := f.find(dir, &s); c != nil {
		fwd, rev = *c.half[dir], *c.half[1-dir]
	}
	fwd.start(&s)
	rev.startFromAck(&s)
	seen := Seen{Segment: s}
	seen.number(&fwd, &rev)
	if dir == 0 {
		f.fromOrigin(dir, &seen, [2]*half{&fwd, &rev})
	} else {
		f.fromOrigin(dir, &seen, [2]*half{&rev, &fwd})
	}
	return seen
}

// fromOrigin has the numbers count from the flow's first connection, with OneOrigin. The halves are those of the
// segment's own connection.
func (f *Flow) fromOrigin(dir int, s *Seen, halves [2]*half) {
	if !f.OneOrigin {
		return
	}
	for i, h := range halves {
		if !f.origin[i].based {
			f.origin[i].base, f.origin[i].based = h.base, h.based
		}
	}
	s.countFrom(f.origin[dir].base, f.origin[1-dir].base)
	s.OneOrigin = true
}

// direction is 0 for what goes the way the first segment went, and for all of a connection with oneself.
func (f *Flow) direction(s *Segment) int {
	if !f.from.IsValid() {
		f.from, f.to = s.Src, s.Dst
	}
	if s.Src == f.from && s.Dst == f.to {
		return 0
	}
	return 1
}

// find is the incarnation that the segment belongs to, nil where it opens another one or is the first.
func (f *Flow) find(dir int, s *Segment) *incarnation {
	var best *incarnation
	var least uint64
	for i := len(f.incarnations) - 1; i >= 0; i-- {
		c := f.incarnations[i]
		switch s.Flags & (SYN | ACK) {
		case SYN:
			if c.opensWith(dir, s) {
				return c
			}
		case SYN | ACK:
			if c.answersWith(dir, s) {
				return c
			}
		default:
			if d := c.distance(dir, s); best == nil || d < least {
				best, least = c, d
			}
		}
	}
	return best
}

// Flows follows any number of connections. The zero value is ready; it is not safe for concurrent use. It remembers
// every pair of ports, up to 65,536 of them; with the next one, numbering starts anew.
type Flows struct {
	OneOrigin bool // of every flow

	flows map[[2]netip.AddrPort]*Flow
}

// maxFlows bounds the memory of who watches a server for days.
const maxFlows = 1 << 16

// Add is [Flow.Add] on the flow between the segment's addresses.
func (fs *Flows) Add(at time.Time, s Segment) Seen {
	return fs.Of(s.Src, s.Dst).Add(at, s)
}

// Of is the flow between two addresses, in either order; a new one where there was none.
func (fs *Flows) Of(a, b netip.AddrPort) *Flow {
	key := [2]netip.AddrPort{a, b}
	if a.Compare(b) > 0 {
		key = [2]netip.AddrPort{b, a}
	}
	f := fs.flows[key]
	if f == nil {
		if fs.flows == nil || len(fs.flows) >= maxFlows {
			fs.flows = make(map[[2]netip.AddrPort]*Flow)
		}
		f = &Flow{OneOrigin: fs.OneOrigin}
		fs.flows[key] = f
	}
	return f
}
