package scenario

import (
	"context"
	"sync/atomic"
	"time"

	"socklife/internal/observe"
	"socklife/internal/timeline"
	"socklife/sockapi"
)

// tracer puts each call of one side into the timeline. It is also where --pace and --step are kept: nothing enters the
// kernel before its time.
type tracer struct {
	side atomic.Pointer[Side] // a listener that is kept from run to run has another side in each
	last atomic.Int64         // ns that the last call took
}

// took is how long the side's last call was in the kernel.
func (t *tracer) took() time.Duration { return time.Duration(t.last.Load()) }

func newTracer(s *Side) *tracer {
	t := &tracer{}
	t.side.Store(s)
	return t
}

// Enter waits for its turn, then starts the clock of the call; the call is recorded when it has returned. Calls of a
// run that is over are its cleaning up and not of the lesson.
func (t *tracer) Enter(c *sockapi.Call) (exit func()) {
	side := t.side.Load()
	r := side.run
	what := observe.Short(c)
	r.gate(side.Name, what)
	if r.ctx.Err() != nil {
		return func() { t.last.Store(int64(c.Took())) }
	}
	wait := r.clock.wait(func() { r.cancel(timeout{what, r.cfg.Patience}) })
	inFlight := r.log.Enter(side.Name, !observe.Waits(c), time.Now(), what)
	return func() {
		t.last.Store(int64(c.Took()))
		wait.end()
		if t.side.Load().run.ctx.Err() != nil {
			inFlight.Drop() // woken by us, not by the kernel's doing
			return
		}
		inFlight.Exit(c.Took(), observe.Call(c))
	}
}

// gate waits for --pace, or for Enter. If the run is over then, the call is not made.
func (r *run) gate(side timeline.Side, next string) {
	if r.ctx.Err() != nil {
		return
	}
	defer r.stopIfOver()
	if r.cfg.Pace > 0 {
		r.clock.pause(r.cfg.Pace)
	}
	if r.cfg.Step == nil {
		return
	}
	resume := r.clock.hold()
	defer resume()
	r.log.Flush()
	if err := r.cfg.Step(r.ctx, side, next); err != nil && r.ctx.Err() == nil {
		r.cancel(context.Canceled)
	}
}
