package timeline

import (
	"slices"
	"testing"

	"socklife/tcpinfo"
)

// A check of a state says of which, and why; a sentence that begins with a state is none.
func TestTheStatesOfACheck(t *testing.T) {
	t.Parallel()
	for _, want := range [][]tcpinfo.State{{tcpinfo.Closed}, {tcpinfo.FinWait1, tcpinfo.TimeWait}} {
		for _, why := range []string{"close() sent FIN: it waits", ""} {
			b := Check{Expect: Expecting(why, want...)}
			if states, says := b.States(); !slices.Equal(states, want) || says != why {
				t.Errorf("%q: %v, %q", b.Expect, states, says)
			}
		}
	}
	for _, none := range []string{"", ": ", "CLOSED", "CLOSED:", "closed: as it was", "CLOSE_WAIT: why", "read(): CLOSED", "TIME-WAIT is too young: connect() does not take it",
		"CLOSED or gone: why", "CLOSED or : why", " or CLOSED: why"} {
		if states, why := (&Check{Expect: none}).States(); states != nil || why != "" {
			t.Errorf("%q: %v, %q", none, states, why)
		}
	}
}
