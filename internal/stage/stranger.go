package stage

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo/watch"
)

// In a client's turn other connections may come all the same: of a scan, of a program that knows of no line. The lesson
// takes no notice of them, where it can.

// strayLimit is how long nobody who is known may have a place in the accept queue, where the queue is the lesson.
const strayLimit = 2 * time.Second

// identify finds out whose connection it is that the kernel has made.
func (r *run) identify(child *watch.Socket) {
	g := r.turn.Load()
	if g == nil {
		return
	}
	go func() {
		own := r.line.own(g, child.Remote())
		r.mu.Lock()
		r.whose[child.Cookie()] = own
		r.mu.Unlock()
		if !own {
			r.stranger(g, child.Remote())
		}
	}()
}

// own are the connections that the kernel made for this run's client, as far as is known. The lock is held.
func (r *run) own() []*watch.Socket {
	if r.turn.Load() == nil {
		return r.met
	}
	return slices.DeleteFunc(slices.Clone(r.met), func(s *watch.Socket) bool { return !r.whose[s.Cookie()] })
}

// isStranger tells whether a connection that was accepted is not the client's whose turn it is.
func (s *Side) isStranger(from netip.AddrPort) bool {
	g := s.run.turn.Load()
	return g != nil && s.Name == timeline.Server && !s.run.line.own(g, from)
}

// stranger ends the run if what it is about is what strangers change.
func (r *run) stranger(g *guest, from netip.AddrPort) {
	r.line.spoil(g)
	if r.sc.CountsQueue {
		r.cancel(fmt.Errorf("%w: %s; the accept queue is what this lesson looks at, so it is played again", ErrStranger, from))
	}
}

// turnAwayStranger closes a connection that is not the client's.
func (s *Side) turnAwayStranger(sock *sockapi.Socket, from netip.AddrPort) {
	s.Note("%s is not the client whose turn it is: its connection is closed, and the next one accepted", from)
	s.run.labels.notThat(sock.FD())
	s.turnAway(sock)
	s.stranger(from)
}

func (s *Side) stranger(from netip.AddrPort) {
	if g := s.run.turn.Load(); g != nil {
		s.run.stranger(g, from)
	}
}

// strays looks whether connections that nobody saw, since they were reset at once, have places in the accept queue.
// What it returns is to be called once a tick.
func (s *Side) strays() (each func() error) {
	var since time.Duration
	return func() error {
		if s.Name != timeline.Server || !s.run.sc.CountsQueue || s.listening.Load() == nil {
			return nil
		}
		queued := int(s.listening.Load().Last().AcceptQueue)
		s.run.mu.Lock()
		for _, child := range s.run.met {
			if !s.run.taken[child.Cookie()] {
				queued--
			}
		}
		s.run.mu.Unlock()
		if since += tick; queued <= 0 {
			since = 0
		}
		if since < strayLimit {
			return nil
		}
		if g := s.run.turn.Load(); g != nil {
			s.run.line.spoil(g)
		}
		return fmt.Errorf("%w: it was reset, and has a place in the accept queue, which this lesson looks at", ErrStranger)
	}
}
