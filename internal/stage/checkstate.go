package stage

import (
	"fmt"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// checkState records whether the state is one of those that were expected. Who reads that it is need not hear of the
// others.
func (r *run) checkState(side timeline.Side, at time.Time, seen watch.Sample, why string, states []tcpinfo.State, ok bool) {
	c := &timeline.Check{Expect: timeline.Expecting(why, states...), Got: fmt.Sprintf("%s (%s)", seen.State, seen.Source), OK: ok}
	if ok && len(states) > 1 {
		c.Met = timeline.Expecting(why, seen.State)
	}
	r.record(side, at, c)
}
