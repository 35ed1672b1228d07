package scenario

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"socklife/internal/observe"
	"socklife/internal/timeline"
	"socklife/internal/unsupported"
	"socklife/sockapi"
)

// Serve runs the server's side, again and again, until runs of them are done (0: without end) or ctx ends. After each run
// it tells what came of it.
func Serve(ctx context.Context, sc *Scenario, cfg Config, runs int, after func(Result)) error {
	var listener *heirloom
	defer func() { listener.close() }()
	for n := 0; runs == 0 || n < runs; n++ {
		r, err := newRun(ctx, sc, cfg, false)
		if err != nil {
			return err
		}
		server := r.side(timeline.Server, cfg.Addr)
		server.keeps = runs == 0 || n+1 < runs
		server.inherit(listener)
		server.ready = func(a netip.AddrPort) {
			if cfg.Ready != nil {
				cfg.Ready(a)
			}
			cfg.Ready, cfg.Addr = nil, a // the port that was free is ours from now on
		}
		result := r.serve(server)
		listener = server.listener
		if result.Err != nil { // what the run had open is closed, the listener too: the next one starts afresh
			listener.close()
			listener = nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !listensAgain(result.Err) {
			return result.Err
		}
		after(result)
	}
	return nil
}

// serve plays one run. Until somebody comes, no time is counted.
func (r *run) serve(server *Side) Result {
	resume := r.clock.hold()
	r.unvisited.Store(true)
	server.met = sync.OnceFunc(func() { r.unvisited.Store(false); resume() })
	return r.finish(r.play(func() {
		r.start(server, r.sc.Server)
		<-server.done
	}), timeline.Server)
}

// listensAgain tells whether the server can wait for another client after this. What the client did is no reason to stop;
// that the address cannot be had is.
func listensAgain(err error) bool {
	if unsupported.In(err) != nil {
		return false // nor could the next run
	}
	var call *sockapi.Error
	return !errors.As(err, &call) || (call.Call != "socket" && call.Call != "bind" && call.Call != "listen")
}

// heirloom is a listener that outlives the run that opened it.
type heirloom struct {
	sock  *sockapi.Socket
	trace *observe.Tracer
}

func (h *heirloom) close() {
	if h != nil {
		h.sock.Close()
	}
}

// inherit takes over the listener of the run before, and its calls.
func (s *Side) inherit(h *heirloom) {
	if h != nil {
		s.listener, s.trace = h, h.trace
		h.trace.SetHooks(s.hooks())
	}
}

// bequeath leaves the listener to the next run, if there is one. (After a failure that starts afresh.)
func (s *Side) bequeath(l *Conn) {
	if s.keeps {
		s.listener = &heirloom{l.sock, s.trace}
		l.keep = true
	}
}

// relisten is Listen with the listener of an earlier run.
func (s *Side) relisten() *Conn {
	l := s.adopt(s.listener.sock)
	l.keep = true
	s.announce(l.boundTo(), s.Name)
	s.host.watch.FollowChildren(l.watch, s.Name)
	return l
}
