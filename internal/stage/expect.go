package stage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// Expect waits until the kernel says that the socket is in one of the states, and records that it came, and why it
// is so. The run ends if it does not come.
func (c *Conn) Expect(why string, states ...tcpinfo.State) {
	c.side.expect(c.watch, c.side.Name, why, states)
}

// ExpectPeer is Expect for the other end of the connection, where that can be seen: on this host. Where both ends are
// played here, it waits, and leaves it to the other end to tell.
func (c *Conn) ExpectPeer(why string, states ...tcpinfo.State) {
	if peer := c.findPeer(); peer != nil {
		c.side.expect(peer, c.side.Name.Other(), why, states)
	}
}

// AwaitPeer is ExpectPeer for a server that must not go on before. Where the other end cannot be seen it gives the
// client a moment instead, and what the client then finds is for the client to say.
func (c *Conn) AwaitPeer(why string, states ...tcpinfo.State) {
	if peer := c.findPeer(); peer != nil {
		c.side.expect(peer, c.side.Name.Other(), why, states)
	} else {
		c.side.run.clock.pause(unseenMoment + c.side.HoldTime())
	}
}

// AwaitPeerOrphaned waits until the other end has no descriptor any more: its close() has returned.
func (c *Conn) AwaitPeerOrphaned(why string) {
	peer := c.findPeer()
	if peer == nil {
		c.side.run.clock.pause(unseenMoment + c.side.HoldTime())
		return
	}
	s, got, ok := c.side, "", false
	s.alive()
	s.until(why, func() bool {
		d, found := s.run.lookup(s.peerHost, c.Remote(), c.Local(), peer.Cookie())
		got, ok = fmt.Sprintf("inode %d", d.Inode), found && d.Inode == 0
		over := !found && peer.Last().Gone // reset: its kernel has nothing left to do
		if !found {
			got = gone
		}
		return ok || over
	})
	if !ok {
		s.run.unmet()
	}
	s.run.check(s.Name, time.Time{}, why, got, ok)
	if !ok {
		s.goOnOrFail(fmt.Errorf("%s: %s", why, got), got == gone)
	}
}

// gone is what sock_diag has of a socket that it does not find.
const gone = "gone: sock_diag has no such socket"

// unseenMoment is how long a server gives a client whose state it cannot see.
const unseenMoment = 2 * time.Second

// ExpectGone waits until the kernel has nothing left of a socket that was closed.
func (c *Conn) ExpectGone(why string) { c.side.expectGone(c.watch, c.side.Name, why, "") }

// ExpectEnded is ExpectGone for a connection that ended in good order, with a FIN. Once it is gone nothing tells that
// from a reset; but that close() would send RST was known before.
func (c *Conn) ExpectEnded(why string) { c.side.expectGone(c.watch, c.side.Name, why, c.aborted) }

// ExpectPeerGone is ExpectGone for the other end, where that can be seen.
func (c *Conn) ExpectPeerGone(why string) {
	if peer := c.findPeer(); peer != nil {
		c.side.expectGone(peer, c.side.Name.Other(), why, "")
	}
}

func (s *Side) expectGone(w *watch.Socket, whose timeline.Side, why, reset string) {
	s.alive()
	got := "gone"
	if reset != "" {
		got = "gone, after RST: " + reset
	}
	seen, ok := s.meet(timeline.Expecting(why, tcpinfo.Closed), w, expectation{
		test: func(seen watch.Sample) (ok, over bool) { return seen.Gone, seen.Gone },
		check: func(_ watch.Sample, at time.Time) {
			if told := s.run.both && whose != s.Name; !told {
				s.run.check(whose, at, timeline.Expecting(why, tcpinfo.Closed), got, reset == "")
			}
		},
	})
	if !ok {
		s.run.unmet()
		s.run.check(whose, time.Time{}, timeline.Expecting(why, tcpinfo.Closed), seen.State.String(), false)
		s.goOnOrFail(timeout{"CLOSED", s.run.patience()}, false)
	}
}

// ExpectChild waits for the nth connection (from 0) that the kernel made for the listener to be in one of the states,
// accepted or not: before accept(2) there is no descriptor, and only sock_diag shows it. No calls can be made on what
// it returns.
func (s *Side) ExpectChild(n int, why string, states ...tcpinfo.State) *Conn {
	s.alive()
	s.queueFirst = s.queueFirst || s.run.visitors() == 0
	var child *watch.Socket
	s.until("a connection", func() bool {
		s.run.mu.Lock()
		defer s.run.mu.Unlock()
		if own := s.run.own(); len(own) > n {
			child = own[n]
		}
		return child != nil
	})
	if child == nil {
		s.run.unmet()
		s.run.check(s.Name, time.Time{}, timeline.Expecting(why, states...), "no connection came", false)
		s.run.fail(timeout{"a connection", s.run.patience()})
	}
	s.expect(child, s.Name, why, states)
	return &Conn{side: s, watch: child}
}

// leftUnaccepted says whether a connection was reset in the accept queue, before its client could say what it plays.
func (s *Side) leftUnaccepted(w *watch.Socket, seen watch.Sample) bool {
	return s.Name == timeline.Server && !s.run.both && s.run.visitors() == 0 && w.Remote().IsValid() && (seen.Gone || seen.State == tcpinfo.Closed)
}

func (s *Side) expect(w *watch.Socket, whose timeline.Side, why string, states []tcpinfo.State) {
	s.alive()
	seen, ok := s.meet(timeline.Expecting(why, states...), w, expectation{
		test: func(seen watch.Sample) (ok, over bool) {
			ok = !seen.Gone && slices.Contains(states, seen.State)
			return ok, ok || seen.Gone || beyond(w, seen, states)
		},
		check: func(seen watch.Sample, at time.Time) {
			if told := s.run.both && whose != s.Name; !told {
				s.run.checkState(whose, at, seen, why, states, true)
			}
		},
	})
	if ok {
		if whose == s.Name {
			name := seen.State.String()
			s.expected.Store(&name)
		}
		return
	}
	if whose == s.Name && s.leftUnaccepted(w, seen) {
		s.run.fail(ofClient(ErrLeft, w.Remote()))
	}
	s.run.unmet()
	s.run.checkState(whose, time.Time{}, seen, why, states, false)
	s.goOnOrFail(wrongState{seen.State, states}, true)
}

func (s *Side) meet(what string, w *watch.Socket, h expectation) (watch.Sample, bool) {
	h.of = func() []*watch.Socket { return []*watch.Socket{w} }
	return s.run.meet(&h, s.host, s.watchPeer(what))
}

// wrongState is a state that came in the place of those that were expected.
type wrongState struct {
	got  tcpinfo.State
	want []tcpinfo.State
}

func (w wrongState) Error() string {
	return fmt.Sprintf("%s instead of %s", w.got, timeline.Joined(w.want, " or "))
}

// beyond tells of a connection that has ended, or is beyond all of the states: there is nothing to wait for.
func beyond(w *watch.Socket, seen watch.Sample, states []tcpinfo.State) bool {
	if seen.State == tcpinfo.Closed {
		return w.Remote().IsValid() && w.Remote().Port() != 0
	}
	return !slices.ContainsFunc(states, func(s tcpinfo.State) bool { return rfc9293.Reachable(seen.State, s) })
}

// bounded is a context that ends when this process has waited long enough, not counting pauses.
func (r *run) bounded(each func(spent time.Duration)) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.ctx)
	w := r.clock.wait(r.patience(), cancel, each)
	return ctx, func() { w.end(); cancel() }
}

// findPeer has the other end of the connection followed too, if it is on this host.
func (c *Conn) findPeer() *watch.Socket {
	peer, err := c.followPeer()
	if err != nil {
		c.side.run.fail(&ObserverError{"sock_diag", err})
	}
	return peer
}

func (c *Conn) followPeer() (*watch.Socket, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.peer != nil || !c.Remote().IsValid() {
		return c.peer, nil
	}
	if c.Remote() == c.Local() {
		c.peer = c.watch // connected to itself
		return c.peer, nil
	}
	peer, err := c.side.peerHost.watch.FollowAddrs(c.Remote(), c.Local(), c.side.Name.Other())
	if err != nil && !errors.Is(err, tcpinfo.ErrNotFound) {
		return nil, err
	}
	c.peer = peer
	c.side.trace.FollowedPeer(c.watch, peer)
	return peer, nil
}

// AwaitPeerGone is ExpectPeerGone for a side that must not go on before. Where the other end cannot be seen, it waits
// for as long as that may take there.
func (c *Conn) AwaitPeerGone(why string, atMost time.Duration) {
	if peer := c.findPeer(); peer != nil {
		c.side.expectGone(peer, c.side.Name.Other(), why, "")
	} else {
		c.side.run.clock.pause(atMost + unseenMoment)
	}
}

// longEnd is what a person would like to be told of.
const longEnd = 10 * time.Second

// AwaitEnd waits until the kernel has nothing left of a socket that was closed, and tells how long after a moment that
// was: there was something left at the first of the two times, and nothing at the second. On a busy machine they are
// far apart.
func (c *Conn) AwaitEnd(why string, since time.Time) (there, gone time.Duration) {
	if t := c.LastDiag().Timer; t.Expires > longEnd {
		c.side.Note("its timer has %v left%s", t.Expires.Round(time.Second), c.side.lookFromOutside())
		defer c.side.run.count("the end comes in about", t.Expires)()
	}
	c.side.Unhurried(func() {
		c.side.Await(timeline.Expecting(why, tcpinfo.Closed), func() (string, bool) {
			asked := time.Since(since)
			d, found := c.side.run.lookup(c.side.host, c.Local(), c.Remote(), c.watch.Cookie())
			if !found {
				gone = time.Since(since)
				return "gone", true
			}
			there = asked
			return d.State.String(), false
		})
	})
	c.look()
	return there, gone
}
