package stage

import (
	"socklife/internal/lab"
	"time"
)

// CheckAfter checks how long after one segment the other was sent. Linux rounds its timers up, by an eighth at most; a
// busy machine may add to that.
func (w *Wire) CheckAfter(what string, first, again lab.Packet, want time.Duration) {
	got := Apart(first, again)
	w.Check(what+", after "+want.String(), got > want*9/10 && got < 2*want+3*time.Second, "%v", got.Round(time.Millisecond))
}

// Apart is how long after one segment its sender sent the other: by its own timestamps (RFC 7323; Linux counts ms),
// which it takes when it sends, and not when the wire comes to read them; without timestamps, when the wire saw them.
func Apart(first, again lab.Packet) time.Duration {
	a, _, ok := first.Segment.Options.Timestamps()
	b, _, too := again.Segment.Options.Timestamps()
	if ok && too {
		return time.Duration(b-a) * time.Millisecond
	}
	return again.Seen.Sub(first.Seen)
}
