package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/observe"
	"socklife/internal/timeline"
	"socklife/internal/unsupported"
	"socklife/sockapi"
)

// Serve runs the server's side, again and again, until runs of them are done (0: without end) or ctx ends. After each
// run it tells what came of it.
func Serve(ctx context.Context, sc *Scenario, cfg Config, runs int, after func(Result)) error {
	var listener *keptListener
	var handed *sockapi.Socket
	var waiting *line
	starving := false
	defer func() {
		waiting.close()
		listener.close()
		if handed != nil {
			handed.Close()
		}
	}()
	for n := 0; runs == 0 || n < runs; {
		r, err := newRun(ctx, sc, cfg, timeline.Server)
		if err != nil {
			return err
		}
		server := r.side(timeline.Server, cfg.Addr)
		server.serves = true
		server.last = n+1 == runs && listener == nil
		if sc.CountsQueue && waiting.crowd() { // those in it have not asked, and change what is seen
			listener.close()
			listener = nil
		}
		server.takeListener(listener)
		server.handed, handed = handed, nil
		r.line = waiting
		server.ready = func(a netip.AddrPort) {
			if cfg.Ready != nil {
				waiting = r.openLine(a)
				cfg.Ready(a)
			}
			r.noticeNobody(fmt.Sprintf("echoc %s %s", sc.Name, a))
			cfg.Ready, cfg.Addr = nil, a // the port that was free is ours from now on
		}
		result := r.serve(server)
		waiting.ended(ctx, r, result.Err)
		if errors.Is(result.Err, ErrGone) && r.turn.Load() == nil && !server.asked.Load() {
			result.Err = nobodys{result.Err}
		}
		if listener, handed = server.listener, server.handed; r.handed != nil {
			handed = r.handed.sock
		}
		if errors.Is(result.Err, ErrStranger) { // it may still be in the queue
			listener.close()
			listener = nil
		} else if result.Err != nil && server.goesOn() {
			if next := server.clearQueue(); handed == nil {
				handed = next
			} else if next != nil {
				server.turnAway(next)
			}
		} else if result.Err != nil {
			listener.close()
			listener = nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !starved(result.Err) && !canServeOn(result.Err) || starved(result.Err) && listener == nil && cfg.Ready != nil || result.Err != nil && r.unvisited.Load() {
			return result.Err // what failed though nobody had come fails again
		}
		if starved(result.Err) && r.visitors() == 0 { // no turn of anybody's: it is tried again, and told once
			if !starving {
				after(result)
			}
			starving = true
			pauseUntil(ctx, time.Now().Add(starvedRest))
			continue
		}
		starving = false
		after(result)
		if !errors.Is(result.Err, ErrLeft) && !errors.Is(result.Err, ErrStranger) { // who said nothing has not played
			n++
		}
		if n == runs && errors.Is(result.Err, ErrMismatch) && server.goesOn() {
			server.awaitQuestion(ctx)
		}
	}
	return nil
}

// openLine opens the line in which the server's clients wait. A server without one serves them as they come.
func (r *run) openLine(a netip.AddrPort) *line {
	l, err := newLine(a, r.sc.Name, r.cfg.Step != nil || r.cfg.Pace > 0 || r.cfg.Hold > 0)
	if err != nil {
		r.sides[timeline.Server].Note("clients cannot be told to wait for their turn: no UDP socket at %s: %v", a, err)
	}
	r.line = l
	return l
}

// starvedRest is how long a server that has no descriptors leaves it at that.
const starvedRest = time.Second

// starved tells of a run that ended because this process, or the system, had no descriptor or no memory left.
func starved(err error) bool {
	for _, e := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// serve plays one run. Until somebody comes, no time is counted.
func (r *run) serve(server *Side) Result {
	resume := r.clock.hold()
	r.unvisited.Store(true)
	r.visited = sync.OnceFunc(func() { r.unvisited.Store(false); resume() })
	r.log.BeginWith(timeline.Server, &timeline.Begin{Scenario: r.sc.Name}, visits)
	return r.finish(r.play(func() {
		r.start(server, r.sc.Server)
		<-server.done
	}), timeline.Server)
}

// visits says whether an event is one that only a client who comes can bring about.
func visits(b timeline.Body) bool {
	switch b := b.(type) {
	case *timeline.Call:
		return b.Call == "accept4" && b.Errno == ""
	case *timeline.State:
		return b.Remote.IsValid()
	case *timeline.Queue:
		return b.AcceptQueue > 0 || b.SynQueue != nil && *b.SynQueue > 0
	}
	return b.Kind() == "segment"
}

// noticeNobody says, after a while, that nobody has come, and what is to be typed for that.
func (r *run) noticeNobody(command string) {
	time.AfterFunc(noticeAfter, func() {
		if r.unvisited.Load() && r.ctx.Err() == nil {
			r.sides[timeline.Server].Note("waiting for a client: start `%s` in another terminal", command)
		}
	})
}

// canServeOn tells whether the server can wait for another client after this. What the client did is no reason to stop;
// that the address cannot be had is.
func canServeOn(err error) bool {
	if unsupported.In(err) != nil {
		return false // nor could the next run
	}
	var call *sockapi.Error
	return !errors.As(err, &call) || !slices.Contains([]string{"socket", "bind", "listen", "accept4"}, call.Call)
}

// keptListener is a listener that outlives the run that opened it.
type keptListener struct {
	sock  *sockapi.Socket
	trace *observe.Tracer
}

func (h *keptListener) close() {
	if h != nil {
		h.sock.Close()
	}
}

// goesOn tells whether the listener outlives a run that failed. Others may be in its queue, who have nothing to do with
// that.
func (s *Side) goesOn() bool { return s.listener != nil && !s.aborted }

// keepsOpen tells whether a listener is left to the next run. The last run has none, unless its visitor did not play.
func (s *Side) keepsOpen(stopped bool, why error) bool {
	played := !errors.Is(why, ErrLeft) && !errors.Is(why, ErrMismatch)
	return (!stopped || s.goesOn()) && !(s.last && played)
}

// clearQueue takes those out of the accept queue who have left it in all but name: a connection that was reset keeps
// its place there, and is nowhere else. A run that accepted nobody takes out one in any case, lest the next one fail of
// the same. Whoever stands before them and has not left is the next run's: its connection is returned.
func (s *Side) clearQueue() (next *sockapi.Socket) {
	l := s.listening.Load()
	if l == nil {
		return nil
	}
	dead, first := int(l.Last().AcceptQueue)-s.WaitingClients(), s.run.visitors() == 0
	if first {
		dead = max(dead, 1)
	}
	for ; dead > 0 && ready(s.listener.sock, unix.POLLIN); dead-- {
		conn, _, err := s.listener.sock.Accept4(0)
		if err != nil {
			return nil
		}
		if !first && !s.queueFirst && !ready(conn, 0) {
			return conn
		}
		first = false
		s.turnAway(conn)
	}
	return nil
}

// ready tells whether one of the events is there, or an error: of a connection, that it was reset.
func ready(s *sockapi.Socket, events int16) (is bool) { return polled(s, events, 0) }

// polled is ready that waits for it.
func polled(s *sockapi.Socket, events int16, atMost time.Duration) (is bool) {
	s.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: events}}, int(atMost.Milliseconds()))
		is = n == 1 && err == nil
	})
	return is
}

// turnAway closes a connection of nobody's. Who plays something else is told so.
func (s *Side) turnAway(conn *sockapi.Socket) {
	if began := peek(conn); len(began) > 0 && !bytes.HasPrefix(began, s.requestBegins()) {
		conn.Untraced().Send(s.refusal(), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
	}
	conn.Close()
}

// awaitQuestion stays for a moment at the end of the last run, whose client played something else and may ask who is
// here.
func (s *Side) awaitQuestion(ctx context.Context) {
	if !comes(ctx, s.listener.sock, unix.POLLIN, whoAsks) {
		return
	}
	if conn, _, err := s.listener.sock.Untraced().Accept4(0); err == nil {
		comes(ctx, conn, unix.POLLIN, whoAsks)
		s.turnAway(conn.Untraced())
	}
}

// takeListener takes over the listener of the run before, and its calls.
func (s *Side) takeListener(h *keptListener) {
	if h != nil {
		s.listener, s.trace = h, h.trace
		h.trace.SetHooks(s.hooks())
	}
}

// KeepListener leaves the listener to the next run, if there is one.
func (s *Side) KeepListener(l *Conn) {
	if s.serves {
		s.listener = &keptListener{l.sock, s.trace}
		s.run.keepOpen(l)
	}
}

// listenAgain is Listen with the listener of an earlier run.
func (s *Side) listenAgain() *Conn {
	s.run.labels.serves(s.Addr, s.listener.sock.FD())
	l := s.adopt(s.listener.sock)
	s.run.keepOpen(l)
	s.listening.Store(l)
	s.announce(l.boundTo(), s.Name)
	l.FollowChildren()
	s.run.line.listens(s.run)
	return l
}
