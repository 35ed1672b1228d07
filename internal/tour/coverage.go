package tour

import (
	"math"
	"slices"
	"sync"
	"time"

	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Coverage is a sink that keeps which states and transitions have been seen, and by which scenario first.
type Coverage struct {
	mu          sync.Mutex
	scenario    string
	states      map[tcpinfo.State]seenBy
	transitions map[transition]seenBy
	by          map[transition][]timeline.Cause // what brought it about, each time that this was seen
	causes      *causes                         // what was seen in this run
	timeWaits   map[timeline.Ends]timeWait      // by the socket pair
	unmet       []timeline.Event
}

type transition struct{ from, to tcpinfo.State }

// seenBy is where something was first seen, and by what.
type seenBy struct{ scenario, source string }

// NewCoverage has seen nothing.
func NewCoverage() *Coverage {
	return &Coverage{states: map[tcpinfo.State]seenBy{}, transitions: map[transition]seenBy{}, by: map[transition][]timeline.Cause{}, causes: newCauses()}
}

// begin says which scenario the events are of from now on.
func (v *Coverage) begin(scenario string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.scenario, v.unmet, v.timeWaits = scenario, nil, map[timeline.Ends]timeWait{}
	v.causes = newCauses()
}

func (v *Coverage) failures() []timeline.Event {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.unmet
}

// Event takes note.
func (v *Coverage) Event(e timeline.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch b := e.Body.(type) {
	case *timeline.Check:
		if !b.OK {
			v.unmet = append(v.unmet, e)
		}
	case *timeline.State:
		v.state(e.At, b)
	}
	v.causes.note(e)
}

func (v *Coverage) state(at time.Duration, b *timeline.State) {
	here := seenBy{v.scenario, b.Source}
	for _, s := range []tcpinfo.State{b.From, b.To} {
		if _, seen := v.states[s]; !seen {
			v.states[s] = here
		}
	}
	t := transition{b.From, b.To}
	if b.From == 0 && b.To == tcpinfo.SynReceived {
		t.from = tcpinfo.Listen // an entry that appeared at a listener
	}
	if old, is := v.replaces(at, b); is {
		both := here
		if old.source != here.source {
			both.source = old.source + " and " + here.source // a conclusion from what two have told
		}
		over := transition{tcpinfo.TimeWait, tcpinfo.SynReceived}
		v.transitions[over] = both
		v.cause(over, at, b)
	}
	if certain(t, b.Source) {
		v.cause(t, at, b)
	}
	if old, seen := v.transitions[t]; (!seen || better(here, old)) && certain(t, b.Source) {
		v.transitions[t] = here
	}
}

// replaces tells whether a new connection takes the place of one in TIME-WAIT, between the same addresses. To the
// kernel they are two: the old entry goes as the new one comes.
func (v *Coverage) replaces(at time.Duration, b *timeline.State) (old timeWait, is bool) {
	pair := b.Ends()
	switch {
	case b.To == tcpinfo.TimeWait:
		v.timeWaits[pair] = timeWait{math.MaxInt64, b.Source}
	case b.From == tcpinfo.TimeWait:
		v.timeWaits[pair] = timeWait{at, b.Source}
	case b.To == tcpinfo.SynReceived && b.From != tcpinfo.SynSent:
		old, had := v.timeWaits[pair]
		return old, had && old.ended >= at-sameMoment
	}
	return timeWait{}, false
}

// timeWait is when one ended, or forever, and who has told of it.
type timeWait struct {
	ended  time.Duration
	source string
}

// sameMoment is how far apart a look may see the old entry go and the new one come.
const sameMoment = 10 * time.Millisecond

// cause keeps what brought a transition about, if that was seen.
func (v *Coverage) cause(t transition, at time.Duration, b *timeline.State) {
	says := v.causes.of(at, t.from, b)
	if says != "" && !slices.ContainsFunc(v.by[t], func(c timeline.Cause) bool { return c.By == says }) {
		v.by[t] = append(v.by[t], timeline.Cause{By: says, Scenario: v.scenario})
	}
}

// better: the tracepoint tells of transitions, the others of states before and after.
func better(a, b seenBy) bool { return a.source == "tracepoint" && b.source != "tracepoint" }

// certain tells whether seeing the two states one after the other means that this very transition was made. The
// tracepoint tells transitions; of two samples it is certain where there is no other way from the one to the other.
func certain(t transition, source string) bool {
	f, is := rfc9293.Step(t.from, t.to)
	return is && (source == "tracepoint" || !f.Abort && f.Via == 0)
}

// Table is each state, then each transition.
func (v *Coverage) Table() (table []*timeline.Coverage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	add := func(c timeline.Coverage, by seenBy, whyNot string) {
		if c.Seen, c.Scenario, c.Source = by.scenario != "", by.scenario, by.source; !c.Seen {
			c.WhyNot = whyNot
		}
		table = append(table, &c)
	}
	for _, s := range rfc9293.States {
		add(timeline.Coverage{State: s}, v.states[s], "no scenario that was played here has it")
	}
	for _, t := range rfc9293.Transitions {
		row := timeline.Coverage{From: t.From, To: t.To, Causes: v.by[transition{t.From, t.To}]}
		add(row, v.transitions[transition{t.From, t.To}], whyNot(t))
	}
	return table
}

// whyNot is why a transition may not have been seen.
func whyNot(t rfc9293.Transition) string {
	switch (transition{t.From, t.To}) {
	case transition{tcpinfo.TimeWait, tcpinfo.Closed}:
		return "takes 60 s: --full waits for it"
	case transition{tcpinfo.SynSent, tcpinfo.SynReceived}:
		return "takes microseconds here: --trace tells it"
	case transition{tcpinfo.SynReceived, tcpinfo.FinWait1}:
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
