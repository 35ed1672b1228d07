package scenario

import (
	"errors"
	"testing"

	"socklife/internal/timeline"
	"socklife/internal/trace"
)

// Every transition that only an abort makes is in the lesson about resets, and the kernel's tracepoint tells of each.
func TestResetsMakeEveryAbort(t *testing.T) {
	if !alone(t) {
		return
	}
	result, rec := play(t.Context(), resets, Config{Trace: true})
	var untraceable *trace.Unsupported
	if errors.As(result.Err, &untraceable) {
		t.Skip(result.Err)
	}
	if !result.OK() {
		t.Fatal(result.Err, rec.failures())
	}
	made := map[[2]string]bool{}
	for _, e := range rec.events {
		if s, ok := e.Body.(*timeline.State); ok && s.Source == "tracepoint" {
			made[[2]string{s.From, s.To}] = true
		}
	}
	for _, tr := range timeline.Transitions {
		if tr.Linux && tr.Abort && !made[[2]string{tr.From, tr.To}] {
			t.Errorf("no %s → %s", tr.From, tr.To)
		}
	}
}
