package observe

import (
	"maps"
	"net/netip"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// dedupe knows what the tracepoint has told of each socket.
type dedupe struct {
	states map[timeline.Ends]*past
	limit  int // so many are kept before those that are over are forgotten
}

// past is what the tracepoint has told of one socket.
type past struct {
	socket  int // its number; 0 if that is not known
	now     tcpinfo.State
	visited map[tcpinfo.State]bool
}

// fewest is how many sockets are remembered at least, those included whose end may still be sampled.
const fewest = 4096

// keep is the timeline's filter: a state that the tracepoint has told is not told again by who sampled it later, but
// for what only sampling knows (timer, queues).
func (d *dedupe) keep(_ timeline.Side, b timeline.Body) bool {
	if w, ok := b.(*timeline.Watched); ok {
		return d.keepLook(w)
	}
	s, ok := b.(*timeline.State)
	if !ok {
		return true
	}
	if p := d.states[s.Ends()]; p != nil && s.Source != "tracepoint" && s.Socket != 0 && s.Socket < p.socket {
		return s.To == tcpinfo.TimeWait // of the life before, which the tracepoint has told to its end
	}
	p := d.pastOf(s)
	if s.Source == "tracepoint" {
		p.socket = s.Socket
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
		s.From, s.FromSource = p.now, "tracepoint"
	}
	p.enter(s.To)
	return true
}

// keepLook is the same for what a look has found of anybody's socket. It may have other news than the state, and so it
// is kept, and marked; but for what was found just before a transition that has been told.
func (d *dedupe) keepLook(w *timeline.Watched) bool {
	p := d.states[w.Ends()]
	switch {
	case p == nil:
	case w.What == "gone":
		w.Told = p.now == tcpinfo.Closed
		if p.now == tcpinfo.TimeWait || p.now == tcpinfo.FinWait2 { // the end of which the tracepoint does not tell
			p.enter(tcpinfo.Closed)
		}
	case w.To == p.now:
		w.Told = true
	case p.visited[w.To]:
		w.Told = true
		return w.What != "changed"
	default:
		w.From = p.now
		p.enter(w.To)
	}
	return true
}

// pastOf is what has been told of the socket that a state is of, by its addresses. A life begins with what leaves
// CLOSED, or with a SYN; when connect() has a socket leave CLOSED, the tracepoint does not know its port yet.
func (d *dedupe) pastOf(s *timeline.State) *past {
	key := s.Ends()
	begins := s.From == tcpinfo.Closed || s.To == tcpinfo.SynReceived && s.From == tcpinfo.Listen
	if s.Source == "tracepoint" && begins || s.From == 0 && d.isOver(key) && s.To != tcpinfo.TimeWait && s.To != tcpinfo.Closed {
		d.begin(key)
	}
	nameless := timeline.Ends{Local: netip.AddrPortFrom(s.Local.Addr(), 0), Remote: s.Remote} // no port is chosen yet
	connects := s.Source == "tracepoint" && s.From == tcpinfo.SynSent || s.From == tcpinfo.Closed && s.To == tcpinfo.SynSent
	if p := d.states[nameless]; connects && p != nil && key != nameless && (d.states[key] == nil || d.states[key].now != tcpinfo.SynSent) {
		delete(d.states, nameless)
		d.states[key] = p
	}
	if d.states[key] == nil {
		d.begin(key)
	}
	return d.states[key]
}

// isOver says whether the last socket with these addresses has come to its end: one that is seen for the first time now
// is another.
func (d *dedupe) isOver(key timeline.Ends) bool {
	p := d.states[key]
	return p != nil && (p.now == tcpinfo.Closed || p.now == tcpinfo.TimeWait)
}

// begin begins a life. A server sees very many: what is over is forgotten some time.
func (d *dedupe) begin(key timeline.Ends) {
	if d.states == nil {
		d.states, d.limit = map[timeline.Ends]*past{}, fewest
	}
	if len(d.states) >= d.limit {
		maps.DeleteFunc(d.states, func(_ timeline.Ends, p *past) bool { return p.now == tcpinfo.Closed })
		d.limit = max(fewest, 2*len(d.states))
	}
	d.states[key] = &past{visited: map[tcpinfo.State]bool{}}
}

func (p *past) enter(state tcpinfo.State) { p.now, p.visited[state] = state, true }

func hasNews(s *timeline.State) bool {
	return s.Timer != "" || len(s.Shutdown) > 0 || (s.RecvQ != nil && *s.RecvQ > 0)
}
