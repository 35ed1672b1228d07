// Package ladder makes a picture's model of a run: what each end did and what the kernel said of it, in the order in
// which it happened, and the segments between the two ends as arrows. Where segments were watched they are the arrows;
// elsewhere arrows are inferred from the calls and states of both ends, and say so.
package ladder

import (
	"slices"
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
	Bytes    int           // of data
	Ends     timeline.Ends // the sender's address and the receiver's, as far as they are known
	Fate     string        // as in timeline.Segment; "" is watched, or inferred
	Inferred bool
	Why      string // of an inferred one: from what
	Open     bool   // of an inferred one: it was sent, and nothing shows that it came
	timeline.Label
}

// Dashed is what a view says once, where there are arrows that were not seen.
const Dashed = "dashed: inferred from calls and from the states of both ends, not seen"

// Unshown is what a view says once, where there are arrows that are Open.
const Unshown = "an open head: sent, and nothing shows that it came"

// Bare is what a view says where there are no arrows at all.
const Bare = "no arrows: no segment was seen, and nothing here tells of the calls of one end, and the states of both"

// Of makes a ladder of the events of one run, in their order.
func Of(head Head, events []timeline.Event) *Ladder {
	l := &Ladder{Head: head}
	var arrows []inferred
	if told := toldOf(events); told.enough() {
		events = entries(events)
		arrows = infer(events, told.calls)
		l.Inferred = len(arrows) > 0
	}
	for i, e := range events {
		for ; len(arrows) > 0 && arrows[0].place <= i; arrows = arrows[1:] {
			l.Steps = append(l.Steps, arrows[0].step(events))
		}
		switch b := e.Body.(type) {
		case *timeline.Begin:
			l.Zero = e.Time
		case *timeline.Segment:
			l.Steps = append(l.Steps, Step{e, seen(b)})
			continue
		}
		l.Steps = append(l.Steps, Step{Event: e})
	}
	for _, a := range arrows {
		l.Steps = append(l.Steps, a.step(events))
	}
	return l
}

// HasOpen says whether an arrow is Open.
func (l *Ladder) HasOpen() bool {
	return slices.ContainsFunc(l.Steps, func(s Step) bool { return s.Arrow != nil && s.Arrow.Open })
}

// IsBare says whether there are no arrows.
func (l *Ladder) IsBare() bool {
	return !slices.ContainsFunc(l.Steps, func(s Step) bool { return s.Arrow != nil })
}

// step is an inferred arrow as a row, with the time of the event above it: when it was sent is not known.
func (a inferred) step(events []timeline.Event) Step {
	above := events[max(0, a.place-1)]
	return Step{timeline.Event{At: above.At, Time: above.Time, Side: a.From}, &a.Arrow}
}

// entries gives each connect() that came back a row of its own where it entered the kernel: what it sent, and what it
// waited for, stand between the two.
func entries(events []timeline.Event) (with []timeline.Event) {
	for _, e := range events {
		with = append(with, withEntry(e)...)
	}
	return with
}

// withEntry is an event, or the two of a connect().
func withEntry(e timeline.Event) []timeline.Event {
	c, ok := e.Body.(*timeline.Call)
	if !ok || c.Call != "connect" || c.Split {
		return []timeline.Event{e}
	}
	entry, back := e, *c
	entry.At, entry.Time = time.Duration(c.EnteredUS)*time.Microsecond, timeline.Entered(e, c)
	entry.Body = timeline.Alone(c)
	back.Split = true
	e.Body = &back
	return []timeline.Event{entry, e}
}

// seen is a segment that was on the wire, or passed by.
func seen(b *timeline.Segment) *Arrow {
	return &Arrow{
		From: b.From, Flags: b.Flags, Says: b.Numbers(), More: append(b.News(), b.Marks...),
		Bytes: b.Len, Ends: timeline.Ends{Local: b.Src, Remote: b.Dst}, Fate: b.Fate, Label: b.Label,
	}
}
