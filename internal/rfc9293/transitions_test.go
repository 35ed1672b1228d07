package rfc9293

import (
	"slices"
	"testing"

	"socklife/tcpinfo"
)

func TestWays(t *testing.T) {
	type way = []tcpinfo.State
	for _, c := range []struct {
		from, to tcpinfo.State
		want     []way
	}{
		{tcpinfo.Closed, tcpinfo.Established, []way{{tcpinfo.SynSent}, {tcpinfo.SynSent, tcpinfo.SynReceived}}},
		{tcpinfo.Closed, tcpinfo.CloseWait, []way{{tcpinfo.SynSent, tcpinfo.Established}, {tcpinfo.SynSent, tcpinfo.SynReceived, tcpinfo.Established}}},
		{tcpinfo.Established, tcpinfo.FinWait2, []way{{tcpinfo.FinWait1}}},
		{tcpinfo.Established, tcpinfo.Closing, []way{{tcpinfo.FinWait1}}},
		{tcpinfo.Established, tcpinfo.LastAck, []way{{tcpinfo.CloseWait}}},
		{tcpinfo.Listen, tcpinfo.Established, []way{{tcpinfo.SynReceived}}},
		{tcpinfo.TimeWait, tcpinfo.Established, []way{{tcpinfo.SynReceived}}},
		{tcpinfo.SynSent, tcpinfo.CloseWait, []way{{tcpinfo.Established}, {tcpinfo.SynReceived, tcpinfo.Established}}},
		{tcpinfo.CloseWait, tcpinfo.Closed, []way{{tcpinfo.LastAck}}}, // or a reset: see MayAbort

		{tcpinfo.Established, tcpinfo.FinWait1, []way{{}}}, // one step: nothing passed
		{tcpinfo.SynSent, tcpinfo.Established, []way{{}}},
		{tcpinfo.FinWait2, tcpinfo.Closed, []way{{}}},
		{tcpinfo.LastAck, tcpinfo.Closed, []way{{}}},

		{tcpinfo.Established, tcpinfo.TimeWait, []way{{tcpinfo.FinWait1, tcpinfo.FinWait2}, {tcpinfo.FinWait1, tcpinfo.Closing}}},
		{tcpinfo.FinWait1, tcpinfo.TimeWait, []way{{tcpinfo.FinWait2}, {tcpinfo.Closing}}},
		{tcpinfo.Established, tcpinfo.Established, nil},
		{tcpinfo.Established, 99, nil},
		{0, tcpinfo.Established, nil},
	} {
		if got := Ways(c.from, c.to); !slices.EqualFunc(got, c.want, slices.Equal[way]) {
			t.Errorf("Ways(%s, %s) = %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

// A way is made of steps, none of which ends the life, and passes no state twice.
func TestWaysAreReal(t *testing.T) {
	for _, from := range States {
		for _, to := range States {
			for _, way := range Ways(from, to) {
				all := append(append([]tcpinfo.State{from}, way...), to)
				for i := 1; i < len(all); i++ {
					if !slices.Contains(steps(all[i-1], i == 1), all[i]) {
						t.Errorf("%s to %s: no step %s to %s", from, to, all[i-1], all[i])
					}
					if slices.Contains(all[:i], all[i]) || i < len(all)-1 && all[i] == tcpinfo.Closed {
						t.Errorf("%s to %s: %v", from, to, way)
					}
				}
			}
		}
	}
}

func TestPassed(t *testing.T) {
	certainly, possibly := Passed(Ways(tcpinfo.Closed, tcpinfo.CloseWait))
	if !slices.Equal(certainly, []tcpinfo.State{tcpinfo.SynSent, tcpinfo.Established}) || !slices.Equal(possibly, []tcpinfo.State{tcpinfo.SynReceived}) {
		t.Errorf("certainly %v, possibly %v", certainly, possibly)
	}
}

// Every state is entered and left, and no pair stands twice: the tour has one row for each.
func TestTransitionsCoverTheFigure(t *testing.T) {
	type pair [2]tcpinfo.State
	pairs, from, to := map[pair]bool{}, map[tcpinfo.State]bool{}, map[tcpinfo.State]bool{}
	for _, tr := range Transitions {
		p := pair{tr.From, tr.To}
		if pairs[p] {
			t.Errorf("%v stands twice", p)
		}
		pairs[p], from[tr.From], to[tr.To] = true, true, true
		if !slices.Contains(States, tr.From) || !slices.Contains(States, tr.To) || tr.When == "" {
			t.Errorf("%+v: unknown state, or no reason", tr)
		}
	}
	for _, s := range States {
		if !from[s] || !to[s] {
			t.Errorf("%s is never left or never entered", s)
		}
	}
	for _, synchronised := range []tcpinfo.State{tcpinfo.Established, tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.CloseWait, tcpinfo.Closing, tcpinfo.LastAck, tcpinfo.TimeWait} {
		if !pairs[pair{synchronised, tcpinfo.Closed}] {
			t.Errorf("a reset in %s is missing", synchronised)
		}
	}
}

func TestMayAbort(t *testing.T) {
	if !MayAbort(tcpinfo.CloseWait, tcpinfo.Closed) || MayAbort(tcpinfo.LastAck, tcpinfo.Closed) || MayAbort(tcpinfo.Established, tcpinfo.FinWait1) {
		t.Error("an abort is CLOSE-WAIT → CLOSED, not LAST-ACK → CLOSED")
	}
}

func TestReachable(t *testing.T) {
	for _, c := range []struct {
		from, to tcpinfo.State
		want     bool
	}{
		{tcpinfo.Closed, tcpinfo.Established, true}, {tcpinfo.Established, tcpinfo.FinWait2, true}, {tcpinfo.FinWait1, tcpinfo.Closing, true}, {tcpinfo.SynSent, tcpinfo.TimeWait, true},
		{tcpinfo.Established, tcpinfo.Closed, true}, {tcpinfo.TimeWait, tcpinfo.Closed, true}, {tcpinfo.Listen, tcpinfo.Established, true},
		{tcpinfo.TimeWait, tcpinfo.FinWait2, false}, {tcpinfo.TimeWait, tcpinfo.SynReceived, false}, {tcpinfo.LastAck, tcpinfo.TimeWait, false}, {tcpinfo.CloseWait, tcpinfo.FinWait2, false},
		{tcpinfo.FinWait2, tcpinfo.Established, false}, {tcpinfo.LastAck, tcpinfo.Listen, false},
	} {
		if got := Reachable(c.from, c.to); got != c.want {
			t.Errorf("from %s to %s: %v", c.from, c.to, got)
		}
	}
}

// Each transition that Linux makes has what may bring it about, and nothing else has.
func TestEveryTransitionHasACause(t *testing.T) {
	n := 0
	for _, tr := range Transitions {
		if got := len(Causes(tr.From, tr.To)) > 0; got != tr.Linux {
			t.Errorf("%s to %s: %v", tr.From, tr.To, Causes(tr.From, tr.To))
		}
		if tr.Linux {
			n++
		}
	}
	if n != len(causes) {
		t.Errorf("causes of %d transitions, and Linux makes %d", len(causes), n)
	}
}
