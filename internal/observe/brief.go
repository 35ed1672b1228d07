package observe

import (
	"fmt"
	"slices"
	"strings"

	"socklife/internal/lab"
	"socklife/internal/timeline"
)

// Brief is a packet in a few words: its flags and numbers, and what is remarkable. Line has its window and options too.
func (l *SegmentLog) Brief(p lab.Packet) string {
	e := l.numbered(p)
	words := append(slices.Clone(e.Flags), fmt.Sprintf("seq=%d", e.Seq))
	if e.Ack != nil {
		words = append(words, fmt.Sprintf("ack=%d", *e.Ack))
	}
	if e.Len > 0 {
		words = append(words, fmt.Sprintf("len=%d", e.Len))
	}
	for _, m := range e.Marks {
		words = append(words, "["+m+"]")
	}
	return strings.Join(words, " ")
}

// numbered is a packet as the timeline has it, or will have it.
func (l *SegmentLog) numbered(p lab.Packet) *timeline.Segment {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen, known := l.first[p.ID]
	if !known {
		seen = l.flows.Of(p.Segment.Src, p.Segment.Dst).Relative(p.Segment)
	}
	return l.event(p, seen)
}
