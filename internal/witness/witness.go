// Package witness turns what was seen into events: the calls that sockapi traced, and the states that tcpinfo watched.
package witness

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// Short is a call as it is told of before it has returned.
func Short(c *sockapi.Call) string {
	switch c.Name {
	case "socket", "listen", "shutdown":
		return c.Name + "(" + strings.Join(c.Args(), ", ") + ")"
	case "bind", "connect":
		if c.Addr.IsValid() {
			return fmt.Sprintf("%s(%d, %s)", c.Name, c.FD, c.Addr)
		}
	case "setsockopt":
		return fmt.Sprintf("%s(%d, %s, %s)", c.Name, c.FD, c.Option.Name, c.OptionValue())
	case "getsockopt":
		return fmt.Sprintf("%s(%d, %s)", c.Name, c.FD, c.Option.Name)
	}
	return fmt.Sprintf("%s(%d)", c.Name, c.FD)
}

// Waits says whether a call is one that waits for the other side to do something, rather than doing something itself.
func Waits(c *sockapi.Call) bool {
	switch c.Name {
	case "accept4", "read", "recvfrom", "ppoll":
		return true
	}
	return false
}

// Call is a call that has returned, as an event.
func Call(c *sockapi.Call) *timeline.Call {
	e := &timeline.Call{
		Call: c.Name, Args: c.Args(), FD: c.FD, Ret: c.Ret,
		TookUS: float64(c.Took()/(100*time.Nanosecond)) / 10,
		Sys:    c.Clone(),
	}
	if c.Errno != 0 {
		e.Errno = sockapi.ErrnoName(c.Errno)
	}
	return e
}

// Report writes a change that the watcher saw into the log.
func Report(log *timeline.Log, c watch.Change) {
	side, _ := c.Socket.Tag().(timeline.Side)
	if c.First && c.To == tcpinfo.Closed || c.What == watch.RecvQChanged && c.Now.Diag.RecvQ == 0 {
		return // a new socket, or one read empty: the call tells it
	}
	if c.What&^watch.QueueChanged != 0 {
		log.Add(side, c.Now.Time, State(c))
	}
	if c.To == tcpinfo.Listen && (c.First || c.What&(watch.QueueChanged|watch.StateChanged) != 0) {
		log.Add(side, c.Now.Time, Queue(c))
	}
}

// State is a change as an event.
func State(c watch.Change) *timeline.State {
	e := &timeline.State{
		Local:  Addr(c.Socket.Local()),
		Remote: Addr(c.Socket.Remote()),
		From:   c.From, To: c.To,
		Source: string(c.Now.Source),
	}
	if c.First {
		e.From = 0
	}
	if d := c.Now.Diag; d != nil && !c.Now.Gone && c.To != tcpinfo.Listen {
		details(e, d)
	}
	return e
}

// details are what only sock_diag says.
func details(e *timeline.State, d *tcpinfo.Socket) {
	if d.Timer.Kind != tcpinfo.TimerNone {
		ms, retrans := d.Timer.Expires.Milliseconds(), int(d.Timer.Retrans)
		e.Timer, e.ExpiresMS, e.Retrans = d.Timer.Kind.String(), &ms, &retrans
	}
	e.RecvQ, e.SendQ = &d.RecvQ, &d.SendQ
	if d.Shutdown != nil {
		e.Shutdown = d.Shutdown.Names()
	}
}

// Queue is a listener's backlog as an event.
func Queue(c watch.Change) *timeline.Queue {
	q := &timeline.Queue{Local: Addr(c.Socket.Local()), AcceptQueue: c.Now.AcceptQueue, AcceptLimit: c.Now.AcceptLimit}
	if n := c.Now.SynQueue; n >= 0 {
		q.SynQueue = &n
	}
	return q
}

// Addr is invalid for an address that the socket does not have.
func Addr(a netip.AddrPort) netip.AddrPort {
	if a.Port() == 0 && a.Addr().IsUnspecified() {
		return netip.AddrPort{}
	}
	return a
}
