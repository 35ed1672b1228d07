package view

import (
	"fmt"

	"socklife/internal/timeline"
)

// bulk is a burst of segments that carry data and acknowledge it, and nothing else: the first few tell the story, the
// others are counted.
type bulk struct {
	run     int // how long the burst is
	skipped int // of these, not shown
	bytes   map[timeline.Side]int
}

// bulkShown is how many segments of a burst are shown.
const bulkShown = 3

// takes tells whether a segment is counted instead of shown.
func (b *bulk) takes(s *timeline.Segment) bool {
	if b.run++; b.run <= bulkShown {
		return false
	}
	if b.bytes == nil {
		b.bytes = map[timeline.Side]int{}
	}
	b.skipped++
	b.bytes[s.From] += s.Len
	return true
}

// ordinary: no flag but ACK and PSH, nothing remarkable about it, and nobody interfered.
func ordinary(s *timeline.Segment) bool {
	for _, f := range s.Flags {
		if f != "ACK" && f != "PSH" {
			return false
		}
	}
	return (s.Fate == "" || s.Fate == delivered) && len(s.Marks) == 0
}

// endBulk tells what was counted, and ends the burst.
func (t *Terminal) endBulk() {
	b := t.bulk
	t.bulk = bulk{}
	if b.skipped == 0 {
		return
	}
	says := fmt.Sprintf("%s %s", t.s.more, plural(b.skipped, "more segment"))
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		if n := b.bytes[side]; n > 0 {
			says += fmt.Sprintf(", %d bytes from the %s", n, side)
		}
	}
	t.across("", wrap(text(nil).add(dim, says), t.l.fullWidth(), 0, 2))
}
