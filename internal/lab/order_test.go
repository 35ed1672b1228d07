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

// A rule knows whether it took effect, and otherwise what it waited for.
func TestARuleThatNeverFitted(t *testing.T) {
	t.Parallel()
	w, client, server, _ := fakeWire(t, Config{})
	var rules []*Active
	for _, text := range []string{"dup client data 1", "drop client data 3", "drop client data after server fin 2"} {
		rule, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, w.Add(rule)...)
	}
	client.send(1, "a", "b")
	server.want("a", "a", "b")
	for i, want := range []string{"", "2 of client data came", "0 of server fin came before, and it waits for 2"} {
		if why, unused := rules[i].Unused(); why != want || unused != (want != "") {
			t.Errorf("%s: %v, %q", rules[i].Rule(), unused, why)
		}
	}
}
