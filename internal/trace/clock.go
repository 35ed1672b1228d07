package trace

import (
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clock turns the kernel's stamps into the times of time.Now. The trace's clock is CLOCK_MONOTONIC, and so is the
// monotonic reading that Go compares and subtracts times by; only where each counts from is to be found out.
type clock struct {
	ref   time.Time
	mono  int64 // the trace's clock at ref, ns
	ahead int64 // how far this process' CLOCK_MONOTONIC is ahead of the kernel's, ns: time_namespaces(7)
}

// newClock reads both clocks next to each other, several times, and keeps the closest reading: the process may lose the
// CPU in between.
func newClock() clock {
	c := clock{ahead: timeNamespace()}
	for closest, i := int64(math.MaxInt64), 0; i < 50; i++ {
		before := monotonic()
		now := time.Now()
		if apart := monotonic() - before; apart < closest {
			closest, c.ref, c.mono = apart, now, before+apart/2-c.ahead
		}
	}
	return c
}

// at is the moment of a stamp.
func (c clock) at(stamp uint64) time.Time { return c.ref.Add(time.Duration(int64(stamp) - c.mono)) }

// stamp is the stamp of now.
func (c clock) stamp() uint64 { return uint64(monotonic() - c.ahead) }

func monotonic() int64 {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // it fails only for clocks that do not exist
	return ts.Nano()
}

// timeNamespace reads this process' offset; the kernel's tracer knows of no namespaces.
func timeNamespace() int64 {
	b, err := os.ReadFile("/proc/self/timens_offsets")
	if err != nil {
		return 0 // before Linux 5.6 there are none
	}
	return parseTimens(string(b))
}

// parseTimens finds the line "monotonic SECONDS NANOSECONDS".
func parseTimens(text string) int64 {
	for line := range strings.Lines(text) {
		var s, ns int64
		if n, _ := fmt.Sscanf(line, "monotonic %d %d", &s, &ns); n == 2 {
			return s*int64(time.Second) + ns
		}
	}
	return 0
}
