package view

import (
	"strings"
	"testing"

	"socklife/internal/timeline"
)

// What makes a counter rise is said when it first rises in a run, and in the next run again.
func TestACounterIsExplainedOnce(t *testing.T) {
	const says = "backlog too small."
	counter := func(name string, n int64) *timeline.Counter { return &timeline.Counter{Name: name, Delta: n} }
	got := body((&script{}).
		at(100, S, counter("ListenOverflows", 0)).
		at(101, S, counter("ListenOverflows", 2)).
		at(102, S, counter("Madeup", 3)).
		at(103, S, counter("ListenOverflows", 1)).
		at(104, W, &timeline.Summary{Scenario: "one", OK: true}).
		at(105, S, counter("ListenOverflows", 1)), Options{})
	runs := strings.Split(got, "one: done")
	if len(runs) != 2 || strings.Count(runs[0], says) != 1 || strings.Count(runs[1], says) != 1 {
		t.Fatalf("not once in each run:\n%s", got)
	}
	if first := strings.Index(got, says); first < strings.Index(got, "+2") || first > strings.Index(got, "+3") {
		t.Errorf("not behind the first that rose:\n%s", got)
	}
	for _, line := range strings.Split(got, "\n") {
		if n := len([]rune(line)); n > DefaultWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
