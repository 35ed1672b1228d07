package watch

import (
	"context"
	"net/netip"
	"testing"
	"time"
)

// A server that waits for its first client is polled less often, and at full pace again when there is another socket.
func TestListenersAloneArePolledLess(t *testing.T) {
	t.Parallel()
	w, _ := newWatcher(t)
	polls := make(chan time.Time, 10000)
	w.SetAround(func() (func() bool, func()) {
		select {
		case polls <- time.Now():
		default:
		}
		return func() bool { return true }, func() {}
	})
	addr := netip.MustParseAddrPort("127.0.0.1:0")
	follow(t, w, listen(t, addr, 8), "listener")
	ctx, cancel := context.WithCancel(patient(t))
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx, time.Millisecond) }()
	defer func() { cancel(); <-ended }()
	next := func(n int) (took time.Duration) {
		t.Helper()
		var first, last time.Time
		for range n {
			select {
			case last = <-polls:
			case <-ctx.Done():
				t.Fatal("no more polls")
			}
			if first.IsZero() {
				first = last
			}
		}
		return last.Sub(first)
	}
	next(idleAfter + 5)
	if took := next(11); took < 50*time.Millisecond {
		t.Errorf("ten polls of a listener that waits in %v", took)
	}
	follow(t, w, newSocket(t, addr.Addr()), "another")
	for next(11) > 50*time.Millisecond { // until it has come to that; if it never does, no more polls
	}
}
