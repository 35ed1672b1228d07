package merge

import (
	"fmt"
	"time"

	"socklife/internal/timeline"
)

// offset is how far the server's clock is ahead of the client's: between what the causes and effects allow. It also
// says so, with how sure that is.
func offset(needs []need) (ahead time.Duration, says string) {
	var least, most time.Duration
	var below, above bool
	for _, n := range needs {
		if n.cause.lane.side == timeline.Client { // the effect is later: it is ahead by no more
			if d := n.effect.Time.Sub(n.cause.Time); !above || d < most {
				most, above = d, true
			}
		} else if d := n.cause.Time.Sub(n.effect.Time); !below || d > least {
			least, below = d, true
		}
	}
	from := fmt.Sprintf("from %d causes and their effects", len(needs))
	switch {
	case !above && !below:
		return 0, "two kernels, and nothing says how far their clocks are apart: they are taken for the same"
	case !below:
		return most, fmt.Sprintf("two kernels: the server's clock is %s at the most, which is taken (%s)", isAhead(most), from)
	case !above:
		return least, fmt.Sprintf("two kernels: the server's clock is %s at the least, which is taken (%s)", isAhead(least), from)
	}
	ahead = least + (most-least)/2
	if least > most {
		return ahead, fmt.Sprintf("two kernels: causes and effects contradict each other by %s, as where a clock was set meanwhile; the server's clock is taken to be %s (%s)",
			span(least-most), isAhead(ahead), from)
	}
	return ahead, fmt.Sprintf("two kernels: the server's clock is %s, ±%s (%s)", isAhead(ahead), span((most-least)/2), from)
}

func isAhead(d time.Duration) string {
	if d < 0 {
		return span(-d) + " behind"
	}
	return span(d) + " ahead"
}

// span is a duration in ms, to the microsecond.
func span(d time.Duration) string {
	return fmt.Sprintf("%.3f ms", float64(d)/float64(time.Millisecond))
}
