package observe

import (
	"fmt"
	"strings"

	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// segmentEvent is a segment as the timeline has it.
func segmentEvent(seen segment.Seen, from timeline.Side, absolute bool) *timeline.Segment {
	s := seen.Segment
	seq, ack := seen.Seq, seen.Ack
	if absolute {
		seq, ack = s.Seq, s.Ack
	}
	e := &timeline.Segment{
		Src: s.Src, Dst: s.Dst, Flags: s.Flags.Names(),
		Seq: seq, Len: s.Len(), Win: uint32(seen.Window), Unscaled: !seen.Scaled && seen.Window > 0,
		Options: s.Options.StringsRelative(ack - s.Ack), From: from,
	}
	if s.Flags.Has(segment.ACK) {
		e.Ack = &ack
	}
	describe(e, seen)
	return e
}

// describe adds what a terminal shows: what kind of segment it is and its numbers, its options but for the timestamps
// that every segment has, and what it is in the light of those before.
func describe(e *timeline.Segment, seen segment.Seen) {
	words := []string{strings.Join(e.Flags, " "), fmt.Sprintf("seq=%d", e.Seq)}
	if e.Ack != nil {
		words = append(words, fmt.Sprintf("ack=%d", *e.Ack))
	}
	if e.Len > 0 {
		words = append(words, fmt.Sprintf("len=%d", e.Len))
	}
	window := fmt.Sprintf("win=%d", e.Win)
	if e.Unscaled {
		window += "*?"
	}
	words = append(words, window)
	e.Text = strings.Join(words, " ")
	e.Shown = worthwhile(e.Options, seen.Segment)
	if names := seen.Analysis.String(); names != "" {
		e.Marks = []string{names}
	}
}

// worthwhile are the options that say something new: the timestamps of every segment do not.
func worthwhile(strings []string, s segment.Segment) (some []string) {
	i := 0
	for o := range s.Options.All() {
		if o.Kind == segment.OptNOP { // which is not among the strings
			continue
		}
		if o.Kind != segment.OptTimestamps || s.Flags.Has(segment.SYN) {
			some = append(some, strings[i])
		}
		i++
	}
	return some
}
