// Package tour plays every scenario that can be played here, and tells which states and transitions of RFC 9293 were
// seen on the way, by which scenario and by which source.
package tour

import (
	"context"
	"fmt"
	"time"

	"socklife/internal/scenario"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/unsupported"
)

// Stop is how one scenario of the tour went.
type Stop struct {
	Scenario  *stage.Scenario
	Wire      bool // on the wire
	N, Of     int  // which it is, and of how many
	Result    stage.Result
	NotPlayed string // why it could not be played here
	Took      time.Duration
	Failures  []timeline.Event // the checks that were not met
}

// Config is what the tour is to be.
type Config struct {
	Run      stage.Config      // for each scenario; its Log is the tour's
	Wire     *stage.WireConfig // nil: no wire
	Begin    func(Stop)        // before each scenario
	End      func(Stop)        // after it
	Coverage *Coverage         // a sink of the log
}

// Run plays the scenarios one after the other: what they count is the whole network namespace's. The coverage is the
// last that the log gets, also of a tour that is interrupted. The result's error is of the first scenario that did not
// come to its end.
func Run(ctx context.Context, cfg Config) (sum stage.Result) {
	stops := plan(cfg.Wire != nil)
	for i, stop := range stops {
		stop.N, stop.Of = i+1, len(stops)
		cfg.Begin(stop)
		play(ctx, cfg, &stop)
		if ctx.Err() != nil {
			sum.Err, sum.Interrupted = context.Cause(ctx), true
			break
		}
		sum.Checks += stop.Result.Checks
		sum.Failed += stop.Result.Failed
		if err := stop.Result.Err; err != nil && stop.NotPlayed == "" && sum.Err == nil {
			sum.Err = fmt.Errorf("%s: %w", stop.Name(), err)
		}
		cfg.End(stop)
	}
	for _, c := range cfg.Coverage.Table() {
		cfg.Run.Log.Add(timeline.Client, time.Time{}, c)
	}
	cfg.Run.Log.Add(timeline.Client, time.Time{}, &timeline.Summary{Scenario: "tour", OK: sum.OK(), Checks: sum.Checks, Failed: sum.Failed, Why: sum.Why()})
	cfg.Run.Log.Flush()
	return sum
}

// plan is every scenario on this host, then those that the wire has more to say of.
func plan(wire bool) (stops []Stop) {
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
	cfg.Coverage.begin(stop.Name())
	if stop.Wire {
		cfg.Run.Wire = cfg.Wire
	}
	begin := time.Now()
	stop.Result = stage.Both(ctx, stop.Scenario, cfg.Run)
	stop.Took = time.Since(begin)
	stop.Failures = cfg.Coverage.failures()
	if cannot := unsupported.In(stop.Result.Err); cannot != nil {
		stop.NotPlayed = cannot.Error()
	}
}
