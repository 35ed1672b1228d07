package timeline

import (
	"testing"
	"time"
)

// A record has the time since the run began in microseconds: when a call entered must not depend on the rest.
func TestEnteredIsTheSameOfARecord(t *testing.T) {
	t.Parallel()
	now, call := time.Date(2026, 11, 22, 7, 30, 52, 144_999_500, time.UTC), &Call{EnteredUS: 1300}
	live := Event{Time: now, At: 2*time.Millisecond + 700*time.Nanosecond, Body: call}
	read := live
	read.At = 2 * time.Millisecond
	if a, b := Entered(live, call), Entered(read, call); !a.Equal(b) || !a.Equal(now.Add(-700*time.Microsecond)) {
		t.Errorf("%v and %v", a, b)
	}
}
