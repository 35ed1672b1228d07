package merge

import (
	"slices"

	"socklife/internal/timeline"
)

// runs are those of a server, one after the other, each with what came before it and is about its sockets: its listener
// may be older than the run, and its client may have come while the run before was ending. The plain server has one.
func runs(s *half) (list [][]timeline.Event) {
	var before, now []timeline.Event
	known := map[int]bool{} // sockets of the runs before
	end := func() {
		list = append(list, run(before, now, known))
		for _, e := range now {
			if own, _ := sockets(e.Body); own != 0 {
				known[own] = true
			}
			if prepares(e.Body) || outlives(e.Body) || e.Body.Kind() == "state" {
				before = append(before, e)
			}
		}
		now = nil
	}
	for _, e := range s.events {
		now = append(now, e)
		if _, ends := e.Body.(*timeline.Summary); ends {
			end()
		}
	}
	if slices.ContainsFunc(now, func(e timeline.Event) bool { return e.Body.Kind() == "begin" }) || len(list) == 0 {
		end()
	}
	return list
}

// run is one with what belongs to it of those before: what is about sockets that it makes calls on, or that are new.
func run(before, now []timeline.Event, known map[int]bool) (all []timeline.Event) {
	used, returns := map[int]bool{}, map[int64]bool{}
	for _, e := range now {
		own, made := sockets(e.Body)
		if c, ok := e.Body.(*timeline.Call); ok {
			returns[c.ID], used[own], used[made] = true, true, true
		} else if !known[own] {
			used[own] = true
		}
	}
	delete(used, 0)
	for _, e := range before {
		if c, ok := e.Body.(*timeline.Call); ok && used[c.Socket] {
			returns[c.ID] = true
		}
	}
	for _, e := range before {
		if own, _ := sockets(e.Body); used[own] && (prepares(e.Body) || e.Body.Kind() == "state") || isEnter(e.Body, returns) {
			all = append(all, e)
		}
	}
	for _, e := range now {
		if own, _ := sockets(e.Body); own == 0 || used[own] {
			all = append(all, e)
		}
	}
	return all
}

// preparing are the calls that make a listener.
var preparing = []string{"socket", "setsockopt", "bind", "listen", "getsockname"}

// prepares: an event of a listener that later runs have, too.
func prepares(b timeline.Body) bool {
	switch b := b.(type) {
	case *timeline.Call:
		return slices.Contains(preparing, b.Call)
	case *timeline.State:
		return !b.Remote.IsValid()
	}
	return false
}

// outlives: the entry of a call that may return in a later run, or that makes a listener which others have, too.
func outlives(b timeline.Body) bool {
	e, ok := b.(*timeline.Enter)
	return ok && (e.Call == "accept4" || slices.Contains(preparing, e.Call))
}

// isEnter: the entry of one of these calls.
func isEnter(b timeline.Body, calls map[int64]bool) bool {
	e, ok := b.(*timeline.Enter)
	return ok && calls[e.ID]
}

// sockets are the numbers of the one that an event is about, and of the one that it made.
func sockets(b timeline.Body) (own, made int) {
	switch b := b.(type) {
	case *timeline.Enter:
		return b.Socket, 0
	case *timeline.Call:
		return b.Socket, b.NewSocket
	case *timeline.State:
		return b.Socket, 0
	case *timeline.Queue:
		return b.Socket, 0
	}
	return 0, 0
}

// ofConnections leaves of the plain server's events those of the client's connections, and of the listener that they
// came through.
func ofConnections(all []timeline.Event, client []timeline.Ends) (kept []timeline.Event) {
	theirs := map[timeline.Ends]bool{}
	for _, e := range client {
		theirs[e.Other()] = true
	}
	used, listeners, returns := map[int]bool{}, map[int]bool{}, map[int64]bool{}
	for _, e := range all {
		if b, ok := e.Body.(*timeline.State); ok && theirs[b.Ends()] {
			used[b.Socket] = true
		}
	}
	for _, e := range all {
		if b, ok := e.Body.(*timeline.Call); ok && used[b.NewSocket] {
			listeners[b.Socket] = true
		}
	}
	mine := func(e timeline.Event) bool {
		switch own, made := sockets(e.Body); {
		case used[own] || used[made]:
			return true
		case listeners[own]:
			return prepares(e.Body)
		}
		b, ok := e.Body.(*timeline.Segment)
		return ok && (theirs[timeline.Between(b.Src, b.Dst)] || theirs[timeline.Between(b.Dst, b.Src)])
	}
	for _, e := range all {
		if b, ok := e.Body.(*timeline.Call); ok && mine(e) {
			returns[b.ID] = true
		}
	}
	for _, e := range all {
		if _, enter := e.Body.(*timeline.Enter); isEnter(e.Body, returns) || !enter && mine(e) {
			kept = append(kept, e)
		}
	}
	return kept
}

// own are the events of a record that its side has to tell: what is seen of the other side is in the other record, by
// whom it is about (a check that failed is kept: it is why the run did), and of the run's beginning and end there is
// one each.
func own(h *half, events []timeline.Event) (kept []timeline.Event) {
	for _, e := range events {
		switch b := e.Body.(type) {
		case *timeline.State, *timeline.Queue:
			if e.Side != h.side {
				continue
			}
		case *timeline.Check:
			if e.Side == h.side.Other() && b.OK {
				continue
			}
		case *timeline.Begin:
			if h.side == timeline.Server {
				continue
			}
		case *timeline.Summary:
			continue
		}
		kept = append(kept, e)
	}
	return kept
}
