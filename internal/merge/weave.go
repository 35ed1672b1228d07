package merge

import (
	"time"

	"socklife/internal/timeline"
)

// weave puts both sides into one order: that of their times and, where those gainsay it, of cause and effect. Within a
// side nothing changes places.
func weave(client, server *lane, needs []need) (all []*item) {
	for _, n := range needs {
		n.effect.needs = append(n.effect.needs, n.cause)
	}
	c, s := client.items, server.items
	for len(c)+len(s) > 0 {
		from := &c
		switch {
		case len(c) == 0:
			from = &s
		case len(s) == 0:
		default:
			first, second := &c, &s
			if s[0].Time.Before(c[0].Time) {
				first, second = &s, &c
			}
			if from = first; (*first)[0].tooEarly() && !(*second)[0].tooEarly() {
				from = second
			}
		}
		it := (*from)[0]
		*from = (*from)[1:]
		it.placed = true
		all = append(all, it)
	}
	return inTime(all)
}

// tooEarly: what has brought it about is still to come.
func (it *item) tooEarly() bool {
	for _, cause := range it.needs {
		if !cause.placed {
			return true
		}
	}
	return false
}

// inTime leaves out what is hidden, and entries of calls between which and their returns nothing came. No time is less
// than the one above: what cannot be so by its own clock says how much earlier it was.
func inTime(all []*item) (shown []*item) {
	var above time.Time
	for _, it := range all {
		if it.hidden {
			continue
		}
		if it.Time.Before(above) {
			it.Late += above.Sub(it.Time)
			it.Time = above
		}
		above = it.Time
		if n := len(shown); n > 0 && shown[n-1] == it.enter && it.enter.within {
			shown = shown[:n-1]
		}
		shown = append(shown, it)
	}
	return shown
}

// number makes events of the items: with numbers, identities and times of the one run that they are now.
func number(note string, all []*item, summary *timeline.Summary) (events []timeline.Event) {
	type whose struct {
		lane *lane
		n    int64
	}
	ids, socks := map[whose]int64{}, map[whose]int{}
	id := func(l *lane, n int64) int64 {
		k := whose{l, n}
		if ids[k] == 0 {
			ids[k] = int64(len(ids) + 1)
		}
		return ids[k]
	}
	sock := func(l *lane, n int) int {
		k := whose{l, int64(n)}
		if n != 0 && socks[k] == 0 {
			socks[k] = len(socks) + 1
		}
		return socks[k]
	}
	var zero time.Time
	add := func(e timeline.Event) {
		if e.Seq = int64(len(events) + 1); e.Seq == 1 {
			zero = e.Time
		}
		if _, ok := e.Body.(*timeline.Begin); ok {
			zero = e.Time
		}
		e.At = e.Time.Sub(zero)
		events = append(events, e)
	}
	stands := map[*item]bool{}
	for _, it := range all {
		stands[it] = true
	}
	for i, it := range all {
		if i == 0 {
			at := it.Time
			if it.enter != nil && it.enter.Time.Before(at) {
				at = it.enter.Time
			}
			add(timeline.Event{Time: at, Side: timeline.Wire, Body: &timeline.Note{Text: note}})
		}
		e := it.Event
		switch b := e.Body.(type) {
		case *timeline.Begin:
			zero = e.Time
		case *timeline.Enter:
			enter := *b
			enter.ID, enter.Socket = id(it.lane, b.ID), sock(it.lane, b.Socket)
			e.Body = &enter
		case *timeline.Call:
			call := *b
			call.ID, call.Socket, call.NewSocket = id(it.lane, b.ID), sock(it.lane, b.Socket), sock(it.lane, b.NewSocket)
			call.Split, call.EnteredUS = stands[it.enter], it.enter.Time.Sub(zero).Microseconds()
			e.Body = &call
		case *timeline.State:
			state := *b
			state.Socket = sock(it.lane, b.Socket)
			e.Body = &state
		case *timeline.Queue:
			queue := *b
			queue.Socket = sock(it.lane, b.Socket)
			e.Body = &queue
		}
		add(e)
	}
	if n := len(events); summary != nil && n > 0 {
		add(timeline.Event{Time: events[n-1].Time, Side: timeline.Client, Body: summary})
	}
	return events
}
