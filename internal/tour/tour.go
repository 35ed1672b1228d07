// Package tour plays every scenario that can be played here, and tells which states and transitions of RFC 9293 were seen on
// the way, by which scenario and by which source.
package tour

import (
	"context"
	"time"

	"socklife/internal/scenario"
	"socklife/internal/timeline"
	"socklife/internal/unsupported"
)

// Stop is how one scenario of the tour went.
type Stop struct {
	Scenario *scenario.Scenario
	Wire     bool // on the wire
	N, Of    int  // which it is, and of how many
	Result   scenario.Result
	Skipped  string // why it could not be played here
	Took     time.Duration
	Failures []timeline.Event // the checks that were not met
}

// Config is what the tour is to be.
type Config struct {
	Run    scenario.Config      // for each scenario; its Log is the tour's
	Wire   *scenario.WireConfig // nil: no wire
	Begin  func(Stop)           // before each scenario
	End    func(Stop)           // after it
	Sights *Sights              // a sink of the log
}

// Result sums it up.
type Result struct {
	Scenarios, Skipped int
	Checks, Failed     int
	Err                error
}

// OK tells whether every check of every scenario that was played held.
func (r Result) OK() bool { return r.Err == nil && r.Failed == 0 }

// Run plays the scenarios one after the other: what they count is the whole network namespace's. The coverage is the last
// that the log gets.
func Run(ctx context.Context, cfg Config) Result {
	var sum Result
	stops := itinerary(cfg.Wire != nil)
	for i, stop := range stops {
		stop.N, stop.Of = i+1, len(stops)
		cfg.Begin(stop)
		play(ctx, cfg, &stop)
		if ctx.Err() != nil {
			sum.Err = context.Cause(ctx)
			return sum
		}
		sum.count(stop)
		cfg.End(stop)
	}
	for _, c := range cfg.Sights.Coverage() {
		cfg.Run.Log.Add(timeline.Client, time.Time{}, c)
	}
	cfg.Run.Log.Add(timeline.Client, time.Time{}, &timeline.Summary{Scenario: "tour", OK: sum.OK(), Checks: sum.Checks, Failed: sum.Failed})
	cfg.Run.Log.Flush()
	return sum
}

// itinerary is every scenario on this host, then those that the wire has more to say of.
func itinerary(wire bool) (stops []Stop) {
	for _, sc := range scenario.All() {
		if !sc.OnlyWire {
			stops = append(stops, Stop{Scenario: sc})
		}
	}
	for _, sc := range scenario.All() {
		if wire && (sc.OnlyWire || sc.Wire != nil) {
			stops = append(stops, Stop{Scenario: sc, Wire: true})
		}
	}
	return stops
}

// Name is the scenario as it is typed.
func (s Stop) Name() string {
	if s.Wire {
		return s.Scenario.Name + " --wire"
	}
	return s.Scenario.Name
}

// play plays one scenario.
func play(ctx context.Context, cfg Config, stop *Stop) {
	cfg.Sights.visit(stop.Name())
	if stop.Wire {
		cfg.Run.Wire = cfg.Wire
	}
	begin := time.Now()
	stop.Result = scenario.Both(ctx, stop.Scenario, cfg.Run)
	stop.Took = time.Since(begin)
	stop.Failures = cfg.Sights.failures()
	if cannot := unsupported.In(stop.Result.Err); cannot != nil {
		stop.Skipped = cannot.Error()
		cfg.Sights.missed(stop.Scenario.Name, cannot.What)
	}
}

func (r *Result) count(s Stop) {
	r.Scenarios++
	r.Checks += s.Result.Checks
	r.Failed += s.Result.Failed
	if s.Skipped != "" {
		r.Skipped++
		return
	}
	if s.Result.Err != nil && r.Err == nil {
		r.Err = &Failed{s.Name(), s.Result.Err}
	}
}

// Failed is a scenario that did not come to its end.
type Failed struct {
	Scenario string
	Err      error
}

func (f *Failed) Error() string { return f.Scenario + ": " + f.Err.Error() }
func (f *Failed) Unwrap() error { return f.Err }
