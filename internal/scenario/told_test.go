package scenario

import (
	"slices"
	"strings"
	"testing"

	"socklife/internal/stage"
	"socklife/internal/timeline"
)

// The table at the end of resets has each state once, and what the calls of its round gave.
func TestResetsEndWithATable(t *testing.T) {
	t.Parallel()
	result, rec := play(t.Context(), resets, stage.Config{})
	if !result.OK() {
		t.Fatal(result.Err, rec.failures())
	}
	i := indexOf(rec, func(e timeline.Event) bool { _, ok := e.Body.(*timeline.Table); return ok })
	if i < 0 {
		t.Fatal("no table")
	}
	table := rec.events[i].Body.(*timeline.Table)
	var states []string
	for _, row := range table.Rows {
		states = append(states, row[0])
		if len(row) != len(table.Head) {
			t.Errorf("%q has %d cells under %q", row, len(row), table.Head)
		}
	}
	want := []string{"SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"}
	if !slices.Equal(states, want) {
		t.Errorf("%q, want %q", states, want)
	}
	if row := table.Rows[4]; !slices.Equal(row[1:], []string{"0, end of stream", "EPIPE", "EPIPE"}) {
		t.Errorf("%q", row)
	}
}

// What had the FIN sent again is said as the kernel counted it.
func TestLostLastAckSaysWhatWasCounted(t *testing.T) {
	t.Parallel()
	needsWire(t, lostLastAck)
	result, rec := play(t.Context(), lostLastAck, stage.Config{})
	possible(t, result)
	if !result.OK() {
		t.Fatal(result.Err, rec.failures())
	}
	rose := map[string]int64{}
	for _, e := range rec.events {
		if c, ok := e.Body.(*timeline.Counter); ok {
			rose[c.Name] = c.Delta
		}
	}
	i := noteThat(rec, "what had the FIN sent again was")
	if i < 0 {
		t.Fatal("not said")
	}
	says := rec.events[i].Body.(*timeline.Note).Text
	probe := strings.Contains(says, "a tail loss probe")
	timer := strings.HasSuffix(says, "was the retransmission timer") || strings.HasSuffix(says, "then the retransmission timer")
	if probe != (rose["TCPLossProbes"] > 0) || timer != (rose["TCPTimeouts"] > 0) {
		t.Errorf("%q, and the counters: %v", says, rose)
	}
}
