package merge

import (
	"slices"
	"time"

	"socklife/internal/timeline"
)

// item is an event of one side, on its way into the order of both.
type item struct {
	timeline.Event
	lane   *lane
	enter  *item   // of a call: where it was entered
	within bool    // the entry of a call in whose event it stands, as nothing came between
	hidden bool    // the other record has it, too
	needs  []*item // of the other side: what has brought this about
	placed bool
}

// lane is one side's record.
type lane struct {
	side  timeline.Side
	items []*item
	socks map[int]*socket
	order []*socket // in which they were first seen
}

// socket is one of a side's, and what happened to it, in order.
type socket struct {
	ends     []timeline.Ends // of its connections
	calls    []*item
	states   []*item
	accepted *item // the call that returned it
}

// newLane makes an item of each event, and one of each call's entry.
func newLane(side timeline.Side, events []timeline.Event) *lane {
	l := &lane{side: side, socks: map[int]*socket{}}
	entered := map[int64]*item{}
	for _, e := range events {
		it := &item{Event: e, lane: l}
		switch b := e.Body.(type) {
		case *timeline.Enter:
			entered[b.ID] = it
		case *timeline.Call:
			if it.enter = entered[b.ID]; it.enter == nil {
				it.enter = &item{Event: timeline.Event{Time: l.entered(e, b), Side: e.Side, Body: timeline.Alone(b)}, lane: l, within: true}
				l.items = append(l.items, it.enter)
			}
			delete(entered, b.ID)
		}
		l.items = append(l.items, it)
		l.know(it)
	}
	return l
}

// entered is when a call was entered whose entry is no event: not before what stands above it.
func (l *lane) entered(e timeline.Event, b *timeline.Call) time.Time {
	at := timeline.Entered(e, b)
	if n := len(l.items); n > 0 && at.Before(l.items[n-1].Time) {
		at = l.items[n-1].Time
	}
	if at.After(e.Time) {
		at = e.Time
	}
	return at
}

// know keeps what happened to which socket.
func (l *lane) know(it *item) {
	own, made := sockets(it.Body)
	switch b := it.Body.(type) {
	case *timeline.Call:
		l.socket(own).calls = append(l.socket(own).calls, it)
		if b.Call == "accept4" && b.Errno == "" && made != 0 {
			l.socket(made).accepted = it
		}
	case *timeline.State:
		s := l.socket(own)
		s.states = append(s.states, it)
		if ends := b.Ends(); b.Remote.IsValid() && b.Local.Port() != 0 && !slices.Contains(s.ends, ends) {
			s.ends = append(s.ends, ends)
		}
	}
}

func (l *lane) socket(n int) *socket {
	if l.socks[n] == nil {
		l.socks[n] = &socket{}
		if n != 0 {
			l.order = append(l.order, l.socks[n])
		}
	}
	return l.socks[n]
}

// shift moves all of it in time.
func (l *lane) shift(by time.Duration) {
	for _, it := range l.items {
		it.Time = it.Time.Add(by)
	}
}

// segmentsOnce hides each segment in one of the two: it is shown where its sender sent it, if segments were watched
// there.
func segmentsOnce(client, server *lane) {
	watched := map[timeline.Side]bool{timeline.Client: client.watches(), timeline.Server: server.watches()}
	for _, l := range []*lane{client, server} {
		for _, it := range l.items {
			b, ok := it.Body.(*timeline.Segment)
			from := timeline.Client
			if ok && b.From == timeline.Server {
				from = timeline.Server
			}
			it.hidden = ok && from != l.side && watched[from]
		}
	}
}

func (l *lane) watches() bool {
	return slices.ContainsFunc(l.items, func(it *item) bool { _, ok := it.Body.(*timeline.Segment); return ok })
}

// call is the item's call, if it is one of these; nil if it is not.
func (it *item) call(names ...string) *timeline.Call {
	if b, ok := it.Body.(*timeline.Call); ok && slices.Contains(names, b.Call) {
		return b
	}
	return nil
}
