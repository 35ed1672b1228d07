package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"socklife/internal/timeline"
	"socklife/internal/trace"
	"socklife/tcpinfo"
)

// Scope is which sockets of a host are watched, whoever has them.
type Scope interface {
	// Has says whether a socket with these ends is one of them. Caller is the thread that called connect() or listen();
	// 0 if that is not known.
	Has(local, remote netip.AddrPort, caller int) bool
	// Tells says whether such a transition of one of them is told.
	Tells(from, to tcpinfo.State) bool
	// Was is the cookie of the socket that the last looks have found with these ends, 0 if none, and since when it has
	// been in its state.
	Was(local, remote netip.AddrPort) (cookie uint64, since time.Time)
	// Serves says whether the socket with these ends came in through a listener, as far as that is known.
	Serves(local, remote netip.AddrPort) (serves, known bool)
	// Alone says whether there is no other network namespace that a socket could be in.
	Alone() bool
}

// Host is what is seen of anybody's sockets between two looks: at the kernel's tracepoint, and on the interfaces.
type Host struct {
	log   *timeline.Log
	scope Scope
	diag  *tcpinfo.Conn

	trace    *trace.Trace // nil unless asked for
	stop     func() error
	segments *segments // likewise

	sockets map[uint64]int // numbers of those that are known, by the kernel's address; 0: in another network namespace
	held    []trace.Event  // connect() has not chosen a port yet, as far as was told

	askedPorts time.Time // when they were asked for

	alone bool
	asked time.Time // when that was found

	connect map[timeline.Ends]bool // that are in SYN-SENT, and were told

	told, unplaced uint64
}

// Counts are how much was seen, and how much is known to have been missed.
type Counts struct{ Transitions, LostTransitions, Unplaced, Segments, LostSegments uint64 }

// OpenHost begins to see what was asked for, of sockets with one of the ports at either end; 0 stands for all. They are
// looked up through diag, which the Host closes.
func OpenHost(cfg Config, scope Scope, ports []uint16, diag *tcpinfo.Conn) (_ *Host, err error) {
	h := &Host{log: cfg.Log, scope: scope, diag: diag, sockets: map[uint64]int{}, connect: map[timeline.Ends]bool{}}
	if cfg.Trace {
		if h.trace, err = trace.Open(ports...); err != nil {
			diag.Close()
			return nil, err
		}
		h.log.SetFilter((&dedupe{}).keep)
		h.stop = inBackground(h.log, "transitions", func(ctx context.Context, until func(time.Time)) error {
			err := h.trace.Run(ctx, h.event, func(t time.Time) { until(h.release(t)) })
			h.giveUp(len(h.held))
			return err
		})
	}
	if cfg.Capture {
		if h.segments, err = openSegments(h.log, hostSides{scope}, cfg.AbsoluteSeq, nil); err == nil {
			for _, port := range ports {
				err = cmp.Or(err, h.segments.capture.AddPort(port))
			}
		}
		if err != nil {
			_, closing := h.Close()
			return nil, errors.Join(err, closing)
		}
	}
	return h, nil
}

// hostSides are the ends of connections that are watched: which of them is the server's, as far as a look has shown.
type hostSides struct{ Scope }

// Of tells which end the first is.
func (s hostSides) Of(local, remote netip.AddrPort) (side timeline.Side, ours bool) {
	if !s.Has(local, remote, 0) && !s.Has(remote, local, 0) {
		return "", false
	}
	serves, known := s.Serves(local, remote)
	switch {
	case !known:
		return "", true
	case serves:
		return timeline.Server, true
	}
	return timeline.Client, true
}

// Close ends the watching; what has happened until now is in the timeline then. What the kernel has lost is counted,
// and no error.
func (h *Host) Close() (c Counts, err error) {
	if h == nil {
		return c, nil
	}
	if h.trace != nil {
		err = h.stop()
		if lost, is := errors.AsType[*trace.Lost](err); is {
			c.LostTransitions, err = lost.Events, nil
		}
		err = errors.Join(err, h.trace.Close())
	}
	if h.segments != nil {
		err = errors.Join(err, h.segments.close())
		c.Segments, c.LostSegments = h.segments.told, h.segments.lost
	}
	h.log.Flush()
	h.diag.Close()
	c.Transitions, c.Unplaced = h.told, h.unplaced
	return c, err
}

// event takes a transition. A socket that connects has no port yet: its next transition has it, and follows at once
// where somebody answers.
func (h *Host) event(e trace.Event) {
	if e.Lost > 0 {
		h.log.Add(timeline.Wire, e.Time, &timeline.Note{Text: lostTransitions(e.Lost)})
	}
	for i, before := range h.held {
		if before.Socket() == e.Socket() {
			h.held = append(h.held[:i], h.held[i+1:]...)
			before.Local = e.Local
			h.transition(before)
			break
		}
	}
	if e.From == tcpinfo.Closed && e.To == tcpinfo.SynSent && e.Local.Port() == 0 {
		h.held = append(h.held, e)
		return
	}
	h.transition(e)
}

func lostTransitions(n uint64) string {
	return fmt.Sprintf("at least %d transitions are missing here: the kernel's trace buffer was full", n)
}

// A connect() waits so long for its port to be told by its next transition, then sock_diag is asked, and in the end it
// is told without.
const (
	answered = 50 * time.Millisecond
	patience = time.Second
)

// release says up to when everything was handed over, if the trace has told all up to t.
func (h *Host) release(t time.Time) time.Time {
	n := 0
	for n < len(h.held) && t.Sub(h.held[n].Time) > patience {
		n++
	}
	h.giveUp(n)
	if now := time.Now(); len(h.held) > 0 && t.Sub(h.held[0].Time) > answered && now.Sub(h.askedPorts) > answered {
		h.ask()
		h.askedPorts = now
	}
	if len(h.held) > 0 {
		return h.held[0].Time.Add(-1)
	}
	return t
}

// ask has sock_diag say which port a connect() has chosen, where there is but one that it can be.
func (h *Host) ask() {
	connecting, waiting := h.connecting(), map[netip.AddrPort]int{}
	for _, e := range h.held {
		waiting[e.Remote]++
	}
	h.held = slices.DeleteFunc(h.held, func(e trace.Event) bool {
		fits := connecting[e.Remote]
		if len(fits) != 1 || waiting[e.Remote] != 1 {
			return false
		}
		e.Local = fits[0]
		h.transition(e)
		return true
	})
}

// connecting are the sockets in SYN-SENT whose transition into it was not told, by where they connect to.
func (h *Host) connecting() map[netip.AddrPort][]netip.AddrPort {
	list, err := h.diag.Dump(tcpinfo.Filter{States: tcpinfo.MaskOf(tcpinfo.SynSent), With: tcpinfo.WithNothing})
	if err != nil {
		return nil
	}
	by := map[netip.AddrPort][]netip.AddrPort{}
	for _, s := range list {
		if !h.connect[timeline.Between(s.Local, s.Remote)] {
			by[s.Remote] = append(by[s.Remote], s.Local)
		}
	}
	return by
}

// giveUp tells of the first so many that are held without their ports.
func (h *Host) giveUp(n int) {
	for _, e := range h.held[:n] {
		h.transition(e)
	}
	h.held = h.held[n:]
}

// transition puts one into the timeline, if it is of a socket that is watched. CLOSED is not told where sock_diag has
// something left of the socket: that is TIME-WAIT, or an orphan's FIN-WAIT-2, and the next look tells.
func (h *Host) transition(e trace.Event) {
	caller := 0
	if e.From == tcpinfo.Closed {
		caller = e.Task
	}
	n, known := h.sockets[e.Socket()]
	if known && begins(e) {
		delete(h.sockets, e.Socket())
		known = false
	}
	if e.To == tcpinfo.Closed {
		defer delete(h.sockets, e.Socket())
	}
	switch {
	case known && n == 0:
		return
	case !known && !h.scope.Has(e.Local, e.Remote, caller):
		return
	case !known:
		if n = h.place(e); n < 0 {
			return
		}
		if e.Local.Port() != 0 { // else the next one has the port, and finds the number that a look may have given meanwhile
			h.sockets[e.Socket()] = n
		}
	}
	if n == 0 || !h.scope.Tells(e.From, e.To) || e.ClosedIsNotTheEnd() && h.remains(e) {
		return
	}
	h.told++
	b := &timeline.State{Local: addr(e.Local), Remote: addr(e.Remote), From: e.From, To: e.To, Source: "tracepoint", Socket: n}
	if e.To == tcpinfo.SynSent {
		h.connect[b.Ends()] = true
	} else {
		delete(h.connect, b.Ends())
	}
	h.log.Add(timeline.Host, e.Time, b)
	if e.To == tcpinfo.Closed {
		h.log.Sockets.Ended(n, timeline.Host, b.Ends())
	}
}

func begins(e trace.Event) bool {
	return e.From == tcpinfo.Closed || e.From == tcpinfo.Listen && e.To == tcpinfo.SynReceived
}

func (h *Host) remains(e trace.Event) bool {
	s, err := Find(h.diag, e.Local, e.Remote)
	return err == nil && (s.State == tcpinfo.TimeWait || s.State == tcpinfo.FinWait2)
}

// find looks a socket up. A dump for each that is gone would be too much, but for addresses that need a zone.
func (h *Host) find(local, remote netip.AddrPort) (tcpinfo.Socket, error) {
	if local.Addr().IsLinkLocalUnicast() || remote.Addr().IsLinkLocalUnicast() {
		return Find(h.diag, local, remote)
	}
	return h.diag.Lookup(local, remote, 0)
}

// place is the number of a socket of which this is the first transition that is seen; 0 if it is in another network
// namespace, which the tracepoint does not tell, and negative if nobody knows: the socket is gone, and its other end is
// not here.
func (h *Host) place(e trace.Event) int {
	ends := timeline.Ends{Local: addr(e.Local), Remote: addr(e.Remote)}
	number := func(cookie uint64) int {
		return h.log.Sockets.Transition(e.Time, timeline.Host, ends, e.From, e.To, func() uint64 { return cookie })
	}
	if e.Local.Port() == 0 {
		if !h.isAlone() {
			h.unplaced++
			return -1
		}
		return h.log.Sockets.Another()
	}
	was, since := h.scope.Was(e.Local, e.Remote)
	s, err := h.find(e.Local, e.Remote)
	switch {
	case err == nil && s.State == e.From && was != 0 && s.Cookie != was && !begins(e): // one of several listeners
		return number(was)
	case err == nil && (s.State == e.From || begins(e) && s.Cookie == was && since.Before(e.Time)):
		switch { // it has not made this transition: it has the same addresses
		case h.isAlone():
			return number(0)
		case e.From == tcpinfo.Listen && was != 0: // several listeners may share one address, here as well as elsewhere
			h.unplaced++
			return -1
		}
		return 0
	case err == nil:
		return number(s.Cookie)
	case was != 0 && !begins(e):
		return number(was)
	}
	for range 3 { // the kernel's tables are changed while they are read
		if e.Remote.Port() == 0 {
			break
		}
		if _, err := h.find(e.Remote, e.Local); err == nil {
			return number(0)
		}
		if s, err := h.find(e.Local, e.Remote); err == nil {
			return number(s.Cookie)
		}
	}
	if h.isAlone() {
		return number(0)
	}
	h.unplaced++
	return -1
}

// isAlone asks no more than once a second: it goes through all processes.
func (h *Host) isAlone() bool {
	if now := time.Now(); now.Sub(h.asked) > time.Second {
		h.alone, h.asked = h.scope.Alone(), now
	}
	return h.alone
}
