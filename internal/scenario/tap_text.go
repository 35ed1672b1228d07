package scenario

import (
	"fmt"
	"strings"

	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// segmentText is a segment in one line: what kind it is, its numbers, its options, and what it is in the light of those before.
func segmentText(e *timeline.Segment, seen segment.Seen) string {
	words := []string{strings.Join(e.Flags, " "), fmt.Sprintf("seq=%d", e.Seq)}
	if e.Ack != nil {
		words = append(words, fmt.Sprintf("ack=%d", *e.Ack))
	}
	if e.Len > 0 {
		words = append(words, fmt.Sprintf("len=%d", e.Len))
	}
	words = append(words, fmt.Sprintf("win=%d", e.Win))
	if o := interesting(seen.Segment); o != "" {
		words = append(words, "<"+o+">")
	}
	if names := seen.Analysis.String(); names != "" {
		words = append(words, "["+names+"]")
	}
	return strings.Join(words, " ")
}

// interesting are the options that say something new: the timestamps and padding of every segment do not.
func interesting(s segment.Segment) string {
	var list []string
	for o := range s.Options.All() {
		if o.Kind == segment.OptNOP || (o.Kind == segment.OptTimestamps && !s.Flags.Has(segment.SYN)) {
			continue
		}
		list = append(list, o.String())
	}
	return strings.Join(list, ", ")
}
