package timeline

import (
	"slices"
	"testing"
)

func TestUnseen(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     []string
		ok       bool
	}{
		{Closed, Established, []string{SynSent}, true},
		{Closed, CloseWait, []string{SynSent, Established}, true},
		{Established, FinWait2, []string{FinWait1}, true},
		{Established, Closing, []string{FinWait1}, true},
		{Established, LastAck, []string{CloseWait}, true},
		{Listen, Established, []string{SynReceived}, true},
		{TimeWait, Established, []string{SynReceived}, true},
		{SynSent, CloseWait, []string{Established}, true},

		{Established, FinWait1, nil, true}, // one step: nothing passed
		{SynSent, Established, nil, true},
		{FinWait2, Closed, nil, true},
		{LastAck, Closed, nil, true},

		{Established, TimeWait, nil, false}, // through FIN-WAIT-2 or CLOSING
		{FinWait1, TimeWait, nil, false},
		{CloseWait, Closed, nil, false}, // reset, or through LAST-ACK
		{Established, Closed, nil, false},
		{Established, Established, nil, false},
		{Established, "ELSEWHERE", nil, false},
		{"ELSEWHERE", Established, nil, false},
	} {
		got, ok := Unseen(c.from, c.to)
		if ok != c.ok || !slices.Equal(got, c.want) {
			t.Errorf("Unseen(%s, %s) = %q, %v, want %q, %v", c.from, c.to, got, ok, c.want, c.ok)
		}
	}
}

func TestWaysAreShortestAndReal(t *testing.T) {
	for _, from := range States {
		for _, to := range States {
			for _, way := range Ways(from, to) {
				all := append(append([]string{from}, way...), to)
				if len(way) != len(Ways(from, to)[0]) {
					t.Errorf("%s to %s: ways of different lengths: %q", from, to, Ways(from, to))
				}
				for i := 1; i < len(all); i++ {
					if !slices.Contains(steps(all[i-1], i == 1), all[i]) {
						t.Errorf("%s to %s: no step %s to %s", from, to, all[i-1], all[i])
					}
				}
			}
		}
	}
	want := [][]string{{FinWait1, FinWait2}, {FinWait1, Closing}}
	got := Ways(Established, TimeWait)
	if len(got) != 2 || !slices.Equal(got[0], want[0]) || !slices.Equal(got[1], want[1]) {
		t.Errorf("Ways(ESTABLISHED, TIME-WAIT) = %q, want %q", got, want)
	}
}

// Every state is entered and left, and no pair stands twice: the tour has one row for each.
func TestTransitionsCoverTheFigure(t *testing.T) {
	pairs, from, to := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, tr := range Transitions {
		pair := tr.From + " " + tr.To
		if pairs[pair] {
			t.Errorf("%s stands twice", pair)
		}
		pairs[pair], from[tr.From], to[tr.To] = true, true, true
		if !slices.Contains(States, tr.From) || !slices.Contains(States, tr.To) || tr.When == "" {
			t.Errorf("%+v: unknown state, or no reason", tr)
		}
	}
	for _, s := range States {
		if !from[s] || !to[s] {
			t.Errorf("%s is never left or never entered", s)
		}
	}
	for _, synchronised := range []string{Established, FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait} {
		if !pairs[synchronised+" "+Closed] {
			t.Errorf("a reset in %s is missing", synchronised)
		}
	}
}

func TestMayAbort(t *testing.T) {
	if !MayAbort(CloseWait, Closed) || MayAbort(LastAck, Closed) || MayAbort(Established, FinWait1) {
		t.Error("an abort is CLOSE-WAIT → CLOSED, not LAST-ACK → CLOSED")
	}
}

func TestMayCome(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{Closed, Established, true}, {Established, FinWait2, true}, {FinWait1, Closing, true}, {SynSent, TimeWait, true},
		{Established, Closed, true}, {TimeWait, Closed, true}, {Listen, Established, true},
		{TimeWait, FinWait2, false}, {TimeWait, SynReceived, false}, {LastAck, TimeWait, false}, {CloseWait, FinWait2, false},
		{FinWait2, Established, false}, {LastAck, Listen, false},
	} {
		if got := MayCome(c.from, c.to); got != c.want {
			t.Errorf("from %s to %s: %v", c.from, c.to, got)
		}
	}
}
