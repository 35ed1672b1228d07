package stage

import (
	"time"

	"socklife/internal/timeline"
)

// With options of his own the user makes an experiment: what the lesson expects need not come, and what comes in its
// place is what he wants to see. So the run goes on, until a call fails that it needs, and says at its end what was
// different.

// How long an experiment waits, in two terminals, for what may never come: a state, and in a call.
const (
	experimentState = 20 * time.Second
	experimentCall  = 2 * time.Minute
)

// goOnOrFail is for an expectation that was not met, and is recorded: it ends the run, unless that is an experiment.
func (r *run) goOnOrFail(err error) {
	if r.cfg.Experiment == "" {
		r.fail(err)
	}
}

// goOnOrFail goes on also where a client in a terminal of its own has seen that something else came: the experiment may
// be the server's, and the consequence is here.
func (s *Side) goOnOrFail(err error, came bool) {
	if came && !s.run.both && s.Name == timeline.Client {
		return
	}
	s.run.goOnOrFail(err)
}

// patience is how long this run waits for a state.
func (r *run) patience() time.Duration { return r.atMost(experimentState) }

// callPatience is how long it waits in a call.
func (r *run) callPatience() time.Duration { return r.atMost(experimentCall) }

func (r *run) atMost(inExperiment time.Duration) time.Duration {
	if r.cfg.Experiment != "" && r.cfg.Step == nil {
		return min(r.cfg.Timeout, inExperiment+r.cfg.Hold)
	}
	return r.cfg.Timeout
}
