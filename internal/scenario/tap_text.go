package scenario

import (
	"fmt"
	"strings"

	"socklife/internal/segment"
	"socklife/internal/timeline"
)

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
