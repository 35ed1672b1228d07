package scenario

import (
	"errors"
	"socklife/internal/stage"
	"testing"

	"golang.org/x/sys/unix"
)

func init() { stage.Worker() } // crash starts this program, which here is the test's

// Wherever a run of crash ends, its processes end too, and somebody has waited for them.
func TestNoWorkerIsLeft(t *testing.T) {
	if !alone(t) {
		return
	}
	result, rec := play(t.Context(), crash, stage.Config{})
	if !result.OK() {
		t.Fatal(result.Err, rec.failures())
	}
	calls := 0
	for _, e := range rec.events {
		if e.Body.Kind() == "call" {
			calls++
		}
	}
	for at := range calls {
		interruptAt(t, crash, at)
		if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); !errors.Is(err, unix.ECHILD) {
			t.Errorf("stopped at call %d: there is a child, %d (%v)", at, pid, err)
		}
	}
}
