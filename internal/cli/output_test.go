package cli

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/internal/timeline"
)

// lossy is a view of which the output failed.
type lossy struct{ err error }

func (lossy) Event(timeline.Event) {}
func (lossy) Flush()               {}
func (l lossy) Err() error         { return l.err }

// Where a check has failed, and the output too, the reader may not have seen which: both are said. Who has closed a
// pipe knows.
func TestAFailureThatWasNotShown(t *testing.T) {
	failed := errors.New("close: 1 of 13 checks failed")
	for _, c := range []struct{ lost, ended, want error }{
		{nil, failed, failed},
		{unix.ENOSPC, failed, errors.New("close: 1 of 13 checks failed; and not all of it was shown: no space left on device")},
		{unix.EPIPE, failed, failed},
		{unix.ENOSPC, nil, unix.ENOSPC},
		{unix.ENOSPC, ErrInterrupted, unix.ENOSPC},
	} {
		got := output(lossy{c.lost}).Done(c.ended)
		if got == nil || got.Error() != c.want.Error() || strings.Contains(got.Error(), "\n") {
			t.Errorf("lost %v, ended %v: %v, want %v", c.lost, c.ended, got, c.want)
		}
	}
}

// A run that the user ended was interrupted, whatever failed because of that.
func TestAnInterruptionIsTheReason(t *testing.T) {
	err := Verdict("crash", stage.Result{Interrupted: true, Err: errors.New("the worker process did not begin: EOF")})
	if Status(err) != ExitInterrupted || err.Error() != "interrupted" {
		t.Errorf("%v: status %d", err, Status(err))
	}
}

// What was to be kept and was not is said, however the run ended.
func TestWhatWasNotKept(t *testing.T) {
	lost, failed := errors.New("--html p.html: no space left on device"), errors.New("close: 1 of 13 checks failed")
	for _, c := range []struct {
		ended error
		want  string
		is    int
	}{{nil, lost.Error(), ExitFailed}, {ErrInterrupted, lost.Error(), ExitFailed}, {failed, failed.Error() + "\n" + lost.Error(), ExitFailed}} {
		if got := notKept(c.ended, lost); got.Error() != c.want || Status(got) != c.is {
			t.Errorf("%v: %v", c.ended, got)
		}
	}
}
