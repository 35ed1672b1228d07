package stage

import (
	"context"
	"net/netip"
	"slices"

	"socklife/internal/observe"
	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// watchOutside has the kernel's transitions and the segments on this host seen, if the user asked for them. (On the
// wire every segment is seen anyway.)
func (r *run) watchOutside() (*observe.Outside, error) {
	return observe.Open(observe.Config{
		Log: r.log, Trace: r.cfg.Trace, Capture: r.cfg.Capture && r.cfg.Wire == nil, AbsoluteSeq: r.cfg.AbsoluteSeq,
		Pcap: r.cfg.Pcap,
	}, func(side timeline.Side, local, remote netip.AddrPort) (tcpinfo.Socket, error) {
		h := r.clientHost
		if side == timeline.Server {
			h = r.serverHost
		}
		return observe.Find(h.diag, local, remote)
	})
}

// announce tells those who watch from outside of an address before anything happens on it.
func (s *Side) announce(addr netip.AddrPort, whose timeline.Side) {
	if err := s.run.outside.Announce(addr, whose); err != nil {
		s.run.fail(err)
	}
}

// hooks are what a scenario does about each call of a side: nothing enters the kernel before its time, nor stays there
// for ever. Calls of a run that is over are its cleaning up and not of the lesson.
func (s *Side) hooks() observe.Hooks {
	r := s.run
	over := func() bool { return r.ctx.Err() != nil }
	return observe.Hooks{Over: over, Before: func(c *sockapi.Call) (back func()) {
		r.gate(s.Name, c)
		if over() {
			return func() {}
		}
		what := observe.Asked(c)
		return r.clock.wait(r.callPatience(), func() { r.cancel(r.late(what)) }, s.watchPeer(what)).end
	}}
}

// ended is what the sides that are played here know of the end of a connection. One that the kernel made for a server
// and nobody accepted has no calls.
func (r *run) ended(c watch.Change) (e timeline.Ended) {
	whose, _ := c.Socket.Tag().(timeline.Side)
	for _, side := range []timeline.Side{whose.Other(), whose} {
		if s := r.sides[side]; s != nil {
			e = s.trace.Ended(c).Or(e)
		}
	}
	if e == (timeline.Ended{}) && whose == timeline.Server && r.sides[whose] != nil && observe.Closes(c) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if slices.Contains(r.met, c.Socket) && !r.taken[c.Socket.Cookie()] {
			e.How = timeline.EndedUnaccepted
		}
	}
	return e
}

// gate waits for --pace, or for Enter. If the run is over then, the call is not made.
func (r *run) gate(side timeline.Side, next *sockapi.Call) {
	if r.ctx.Err() != nil {
		return
	}
	defer r.stopIfOver()
	if !r.cfg.All && r.labels.willBeAside(side, next) {
		return // nobody sees it
	}
	if r.cfg.Pace > 0 {
		r.clock.pause(r.cfg.Pace)
	}
	if r.cfg.Step == nil {
		return
	}
	resume := r.clock.hold()
	defer resume()
	r.log.Flush()
	if err := r.cfg.Step(r.ctx, side, observe.Asked(next)); err != nil && r.ctx.Err() == nil {
		r.cancel(context.Canceled)
	}
}
