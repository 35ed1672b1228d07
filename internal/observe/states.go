package observe

import (
	"net/netip"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// Around has the log wait for what a look reports, and the look taken again if a call or a segment came meanwhile.
func Around(log *timeline.Log) watch.Around {
	return func() (still func() bool, done func()) {
		source, moves := log.Source(), log.Moves()
		return func() bool { return log.Moves() == moves }, source.Done
	}
}

// Change puts what the watcher saw into the timeline, with what this program knows of it beside: what the lesson calls
// the socket, and what its calls did about its end.
func Change(log *timeline.Log, c watch.Change, label timeline.Label, ended timeline.Ended) {
	side, _ := c.Socket.Tag().(timeline.Side)
	n := numberOf(log, side, c)
	if c.First && c.To == tcpinfo.Closed || c.What == watch.RecvQChanged && c.Now.Diag.RecvQ == 0 {
		return // a new socket, or one read empty: the call tells it
	}
	if c.What&^watch.QueueChanged != 0 {
		s := state(c, n)
		s.Label, s.Ended = label, ended
		if c.Now.Info != nil && log.Detailed() {
			s.Info, _ = c.Now.Info.MarshalJSON() // of numbers and names, which cannot fail
		}
		log.Add(side, c.Now.Time, s)
	}
	if c.To == tcpinfo.Listen && (c.First || c.What&(watch.QueueChanged|watch.StateChanged) != 0) {
		q := queue(c, n)
		q.Label = label
		log.Add(side, c.Now.Time, q)
	}
}

// state is a change as an event.
func state(c watch.Change, n int) *timeline.State {
	e := &timeline.State{
		Local:  addr(c.Socket.Local()),
		Remote: addr(c.Socket.Remote()),
		From:   c.From, To: c.To,
		Source: string(c.Now.Source),
		Socket: n,
	}
	switch {
	case c.First:
		e.From = 0
	case c.From == tcpinfo.TimeWait && c.To == tcpinfo.Closed:
		e.Source = string(watch.SockDiag) // TCP_INFO says CLOSED all the time: that it is over sock_diag knows
	}
	if d := c.Now.Diag; d != nil && !c.Now.Gone && c.To != tcpinfo.Listen {
		details(e, d)
	}
	return e
}

// details are what only sock_diag says.
func details(e *timeline.State, d *tcpinfo.Socket) {
	if e.Source != string(watch.SockDiag) {
		e.DetailsSource = string(watch.SockDiag)
	}
	if d.Timer.Kind != tcpinfo.TimerNone {
		ms, retrans := d.Timer.Expires.Milliseconds(), int(d.Timer.Retrans)
		e.Timer, e.TimerFor, e.ExpiresMS, e.Retrans = d.Timer.Kind.String(), timerFor(d), &ms, &retrans
	}
	e.RecvQ, e.SendQ = &d.RecvQ, &d.SendQ
	if d.Shutdown != nil {
		e.Shutdown = d.Shutdown.Names()
	}
}

// queue is a listener's backlog as an event.
func queue(c watch.Change, n int) *timeline.Queue {
	q := &timeline.Queue{Local: addr(c.Socket.Local()), AcceptQueue: c.Now.AcceptQueue, AcceptLimit: c.Now.AcceptLimit, Socket: n}
	if n := c.Now.SynQueue; n >= 0 {
		q.SynQueue = &n
	}
	return q
}

// addr is invalid for an address that the socket does not have.
func addr(a netip.AddrPort) netip.AddrPort {
	if a.Port() == 0 && a.Addr().IsUnspecified() {
		return netip.AddrPort{}
	}
	return a
}
