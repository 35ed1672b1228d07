package tour

import (
	"math"
	"sync"
	"time"

	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Sights is a sink that keeps what has been seen.
type Sights struct {
	mu          sync.Mutex
	scenario    string
	states      map[string]sight
	transitions map[[2]string]sight
	timeWaits   map[timeline.Ends]time.Duration // by the pair of addresses: when TIME-WAIT ended, or forever
	unmet       []timeline.Event
	missing     []string // scenarios that could not be played
}

// sight is where something was first seen, and by what.
type sight struct{ scenario, source string }

// NewSights has seen nothing.
func NewSights() *Sights {
	return &Sights{states: map[string]sight{}, transitions: map[[2]string]sight{}}
}

// visit says which scenario the events are of from now on.
func (s *Sights) visit(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scenario, s.unmet, s.timeWaits = name, nil, map[timeline.Ends]time.Duration{}
}

func (s *Sights) missed(name, _ string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing = append(s.missing, name)
}

func (s *Sights) failures() []timeline.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unmet
}

// Event takes note.
func (s *Sights) Event(e timeline.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch b := e.Body.(type) {
	case *timeline.Check:
		if !b.OK {
			s.unmet = append(s.unmet, e)
		}
	case *timeline.State:
		s.state(e.At, b)
	}
}

func (s *Sights) state(at time.Duration, b *timeline.State) {
	here := sight{s.scenario, b.Source}
	for _, name := range []string{b.From, b.To} {
		if _, seen := s.states[name]; !seen && name != "" {
			s.states[name] = here
		}
	}
	from := b.From
	if from == "" && b.To == timeline.SynReceived {
		from = timeline.Listen // an entry that appeared at a listener
	}
	if s.replaces(at, b) {
		s.transitions[[2]string{timeline.TimeWait, timeline.SynReceived}] = here
	}
	t := [2]string{from, b.To}
	if old, seen := s.transitions[t]; (!seen || better(here, old)) && witnessed(t, b.Source) {
		s.transitions[t] = here
	}
}

// replaces tells whether a new connection takes the place of one in TIME-WAIT, between the same addresses. To the kernel they are
// two: the old entry goes as the new one comes.
func (s *Sights) replaces(at time.Duration, b *timeline.State) bool {
	pair := b.Ends()
	switch {
	case b.To == timeline.TimeWait:
		s.timeWaits[pair] = math.MaxInt64
	case b.From == timeline.TimeWait:
		s.timeWaits[pair] = at
	case b.To == timeline.SynReceived && b.From != timeline.SynSent:
		ended, had := s.timeWaits[pair]
		return had && ended >= at-sameMoment
	}
	return false
}

// sameMoment is how far apart a look may see the old entry go and the new one come.
const sameMoment = 10 * time.Millisecond

// better: the tracepoint tells of transitions, the others of states before and after.
func better(a, b sight) bool { return a.source == "tracepoint" && b.source != "tracepoint" }

// witnessed tells whether seeing the two states one after the other means that this very transition was made. The
// tracepoint tells transitions; of two samples it is certain where there is no other way from the one to the other.
func witnessed(t [2]string, source string) bool {
	for _, f := range rfc9293.Transitions {
		if f.From.String() == t[0] && f.To.String() == t[1] {
			return source == "tracepoint" || !f.Abort && f.Via == 0
		}
	}
	return false
}

// Coverage is the table: each state, then each transition.
func (s *Sights) Coverage() (table []*timeline.Coverage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, state := range rfc9293.States {
		c := &timeline.Coverage{State: state.String()}
		s.fill(c, s.states[c.State], "no scenario that was played here has it")
		table = append(table, c)
	}
	for _, t := range rfc9293.Transitions {
		c := &timeline.Coverage{From: t.From.String(), To: t.To.String()}
		s.fill(c, s.transitions[[2]string{c.From, c.To}], whyNot(t))
		table = append(table, c)
	}
	return table
}

func (s *Sights) fill(c *timeline.Coverage, at sight, whyNot string) {
	if at.scenario == "" {
		c.WhyNot = whyNot
		return
	}
	c.Seen, c.Scenario, c.Source = true, at.scenario, at.source
}

// whyNot is why a transition may not have been seen.
func whyNot(t rfc9293.Transition) string {
	switch [2]tcpinfo.State{t.From, t.To} {
	case [2]tcpinfo.State{tcpinfo.TimeWait, tcpinfo.Closed}:
		return "takes 60 s: --full waits for it"
	case [2]tcpinfo.State{tcpinfo.SynSent, tcpinfo.SynReceived}:
		return "takes microseconds here: --trace tells it"
	case [2]tcpinfo.State{tcpinfo.SynReceived, tcpinfo.FinWait1}:
		return "the ACK comes before anybody can call close(): it takes a wire that holds it back"
	}
	switch {
	case !t.Linux:
		return "in the figure, not in Linux: connect() on a listener fails with EISCONN"
	case t.Via != 0:
		return "Linux goes through " + t.Via.String() + " on the way, within one segment"
	case t.Abort:
		return "sampling cannot tell it from an orderly end: --trace can"
	}
	return "passed between two samples: --trace tells it"
}
