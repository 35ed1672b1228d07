package trace

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"socklife/tcpinfo"
)

// Port 0 stands for all sockets, whatever their ports; and who leaves CLOSED does so in a call of its own.
func TestAllPorts(t *testing.T) {
	tr := open(t, 0)
	l := bound(t, loopback4)
	l.listen(1)
	c, a := pair(t, l)
	port := l.local().Port()
	a.close()
	c.close()
	mine := func(events []Event) (own []Event) {
		for _, e := range events {
			if e.Local.Port() == port || e.Remote.Port() == port {
				own = append(own, e)
			}
		}
		return own
	}
	events := mine(drainUntil(t, tr, func(e []Event) bool { return len(mine(e)) >= 9 }))
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, e := range events {
		if e.From != tcpinfo.Closed {
			continue
		}
		left++
		if link, _ := os.Readlink("/proc/self/ns/pid"); link != "pid:[4026531836]" {
			continue // there threads have other numbers than in the trace
		}
		if !slices.ContainsFunc(threads, func(f os.DirEntry) bool { return f.Name() == fmt.Sprint(e.Task) }) {
			t.Errorf("%v: thread %d is none of ours", e, e.Task)
		}
	}
	if left != 2 {
		t.Errorf("%d have left CLOSED, want the listener and the client: %v", left, events)
	}
}
