package lab

import (
	"runtime"
	"testing"
	"time"

	"socklife/internal/segment"
)

// A packet that has to wait for the wire is seen when its turn comes: what is reported is in the order of its times.
func TestPacketsAreSeenInTheOrderOfTheReports(t *testing.T) {
	t.Parallel()
	w, client, server, seen := fakeWire(t, Config{})
	w.mu.Lock()
	client.write(raw(Client, segment.ACK, 1, "a"))
	for w.lanes[0].mu.TryLock() { // until the packet is in the relay's hand
		w.lanes[0].mu.Unlock()
		runtime.Gosched()
	}
	for begin := time.Now(); time.Since(begin) < time.Millisecond; { // its way to the lock
		runtime.Gosched()
	}
	others := time.Now()
	w.mu.Unlock()
	server.want("a")
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if p := seen.packets[0]; p.Seen.Before(others) {
		t.Errorf("seen %v before what is reported before it", others.Sub(p.Seen))
	}
}
