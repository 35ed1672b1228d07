package merge

import (
	"strings"
	"testing"
	"time"

	"socklife/internal/timeline"
)

// The middle of what causes and effects allow is taken, and it is said how sure that is, or that it is not.
func TestOffset(t *testing.T) {
	t.Parallel()
	client, server := &lane{side: timeline.Client}, &lane{side: timeline.Server}
	at := func(l *lane, ms float64) *item {
		return &item{lane: l, Event: timeline.Event{Time: time.Unix(1000, 0).Add(time.Duration(ms * float64(time.Millisecond)))}}
	}
	sent := func(c, s float64) need { return need{at(client, c), at(server, s)} }
	came := func(s, c float64) need { return need{at(server, s), at(client, c)} }
	for _, c := range []struct {
		needs []need
		ahead time.Duration
		says  string
	}{
		{nil, 0, "nothing says how far"},
		{[]need{sent(0, 3.6), sent(1, 9), came(4, 1.2), came(9, 100)}, 3200 * time.Microsecond, "3.200 ms ahead, ±0.400 ms (from 4 causes"},
		{[]need{sent(0, -6), came(-8, 0)}, -7 * time.Millisecond, "7.000 ms behind, ±1.000 ms"},
		{[]need{sent(0, 5)}, 5 * time.Millisecond, "5.000 ms ahead at the most, which is taken"},
		{[]need{came(5, 0)}, 5 * time.Millisecond, "5.000 ms ahead at the least, which is taken"},
		{[]need{sent(0, 5), came(9, 0)}, 7 * time.Millisecond, "contradict each other by 4.000 ms"},
	} {
		if ahead, says := offset(c.needs); ahead != c.ahead || !strings.Contains(says, c.says) {
			t.Errorf("%v, %q; want %v, %q", ahead, says, c.ahead, c.says)
		}
	}
}

// Where times gainsay cause and effect, these decide, and the event says how much earlier its clock had it.
func TestWeaveKeepsCauseBeforeEffect(t *testing.T) {
	t.Parallel()
	zero := time.Unix(1000, 0)
	note := func(side timeline.Side, ms int) timeline.Event {
		return timeline.Event{Time: zero.Add(time.Duration(ms) * time.Millisecond), Side: side, Body: &timeline.Note{}}
	}
	c := newLane(timeline.Client, []timeline.Event{note(timeline.Client, 1), note(timeline.Client, 5), note(timeline.Client, 9)})
	s := newLane(timeline.Server, []timeline.Event{note(timeline.Server, 2), note(timeline.Server, 3), note(timeline.Server, 7)})
	all := weave(c, s, []need{{c.items[1], s.items[1]}})
	want := []*item{c.items[0], s.items[0], c.items[1], s.items[1], s.items[2], c.items[2]}
	if len(all) != len(want) {
		t.Fatalf("%d events of %d", len(all), len(want))
	}
	for i, it := range all {
		if it != want[i] {
			t.Errorf("event %d is the %s's of %v", i, it.lane.side, it.Time.Sub(zero))
		}
	}
	if late := s.items[1].Late; late != 2*time.Millisecond || s.items[1].Time != c.items[1].Time {
		t.Errorf("late by %v", late)
	}
}
