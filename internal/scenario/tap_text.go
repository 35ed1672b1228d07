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
	window := fmt.Sprintf("win=%d", e.Win)
	if e.Unscaled {
		window += "*?"
	}
	words = append(words, window)
	if o := interesting(e.Options, seen.Segment.Flags.Has(segment.SYN)); len(o) > 0 {
		words = append(words, "<"+strings.Join(o, ", ")+">")
	}
	if names := seen.Analysis.String(); names != "" {
		words = append(words, "["+names+"]")
	}
	return strings.Join(words, " ")
}

// interesting are the options that say something new: the timestamps of every segment do not.
func interesting(options []string, syn bool) (some []string) {
	for _, o := range options {
		if syn || !strings.HasPrefix(o, "TS ") {
			some = append(some, o)
		}
	}
	return some
}
