package ladder

import (
	"slices"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Live infers the arrows of a run while it goes on. It gives every event back, in their order, with the arrows between
// them. An arrow stands above the first event that shows that it was sent, or came; a few events are kept back until
// what shows it is there: a connect() that succeeded, and the end of a connection.
type Live struct {
	events []timeline.Event // of the run so far; a connect() has an entry of its own
	told   told
	given  int // so many of the events have been given back
	kept   []keep
	drawn  map[identity]bool
	last   map[int]identity      // the arrow of a connection that was drawn last
	inside map[timeline.Side]int // so many connect() have entered and not returned
	over   bool                  // nothing more is inferred in this run
}

// NewLive is ready for a run.
func NewLive() *Live {
	return &Live{told: toldOf(nil), drawn: map[identity]bool{}, last: map[int]identity{}, inside: map[timeline.Side]int{}}
}

// Row is an event or, where Body is nil, an arrow.
type Row struct {
	Step
	Since time.Time // of an arrow: it was not sent before this; the zero Time if that is not known
	is    identity
}

// keep is an event that waits for what shows an arrow of that kind above it.
type keep struct {
	at   int
	kind string
	of   timeline.Side // until the next call of this side; "": of any
}

// tooLong is how many events of a run are looked at: each of them is held against all that came before.
const tooLong = 1000

// mostKept is how many events are kept back at most.
const mostKept = 32

// Next takes the next event, and gives back what can be shown by now.
func (l *Live) Next(e timeline.Event) []Row {
	if _, begins := e.Body.(*timeline.Begin); begins {
		return append(l.Flush(), l.begin(e)...)
	}
	if _, is := e.Body.(*timeline.Segment); is || len(l.events) >= tooLong {
		rows := l.Flush()
		l.over = true
		return append(rows, Row{Step: Step{Event: e}})
	}
	if l.over {
		return []Row{{Step: Step{Event: e}}}
	}
	shows, isCall := evident(e)
	if isCall && !opens(e) { // what waits for a call has waited
		l.kept = slices.DeleteFunc(l.kept, func(k keep) bool { return k.of == "" || k.of == e.Side })
	}
	l.take(e)
	if !shows && len(l.kept) == 0 {
		return l.give(len(l.events), nil)
	}
	arrows := l.infer()
	l.kept = slices.DeleteFunc(l.kept, func(k keep) bool { return l.shows(arrows, k) })
	if len(l.kept) == 0 {
		return l.give(len(l.events), arrows)
	}
	if len(l.events)-l.kept[0].at > mostKept {
		return l.Flush()
	}
	return l.give(l.kept[0].at, arrows)
}

// Flush gives back what was kept.
func (l *Live) Flush() []Row {
	if l.given == len(l.events) {
		return nil
	}
	l.kept = nil
	return l.give(len(l.events), l.infer())
}

// infer is what is known so far.
func (l *Live) infer() []inferred {
	if !l.told.enough() {
		return nil
	}
	return infer(l.events, l.told.calls)
}

// Keeps says whether there is any.
func (l *Live) Keeps() bool { return l.given < len(l.events) }

// begin is the next run. What came before the first one, a server's listener, is a part of it.
func (l *Live) begin(e timeline.Event) []Row {
	if slices.ContainsFunc(l.events, func(e timeline.Event) bool { return e.Body.Kind() == "begin" }) {
		calls := l.told.calls
		*l = *NewLive()
		l.told.calls = calls
	}
	l.events = append(l.events, e)
	return l.give(len(l.events), nil)
}

// take takes note of an event, and of whether it has to wait.
func (l *Live) take(e timeline.Event) {
	l.told.take(e)
	l.events = append(l.events, withEntry(e)...)
	at := len(l.events) - 1
	switch b := e.Body.(type) {
	case *timeline.Enter:
		if b.Call == "connect" {
			l.inside[e.Side]++
		}
	case *timeline.Call:
		if b.Call == "connect" && b.Split {
			l.inside[e.Side]--
		}
		if b.Call == "connect" && b.Errno == "" {
			if !b.Split {
				at-- // its entry
			}
			l.kept = append(l.kept, keep{at, "ACK", e.Side})
		}
		if b.Call == "accept4" && b.Ret >= 0 { // whose connection it is, its state tells
			l.kept = append(l.kept, keep{at, "ACK", e.Side})
		}
	case *timeline.State:
		switch {
		case b.From == 0 && b.To == tcpinfo.Established && l.inside[e.Side.Other()] > 0: // whose address is not known yet
			l.kept = append(l.kept, keep{at, "ACK", e.Side.Other()})
		case b.From != 0 && b.To == tcpinfo.Established && l.inside[e.Side] > 0: // and nobody has seen the other end yet
			l.kept = append(l.kept, keep{at, "ACK", e.Side})
		case b.To != tcpinfo.Closed || b.From == 0 || b.From == tcpinfo.Closed:
		case b.How == timeline.EndedAbort:
			l.kept = append(l.kept, keep{at, "RST", ""})
		case !b.How.Aborted() && (b.From == tcpinfo.LastAck || b.From == tcpinfo.CloseWait):
			l.kept = append(l.kept, keep{at, "ACK of FIN", ""})
		}
	}
}

// evident says whether an event may show an arrow, and whether it is a call's.
func evident(e timeline.Event) (evident, isCall bool) {
	switch b := e.Body.(type) {
	case *timeline.Enter:
		return false, true
	case *timeline.Call:
		return opens(e) || b.Call == "getsockopt" || isRead(b.Call) || b.Errno != "", true
	case *timeline.State:
		return true, false
	}
	return false, false
}

// opens says whether a call has returned that is a part of a handshake.
func opens(e timeline.Event) bool {
	c, is := e.Body.(*timeline.Call)
	return is && (c.Call == "connect" || c.Call == "accept4")
}

// shows says whether there is an arrow that an event was kept back for.
func (l *Live) shows(arrows []inferred, k keep) bool {
	return slices.ContainsFunc(arrows, func(a inferred) bool {
		return a.is.kind == k.kind && !a.Open && a.place <= k.at+1 && !l.drawn[a.is] && !l.late(a)
	})
}

// give gives back the events up to one, with the arrows above them.
func (l *Live) give(upTo int, arrows []inferred) (rows []Row) {
	for ; l.given < upTo; l.given++ {
		for _, a := range arrows {
			if a.place <= l.given {
				rows = append(rows, l.draw(a)...)
			}
		}
		rows = append(rows, Row{Step: Step{Event: l.events[l.given]}})
	}
	return rows
}

// late says whether what shows an arrow stands above already.
func (l *Live) late(a inferred) bool { return a.shown < l.given }

// draw gives an arrow back, once, unless it is too late for it. Of data that goes on in the same direction the first
// one stands for all.
func (l *Live) draw(a inferred) []Row {
	if l.drawn[a.is] {
		return nil
	}
	if l.late(a) || a.is.kind == "ACK" && !l.drawn[identity{a.is.connection, a.is.from.Other(), "SYN ACK", 1}] {
		return nil
	}
	before := l.last[a.is.connection]
	if l.drawn[a.is] = true; a.is.kind != "ACK of FIN" { // which comes in the middle of data
		l.last[a.is.connection] = a.is
	}
	if a.is.kind == kindData {
		if a.Says = "data"; before.kind == kindData && before.from == a.is.from {
			return nil
		}
	}
	row := Row{Step: a.step(l.events), is: a.is}
	if a.cause >= 0 {
		row.Since = l.events[a.cause].Time
		if c, ok := l.events[a.cause].Body.(*timeline.Call); ok {
			row.Since = timeline.Entered(l.events[a.cause], c)
		}
	}
	return []Row{row}
}
