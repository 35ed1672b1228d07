package stage

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// A server in a terminal of its own waits for people: they step through the lesson, and are given the time. But nobody
// is to wait for somebody who has gone, or behind somebody who says nothing.

const (
	lookEvery    = 500 * time.Millisecond // who waits looks whether it is the wrong one who came, or listens
	noticeAfter  = 10 * time.Second       // then it is said what is waited for
	remindAfter  = 70 * time.Second       // and once more
	silenceLimit = 8 * time.Second        // a client that has not said what it wants goes, if another one waits
	goneLimit    = 3 * time.Second        // after the client's end has no application any more
	queueLimit   = 500 * time.Millisecond // after those in the accept queue have all left
	finishLimit  = 30 * time.Second       // the same where that cannot be seen: after the client's FIN
	holdLimit    = time.Minute            // as long as a client may have the server hold, whose user asked for less
)

// ErrLeft: who had connected went away without a word, so nothing was played.
var ErrLeft = errors.New("somebody connected and left without a request")

// ErrGone: the client that was being played with is there no more.
var ErrGone = errors.New("the client has gone")

// errNobody: who had connected was no client of a lesson.
var errNobody = errors.New("no client")

// NobodyPlayed tells of a server's run that ended so whether no client of a lesson had anything to do with it, or is to
// play it again: then nothing failed.
func NobodyPlayed(err error) bool {
	return errors.Is(err, ErrLeft) || errors.Is(err, ErrStranger) || errors.Is(err, errNobody)
}

// nobodys is an error that means no more than that.
type nobodys struct{ error }

func (n nobodys) Unwrap() []error { return []error{n.error, errNobody} }

// ofClient says whose error it is, if that is known: a connection that was reset in the queue has no peer any more.
func ofClient(err error, from netip.AddrPort) error {
	if !from.IsValid() {
		return err
	}
	return fmt.Errorf("%w: %s", err, from)
}

// watchPeer looks at whoever is waited for once a tick, and ends the run where waiting is of no use.
func (s *Side) watchPeer(what string) (each func(spent time.Duration)) {
	if s.run.both {
		return nil
	}
	var gone time.Duration
	strays := s.strays()
	return func(spent time.Duration) {
		s.heldThere(spent)
		switch {
		case spent == noticeAfter:
			s.Note("waiting%s", s.awaited(what))
		case spent == remindAfter:
			s.Note("still waiting%s", s.awaited(what))
		}
		if spent%lookEvery == 0 {
			if err := s.wrongOne(); err != nil {
				s.run.cancel(err)
			}
		}
		if s.Name != timeline.Server {
			return
		}
		if err := strays(); err != nil {
			s.run.cancel(err)
		}
		limit, from := s.peersGone()
		if gone += tick; limit == 0 {
			gone = 0
		} else if gone >= limit {
			s.run.cancel(ofClient(ErrGone, from))
		}
	}
}

// awaited says what this side waits for, and of whom.
func (s *Side) awaited(what string) string {
	c := s.reading.Load()
	switch {
	case c == nil:
		return ": " + what
	case s.asking.Load():
		return fmt.Sprintf(" for the client's request (from %s)", c.Remote())
	case s.Name == timeline.Client && c.unaccepted():
		return fmt.Sprintf(" for the server %s, which has not accepted this connection yet: it serves one client after the other", c.Remote())
	}
	return fmt.Sprintf(" for the %s to send something (%s)", s.Name.Other(), c.Remote())
}

// unaccepted tells whether the other end is known to wait for accept(2).
func (c *Conn) unaccepted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.peer == nil {
		return false
	}
	d := diagOf(c.peer)
	return d.State == tcpinfo.Established && d.Inode == 0
}

// peersGone tells whether the client has left every connection that this server has of it, how long that must last
// until it is believed (0: it has not), and one of the connections. Before the first is accepted it is about those in
// the queue.
func (s *Side) peersGone() (limit time.Duration, from netip.AddrPort) {
	s.run.mu.Lock()
	open, fresh := slices.Clone(s.run.accepted), len(s.run.taken) == 0
	if s.run.turn.Load() != nil && len(s.run.own()) == 0 {
		fresh = false // its client is yet to come
	}
	s.run.mu.Unlock()
	for _, c := range open {
		after := c.leftAfter()
		if after == 0 {
			return 0, from
		}
		limit, from = max(limit, after), c.Remote()
	}
	if fresh && s.listening.Load() != nil && s.WaitingClients() == 0 {
		return queueLimit, from
	}
	return limit, from
}

// leftQueue tells of a connection that was not accepted whether its client is gone: reset, or finished without a word.
// (Recv-Q counts the FIN as one.)
func leftQueue(child *watch.Socket) bool {
	d := diagOf(child)
	return child.Last().State == tcpinfo.Closed || d.State == tcpinfo.CloseWait && d.RecvQ <= 1
}

// leftAfter is how long after what was seen of the other end it is taken for gone; 0: it is there.
func (c *Conn) leftAfter() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state := c.watch.Last().State; {
	case state == tcpinfo.Closed, c.peer != nil && (c.peer.Last().Gone || diagOf(c.peer).Inode == 0):
		return goneLimit
	case c.peer == nil && (state == tcpinfo.CloseWait || state == tcpinfo.LastAck || state == tcpinfo.Closing || state == tcpinfo.TimeWait):
		return finishLimit
	}
	return 0
}

// pause holds, for as long as this side's own user asked in any case; what the client asked for beyond that ends with
// the client.
func (s *Side) pause(d time.Duration) {
	own := min(d, s.run.cfg.Hold)
	there := s.stillThere()
	defer s.run.count("held:", d)()
	s.run.clock.pause(own)
	for left := d - own; left > 0 && s.run.ctx.Err() == nil; left -= tick {
		s.run.clock.pause(min(tick, left))
		if there != nil && s.stillThere() == nil {
			s.Note("held no longer: the client's end is gone")
			return
		}
	}
}

// stillThere are the connections that neither end has lost.
func (s *Side) stillThere() (list []*Conn) {
	s.run.mu.Lock()
	open := slices.Clone(s.run.accepted)
	s.run.mu.Unlock()
	for _, c := range open {
		if peer, ok := c.Peer(); c.Last().State != tcpinfo.Closed && !(ok && peer.Gone) {
			list = append(list, c)
		}
	}
	return list
}

// letGoOfSilent ends the run if the client says nothing for long while another one waits. end is to be called when it
// has spoken.
func (s *Side) letGoOfSilent(c *Conn) (end func()) {
	if s.run.both || s.listening.Load() == nil {
		return func() {}
	}
	s.asking.Store(true)
	w := s.run.clock.wait(s.run.cfg.Timeout, func() {}, func(spent time.Duration) {
		if spent >= silenceLimit && s.listening.Load().Last().AcceptQueue > 0 {
			s.run.cancel(fmt.Errorf("%w: %s was silent for %v, and another client waits", ErrLeft, c.Remote(), silenceLimit))
		}
	})
	return func() {
		w.end()
		s.asking.Store(false)
	}
}
