package scenario

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"socklife/internal/timeline"
	"socklife/internal/trace"
	"socklife/internal/witness"
	"socklife/tcpinfo"
)

// traced has the kernel's own transitions beside what is sampled. The tracepoint misses nothing that happens to a
// socket, and sock_diag sees what is no socket any more (TIME-WAIT) or not yet (SYN-RECEIVED): each change of state is
// told once, by the tracepoint if it had it.
type traced struct {
	run   *run
	trace *trace.Trace
	stop  func()

	states map[timeline.Ends]*past // of each pair of addresses, what has been told
	err    error
}

// past is what the tracepoint has told of one socket.
type past struct {
	now     tcpinfo.State
	visited map[tcpinfo.State]bool
}

// traceLag is how late the tracepoint's events may come to the timeline.
const traceLag = 20 * time.Millisecond

// openTrace begins to listen to the kernel, if the reader asked for it.
func (r *run) openTrace() error {
	if !r.cfg.Trace {
		return nil
	}
	tr, err := trace.Open()
	if err != nil {
		return err
	}
	t := &traced{run: r, trace: tr, states: map[timeline.Ends]*past{}}
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() { t.err = tr.Run(ctx, t.event) })
	t.stop = func() { cancel(); reading.Wait() }
	r.traced = t
	r.log.SetLag(traceLag)
	r.log.SetFilter(t.dedupe)
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

// event puts a transition into the timeline. The kernel selects by port alone, on every host of the machine: what is
// not of this run is left out. CLOSED is not told where sock_diag has something left of the socket: that is TIME-WAIT,
// or an orphan's FIN-WAIT-2, and it will tell.
func (t *traced) event(e trace.Event) {
	if e.Lost > 0 {
		t.run.log.Add(timeline.Wire, e.Time, &timeline.Note{Text: fmt.Sprintf("at least %d transitions are missing here: the kernel's trace buffer was full", e.Lost)})
	}
	side, ours := t.run.whose(e.Local, e.Remote)
	if !ours || e.ClosedIsNotTheEnd() && t.remains(side, e) {
		return
	}
	t.run.log.Add(side, e.Time, &timeline.State{
		Local: witness.Addr(e.Local), Remote: witness.Addr(e.Remote),
		From: e.From, To: e.To, Source: "tracepoint",
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

// dedupe is the timeline's filter: a state that the tracepoint has told is not told again by who sampled it later, but
// for what only sampling knows (timer, queues).
func (t *traced) dedupe(_ timeline.Side, b timeline.Body) bool {
	s, ok := b.(*timeline.State)
	if !ok {
		return true
	}
	p := t.pastOf(s)
	if s.Source == "tracepoint" {
		p.visited[s.From] = true
		p.enter(s.To)
		return true
	}
	switch {
	case p.now == 0:
		return true // the tracepoint knows nothing of it
	case s.From != 0 && s.From != tcpinfo.Closed && !p.visited[s.From]:
		return true // the end of the connection that had these addresses before
	case s.To == p.now:
		s.From = s.To
		return hasNews(s)
	case p.visited[s.To]:
		return false // sampled just before the transition that has been told
	}
	if s.From != 0 && s.From != s.To {
		s.From = p.now
	}
	p.enter(s.To)
	return true
}

// pastOf is what has been told of the socket that a state is of, by its addresses. A life begins with what leaves
// CLOSED, or with a SYN; when connect() has a socket leave CLOSED, the tracepoint does not know its port yet.
func (t *traced) pastOf(s *timeline.State) *past {
	key := s.Ends()
	begins := s.From == tcpinfo.Closed || s.To == tcpinfo.SynReceived && s.From == tcpinfo.Listen
	if s.Source == "tracepoint" && begins {
		t.states[key] = newPast()
	}
	nameless := timeline.Ends{Local: netip.AddrPortFrom(s.Local.Addr(), 0), Remote: s.Remote} // no port is chosen yet
	connects := s.Source == "tracepoint" && s.From == tcpinfo.SynSent || s.From == tcpinfo.Closed && s.To == tcpinfo.SynSent
	if p := t.states[nameless]; connects && p != nil && key != nameless && (t.states[key] == nil || t.states[key].now != tcpinfo.SynSent) {
		delete(t.states, nameless)
		t.states[key] = p
	}
	if t.states[key] == nil {
		t.states[key] = newPast()
	}
	return t.states[key]
}

func newPast() *past { return &past{visited: map[tcpinfo.State]bool{}} }

func (p *past) enter(state tcpinfo.State) { p.now, p.visited[state] = state, true }

func hasNews(s *timeline.State) bool {
	return s.Timer != "" || len(s.Shutdown) > 0 || (s.RecvQ != nil && *s.RecvQ > 0)
}

// announce tells those who watch from outside of an address before anything happens on it.
func (s *Side) announce(addr netip.AddrPort, whose timeline.Side) {
	if addr.Port() == 0 {
		return
	}
	s.run.belongs(addr, whose)
	if t := s.run.traced; t != nil {
		s.must(t.trace.AddPorts(addr.Port()))
	}
	if c := s.run.captured; c != nil {
		s.must(c.capture.AddPort(addr.Port()))
	}
}

func (s *Side) must(err error) {
	if err != nil {
		s.run.fail(err)
	}
}
