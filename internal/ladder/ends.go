package ladder

import (
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// end is one end of a connection: a socket, from the call or state that began the connection to CLOSED. Only its peer
// may be one of which nothing is known.
type end struct {
	n     int // from 1, in the order in which they are met; 0: nothing is known of it but its peer
	side  timeline.Side
	ends  timeline.Ends // the addresses, as far as they were told
	label timeline.Label
	peer  *end // nil: its connection is none between the two sides, or not known

	first, last int // which of the events are about it
	entered     int // the one in which its connect() entered; -1: it was accepted, or nothing is known
	listens     bool
	connects    bool // it was seen in SYN-SENT
	over        bool // it was seen CLOSED, or its connect() failed

	timeWait, sawEnd bool // somewhere in the run it is in TIME-WAIT; its read() gives 0
	reset            bool // somewhere in the run there is a sign of RST, or of an abort

	progress
}

// cast says which end each event is about.
type cast struct {
	of       []*end // by the event's place; nil where there is none
	accepted []*end // the one that accept4 returned
	all      []*end
}

// socketID tells sockets apart: a number is one of its side.
type socketID struct {
	side timeline.Side
	n    int
}

// castOf finds the ends of all connections, before anything is inferred: addresses are known late.
func castOf(events []timeline.Event) *cast {
	c := &cast{of: make([]*end, len(events)), accepted: make([]*end, len(events))}
	now := map[socketID]*end{}
	begin := func(id socketID, i int) *end {
		e := &end{n: len(c.all) + 1, side: id.side, first: i, last: i, entered: -1}
		now[id] = e
		c.all = append(c.all, e)
		return e
	}
	for i, ev := range events {
		id, ok := socketOf(ev)
		if !ok {
			continue
		}
		e := now[id]
		switch b := ev.Body.(type) {
		case *timeline.Enter:
			if b.Call == "connect" {
				if e == nil || e.over || e.entered < 0 && e.ends.Remote.IsValid() {
					e = begin(id, i)
				}
				if e.entered < 0 {
					e.entered = i
				}
			}
		case *timeline.Call:
			if e != nil {
				e.heard(b)
			}
			if b.Call == "accept4" && b.Ret >= 0 && b.NewSocket != 0 {
				to := socketID{ev.Side, b.NewSocket}
				if now[to] == nil || now[to].over {
					begin(to, i)
				}
				c.accepted[i] = now[to]
			}
		case *timeline.State:
			if e == nil || e.over && b.To != tcpinfo.Closed || b.Remote.IsValid() && e.ends.Remote.IsValid() && b.Ends() != e.ends && b.Local.Port() != 0 {
				e = begin(id, i)
			}
			e.saw(b)
		}
		if e != nil {
			c.of[i], e.last = e, i
			if l := timeline.LabelOf(ev.Body); l != nil {
				e.label = *l
			}
		}
	}
	c.pair()
	return c
}

// connection is a number for what an end sends, which it keeps though more and more becomes known of the other end.
func (e *end) connection() int {
	switch p := e.peer; {
	case e.entered >= 0:
		return e.n
	case p.entered >= 0:
		return p.n
	default:
		return min(e.n, p.n)
	}
}

// socketOf is which socket an event of a call or of a state is about.
func socketOf(ev timeline.Event) (socketID, bool) {
	n := 0
	switch b := ev.Body.(type) {
	case *timeline.Enter:
		n = b.Socket
	case *timeline.Call:
		n = b.Socket
	case *timeline.State:
		n = b.Socket
	}
	return socketID{ev.Side, n}, n != 0
}

// heard takes note of what a call says of the end's whole life.
func (e *end) heard(b *timeline.Call) {
	switch {
	case b.Call == "connect" && b.Errno != "" && b.Errno != "EINPROGRESS" && b.Errno != "EINTR" && b.Errno != "EALREADY" && b.Errno != "EISCONN":
		e.over = true
	case isRead(b.Call) && b.Ret == 0:
		e.sawEnd = true
	}
	e.reset = e.reset || tellsOfReset(b)
}

// saw likewise of a state.
func (e *end) saw(b *timeline.State) {
	e.listens = e.listens || b.To == tcpinfo.Listen
	e.connects = e.connects || b.To == tcpinfo.SynSent || b.From == tcpinfo.SynSent
	e.timeWait = e.timeWait || b.To == tcpinfo.TimeWait
	e.over = b.To == tcpinfo.Closed && b.From != 0 && b.From != tcpinfo.Closed
	if b.Local.Port() != 0 {
		e.ends.Local = b.Local
	}
	if b.Remote.IsValid() {
		e.ends.Remote = b.Remote
	}
	e.reset = e.reset || b.How.Aborted()
}

// pair finds the two ends of each connection. Where the same addresses are used again, each has the other end's next.
func (c *cast) pair() {
	for i, e := range c.all {
		if e.entered < 0 || e.peer != nil || e.ends.Local == e.ends.Remote && e.ends.Local.IsValid() {
			continue
		}
		until := len(c.of) // no end of a later connection between these addresses is its peer
		for _, later := range c.all[i+1:] {
			if later.side == e.side && later.ends == e.ends {
				until = later.first
				break
			}
		}
		peer, apart := c.peerOf(e, until)
		switch {
		case peer != nil:
			e.peer, peer.peer = peer, e
		case apart: // nobody of the other side: its lane has nothing of it, or nothing is known
			e.peer = &end{side: e.side.Other(), ends: e.ends.Other(), peer: e, first: e.first, entered: -1}
		}
	}
	for _, e := range c.all { // the rest is of sides whose calls are not told, or that were there before the run
		if e.peer == nil && !e.listens && e.ends.Remote.IsValid() {
			if peer, _ := c.peerOf(e, len(c.of)); peer != nil && peer.entered < 0 {
				e.peer, peer.peer = peer, e
			}
		}
	}
}

// peerOf is the socket at the other end; apart is whether, where none is known, it can be of the other side.
func (c *cast) peerOf(e *end, until int) (peer *end, apart bool) {
	apart = true
	if !e.ends.Local.IsValid() || !e.ends.Remote.IsValid() {
		return nil, apart
	}
	for _, o := range c.all {
		if o.ends != e.ends.Other() || o.peer != nil {
			continue
		}
		if o.side == e.side {
			apart = false
		} else if o.last > e.entered && o.first < until {
			return o, true
		}
	}
	return nil, apart
}

// listened says whether the other side had a listener where this end connects to.
func (c *cast) listened(e *end) bool {
	for _, o := range c.all {
		if o.listens && o.side != e.side && o.ends.Local.Port() == e.ends.Remote.Port() && o.first < e.last {
			return true
		}
	}
	return false
}
