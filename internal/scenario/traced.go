package scenario

import (
	"context"
	"sync"
	"time"

	"socklife/internal/timeline"
	"socklife/internal/trace"
	"socklife/internal/witness"
	"socklife/tcpinfo"
)

// traced has the kernel's own transitions beside what is sampled. The tracepoint misses nothing that happens to a socket, and
// sock_diag sees what is no socket any more (TIME-WAIT) or not yet (SYN-RECEIVED): each change of state is told
// once, by the tracepoint if it had it.
type traced struct {
	run   *run
	trace *trace.Trace
	stop  func()

	states map[string]*past // of each socket, what has been told
	err    error
}

// past is what the tracepoint has told of one socket.
type past struct {
	now     string
	visited map[string]bool
}

// traceLag is how late the tracepoint's events may come to the timeline.
const traceLag = 20 * time.Millisecond

// openTrace begins to listen to the kernel, if the reader asked for it.
func (r *run) openTrace() error {
	if !r.cfg.Trace {
		return nil
	}
	tr, err := trace.Open(trace.Filter{})
	if err != nil {
		return err
	}
	t := &traced{run: r, trace: tr, states: map[string]*past{}}
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() { t.err = tr.Run(ctx, t.event) })
	t.stop = func() { cancel(); reading.Wait() }
	r.traced = t
	r.log.SetLag(traceLag)
	r.log.SetFilter(t.once)
	return nil
}

// close ends the trace; what the kernel told until now is in the timeline then.
func (t *traced) close() error {
	if t == nil {
		return nil
	}
	t.stop()
	err := t.trace.Close()
	t.run.log.Flush()
	t.run.log.SetFilter(nil)
	t.run.log.SetLag(0)
	if t.err != nil {
		return t.err
	}
	return err
}

// side is whose socket it is: the ports that were bound or connected to tell.
func (t *traced) side(e trace.Event) timeline.Side {
	t.run.mu.Lock()
	defer t.run.mu.Unlock()
	if s, ok := t.run.ports[e.Local.Port()]; ok {
		return s
	}
	if s, ok := t.run.ports[e.Remote.Port()]; ok {
		return s.Other()
	}
	return timeline.Client
}

// event puts a transition into the timeline. CLOSED is not told where sock_diag has something left of the socket: that is
// TIME-WAIT, or an orphan's FIN-WAIT-2, and it will tell.
func (t *traced) event(e trace.Event) {
	side := t.side(e)
	if e.ClosedIsNotTheEnd() && t.remains(side, e) {
		return
	}
	t.run.log.Add(side, e.Time, &timeline.State{
		Local: witness.Addr(e.Local), Remote: witness.Addr(e.Remote),
		From: e.From.String(), To: e.To.String(), Source: "tracepoint",
	})
}

func (t *traced) remains(side timeline.Side, e trace.Event) bool {
	h := t.run.clientHost
	if side == timeline.Server {
		h = t.run.serverHost
	}
	s, err := h.diag.Lookup(e.Local, e.Remote, 0)
	return err == nil && (s.State == tcpinfo.TimeWait || s.State == tcpinfo.FinWait2)
}

// once is the timeline's filter: a state that the tracepoint has told is not told again by who sampled it later, but for
// what only sampling knows (timer, queues).
func (t *traced) once(_ timeline.Side, b timeline.Body) bool {
	s, ok := b.(*timeline.State)
	if !ok {
		return true
	}
	key := s.Local + " " + s.Remote
	p := t.states[key]
	if p == nil {
		p = &past{visited: map[string]bool{}}
		t.states[key] = p
	}
	if s.Source == "tracepoint" {
		if s.From == timeline.Closed || s.From == timeline.Listen {
			p.visited = map[string]bool{} // a new life of the same pair
		}
		p.now, p.visited[s.To] = s.To, true
		return true
	}
	switch {
	case p.now == "":
		return true // the tracepoint knows nothing of it
	case s.To == p.now:
		s.From = s.To
		return hasNews(s)
	case p.visited[s.To]:
		return false // sampled just before the transition that has been told
	}
	if s.From != "" && s.From != s.To {
		s.From = p.now
	}
	p.now, p.visited[s.To] = s.To, true
	return true
}

func hasNews(s *timeline.State) bool {
	return s.Timer != "" || len(s.Shutdown) > 0 || (s.RecvQ != nil && *s.RecvQ > 0)
}

// announce tells those who watch from outside of a port before anything happens on it.
func (s *Side) announce(port uint16, whose timeline.Side) {
	s.run.belongs(port, whose)
	if t := s.run.traced; t != nil && port != 0 {
		s.must(t.trace.AddPorts(port))
	}
	if c := s.run.captured; c != nil {
		s.must(c.capture.AddPort(port))
	}
}

func (s *Side) must(err error) {
	if err != nil {
		s.run.fail(err)
	}
}
