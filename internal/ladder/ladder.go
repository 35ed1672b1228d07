// Package ladder makes a picture's model of a run: what each end did and what the kernel said of it, in the order in
// which it happened, and the segments between the two ends as arrows. Where segments were watched they are the arrows;
// elsewhere arrows are inferred from the calls and states of both ends, and say so.
package ladder

import (
	"time"

	"socklife/internal/timeline"
)

// Head is what stands above a run.
type Head struct {
	Title  string // the scenario: half-close
	Lesson string // what it shows
	Ref    string // where that is written: RFC 9293 3.6

	ClientLabel, ServerLabel string // what the two columns are called; "" is client and server
}

// Ladder is a run.
type Ladder struct {
	Head
	Zero     time.Time // time 0 of the run
	Steps    []Step
	Inferred bool // there are arrows that were not seen
}

// Step is one row: an event or, where Body is nil, an arrow that was inferred between two events.
type Step struct {
	timeline.Event
	Arrow *Arrow // nil of what is no segment
}

// Arrow is a segment from one end to the other.
type Arrow struct {
	From     timeline.Side // Client or Server
	Flags    []string      // of SYN, ACK, FIN, RST, PSH, URG, …
	Says     string        // what stands on it: "SYN seq=0 win=64240"; of an inferred one without numbers: "SYN", "5 bytes"
	More     []string      // what stands below where there is room: options, marks
	Fate     string        // as in timeline.Segment; "" is watched, or inferred
	Inferred bool
	Why      string // of an inferred one: from what
}

// Of makes a ladder of the events of one run, in their order.
func Of(head Head, events []timeline.Event) *Ladder {
	l := &Ladder{Head: head}
	for _, e := range events {
		switch b := e.Body.(type) {
		case *timeline.Begin:
			l.Zero = e.Time
		case *timeline.Segment:
			l.Steps = append(l.Steps, Step{e, seen(b)})
			continue
		}
		l.Steps = append(l.Steps, Step{Event: e})
	}
	return l
}

// seen is a segment that was on the wire, or passed by.
func seen(b *timeline.Segment) *Arrow {
	return &Arrow{From: b.From, Flags: b.Flags, Says: b.Numbers(), More: append(b.News(), b.Marks...), Fate: b.Fate}
}
