package scenario

import (
	"testing"

	"socklife/internal/rfc9293"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/unsupported"
	"socklife/tcpinfo"
)

// Every transition that only an abort makes is in the lesson about resets, and the kernel's tracepoint tells of each.
func TestResetsMakeEveryAbort(t *testing.T) {
	if !alone(t) {
		return
	}
	result, rec := play(t.Context(), resets, stage.Config{Trace: true})
	if unsupported.In(result.Err) != nil {
		t.Skip(result.Err)
	}
	if !result.OK() {
		t.Fatal(result.Err, rec.failures())
	}
	made := map[[2]tcpinfo.State]bool{}
	for _, e := range rec.events {
		if s, ok := e.Body.(*timeline.State); ok && s.Source == "tracepoint" {
			made[[2]tcpinfo.State{s.From, s.To}] = true
		}
	}
	for _, tr := range rfc9293.Transitions {
		if tr.Linux && tr.Abort && !made[[2]tcpinfo.State{tr.From, tr.To}] {
			t.Errorf("no %s → %s", tr.From, tr.To)
		}
	}
}
