package ladder

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// sides are some of both.
type sides map[timeline.Side]bool

// told is what the events of a run are about: whose calls are told, whose states are, and whether segments were seen.
type told struct {
	calls, states sides
	segments      bool
}

func toldOf(events []timeline.Event) told {
	t := told{calls: sides{}, states: sides{}}
	for _, e := range events {
		t.take(e)
	}
	return t
}

func (t *told) take(e timeline.Event) {
	switch e.Body.(type) {
	case *timeline.Enter, *timeline.Call:
		t.calls[e.Side] = true
	case *timeline.State:
		t.states[e.Side] = true
	case *timeline.Segment:
		t.segments = true
	}
}

// enough says whether there is something to infer from: no segments, but the calls of an end at least, and states of
// both.
func (t *told) enough() bool {
	return !t.segments && (t.calls[timeline.Client] || t.calls[timeline.Server]) && t.states[timeline.Client] && t.states[timeline.Server]
}

// inferred is an arrow with its place: above the event with that index. It was sent by the event cause, or after it
// (-1: not known by which), and had come by the event shown.
type inferred struct {
	Arrow
	place, cause, shown int
	is                  identity
}

// identity tells an arrow from the others of its run, however much of the run is known: it is the nth of its kind that
// this side of that connection has sent.
type identity struct {
	connection int
	from       timeline.Side
	kind       string
	nth        int
}

// inference goes through the events of a run and concludes which segments must have been between the ends. Each arrow
// has evidence that it came, or, of one that is Open, that it was sent; what has none is not drawn.
type inference struct {
	events []timeline.Event
	cast   *cast
	calls  sides
	arrows []inferred
	drawn  map[identity]int

	at  int    // the event that is the evidence
	why string // in words
}

// progress is what is known of an end, as far as the events have been read.
type progress struct {
	state   tcpinfo.State
	retrans bool // its SYN was sent again

	syn, synAck, ack, fin, finAcked, rst bool // that it sent, and that is drawn
	synAckAt                             int  // and where

	sent     int           // bytes that its calls have written
	inFlight map[int64]int // and those of calls that have not returned
	drawn    int           // bytes of which it is known that they came
	got      int           // bytes that its calls have read

	ending     int // the event in which the call entered that ended its sending; 0: none has
	shutRead   bool
	errored    bool // a call has told of a reset: that read() gives 0 means no FIN any more
	synSent    bool
	synSentWhy string
}

// infer concludes the arrows of a run, in the order of their places.
func infer(events []timeline.Event, calls sides) []inferred {
	in := &inference{events: events, cast: castOf(events), calls: calls, drawn: map[identity]int{}}
	for i, ev := range events {
		in.at = i
		if e := in.cast.accepted[i]; e != nil && e.peer != nil {
			in.why = said(ev.Body.(*timeline.Call))
			in.wasAccepted(e)
		}
		e := in.cast.of[i]
		if e == nil || e.peer == nil || e.listens {
			continue
		}
		switch b := ev.Body.(type) {
		case *timeline.Enter:
			in.enters(e, b)
		case *timeline.Call:
			in.why = said(b)
			in.returns(e, b)
		case *timeline.State:
			in.why = fmt.Sprintf("the %s's %s", e.side, b.To)
			in.isIn(e, b)
		}
	}
	in.unanswered()
	slices.SortStableFunc(in.arrows, func(a, b inferred) int { return cmp.Compare(a.place, b.place) })
	return in.arrows
}

// kindData is data, of however many bytes.
const kindData = "data"

// draw draws a segment above the evidence.
func (in *inference) draw(from *end, cause int, kind, says string, flags ...string) *inferred {
	is := identity{connection: from.connection(), from: from.side, kind: kind}
	in.drawn[is]++
	is.nth = in.drawn[is]
	in.arrows = append(in.arrows, inferred{
		Arrow: Arrow{From: from.side, Flags: flags, Says: says, Inferred: true, Why: "from " + in.why, Label: from.label, Ends: from.ends},
		place: in.at, cause: cause, shown: in.at, is: is,
	})
	return &in.arrows[len(in.arrows)-1]
}

// aSecond is when the kernel sends a SYN again.
const aSecond = 900 * time.Millisecond

// sentSYN: the SYN of e has come. It left when connect() entered, unless it was sent again.
func (in *inference) sentSYN(e *end) {
	if e.syn || e.entered < 0 {
		return
	}
	e.syn = true
	again := e.retrans || in.events[in.at].At-in.events[e.entered].At > aSecond
	if e.retrans {
		in.openSYN(e)
	}
	if a := in.draw(e, e.entered, "SYN", "SYN", "SYN"); !again {
		a.place = e.entered + 1
	}
}

// openSYN is one of which nothing shows that it came.
func (in *inference) openSYN(e *end) {
	at, why := in.at, in.why
	in.why = e.synSentWhy
	a := in.draw(e, e.entered, "SYN", "SYN", "SYN")
	a.Open, a.place, a.shown = true, e.entered+1, len(in.events)
	in.at, in.why = at, why
}

// unanswered are SYNs that were sent, and of which nothing more is known.
func (in *inference) unanswered() {
	for _, e := range in.cast.all {
		if e.peer != nil && e.entered >= 0 && !e.syn && e.synSent {
			in.at = e.entered + 1
			in.openSYN(e)
		}
	}
}

// connected: e, which has connected, has the other end's SYN and the acknowledgement of its own.
func (in *inference) connected(e *end) {
	p := e.peer
	switch {
	case p.entered >= 0: // both connect: simultaneous open
		in.sentSYN(e)
		in.sentSYN(p)
		if p.state == tcpinfo.SynReceived || p.synAck {
			in.sentSYNACK(p)
		}
	case p.connects: // so does this one, of which there are no calls
		in.sentSYN(e)
	case p.first != e.first || in.cast.listened(e):
		in.sentSYN(e)
		in.sentSYNACK(p)
	}
}

func (in *inference) sentSYNACK(e *end) {
	if !e.synAck {
		e.synAck = true
		e.synAckAt = in.draw(e, e.peer.entered, "SYN ACK", "SYN ACK", "SYN", "ACK").place
	}
}

// wasAccepted: e, whose listener has answered for it, is ESTABLISHED, so the last of the three segments has come.
func (in *inference) wasAccepted(e *end) {
	p := e.peer
	if e.entered >= 0 || p.entered < 0 || p.ack {
		return
	}
	in.sentSYN(p)
	in.sentSYNACK(e)
	p.ack = true
	a := in.draw(p, p.entered, "ACK", "ACK", "ACK")
	a.place = min(a.place, cmp.Or(e.synAckAt, a.place)) // the kernel sends it at once, before connect() returns
}

// came: so many bytes of what e has sent have come to the other end.
func (in *inference) came(e *end, total int) {
	bound := e.sent
	for _, n := range e.inFlight {
		bound += n
	}
	if !in.calls[e.side] {
		bound = total
	}
	n := min(total, bound) - e.drawn
	if n <= 0 || e.fin || e.rst {
		return
	}
	e.drawn += n
	unit := " bytes"
	if n == 1 {
		unit = " byte"
	}
	in.draw(e, -1, kindData, fmt.Sprint(n, unit), "ACK").Bytes = n
}

// sentFIN: the FIN of e has come, and so has all that it sent before.
func (in *inference) sentFIN(e *end) {
	if e.fin || e.rst {
		return
	}
	in.came(e, e.sent)
	e.fin = true
	in.draw(e, cmp.Or(e.ending, -1), "FIN", "FIN", "FIN", "ACK")
}

// ackedFIN: the acknowledgement of e's FIN has come to it.
func (in *inference) ackedFIN(e *end) {
	if e.fin && !e.finAcked && !e.rst && !e.peer.rst {
		e.finAcked = true
		in.draw(e.peer, -1, "ACK of FIN", "ACK", "ACK")
	}
}

// sentRST: the RST of e has come.
func (in *inference) sentRST(e *end) {
	if !e.rst {
		e.rst = true
		in.draw(e, -1, "RST", "RST", "RST")
	}
}

// aborted: e has sent RST. That it came is shown further down, or nowhere.
func (in *inference) aborted(e *end) {
	if !e.rst {
		in.sentRST(e)
		a := &in.arrows[len(in.arrows)-1]
		a.Open, a.cause, a.shown = !e.peer.reset, cmp.Or(e.ending, -1), len(in.events)
	}
}
