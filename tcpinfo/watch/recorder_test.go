package watch

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"socklife/tcpinfo"
)

// recorder is a Watcher's report. It keeps what it is told, and checks what must hold of every report.
type recorder struct {
	t    testing.TB
	busy atomic.Bool

	mu  sync.Mutex
	all []Change
}

// newWatcher makes a Watcher that reports to a recorder.
func newWatcher(t testing.TB) (*Watcher, *recorder) {
	t.Helper()
	d, err := tcpinfo.Dial()
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{t: t}
	w := New(d, r.report)
	t.Cleanup(func() {
		if err := w.Err(); err != nil {
			t.Errorf("the watcher failed: %v", err)
		}
		d.Close()
	})
	return w, r
}

func (r *recorder) report(c Change) {
	if !r.busy.CompareAndSwap(false, true) {
		r.t.Error("two reports at a time")
	}
	defer r.busy.Store(false)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check(c)
	r.all = append(r.all, c)
}

func (r *recorder) check(c Change) {
	var previous *Change
	for i := range r.all {
		if r.all[i].Socket == c.Socket {
			previous = &r.all[i]
		}
	}
	switch last := c.Socket.Last(); {
	case c.What == 0:
		r.t.Errorf("%v: nothing is new", c)
	case c.First != (previous == nil):
		r.t.Errorf("%v: first is %v, after %v", c, c.First, previous)
	case !c.First && (c.From != previous.To || c.From != c.Before.State):
		r.t.Errorf("%v: the last one was to %v, the sample before was %v", c, previous.To, c.Before.State)
	case (c.What&StateChanged != 0) != (c.First || c.From != c.To):
		r.t.Errorf("%v: wrong bits", c)
	case c.To != c.Now.State || c.Now.Gone && c.To != tcpinfo.Closed || c.Now.Source == "":
		r.t.Errorf("%v: now is %+v", c, c.Now)
	case c.To == tcpinfo.Closed && !c.Now.Gone && c.Now.Source != TCPInfo:
		r.t.Errorf("%v: only a descriptor can be CLOSED and not gone", c)
	case !c.First && (c.Now.Time.Before(c.Before.Time) || previous.Now.Gone):
		r.t.Errorf("%v: out of order", c)
	case last.Time != c.Now.Time || last.State != c.To:
		r.t.Errorf("%v: Last is %v", c, last)
	}
}

func (r *recorder) changes() []Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Change(nil), r.all...)
}

func (r *recorder) of(sk *Socket) (changes []Change) {
	for _, c := range r.changes() {
		if c.Socket == sk {
			changes = append(changes, c)
		}
	}
	return changes
}

// states is the states that a watch was seen in, in order.
func (r *recorder) states(sk *Socket) (names []string) {
	for _, c := range r.of(sk) {
		if c.What&StateChanged == 0 {
			continue
		}
		name := c.To.String()
		if c.Now.Gone {
			name = "gone"
		}
		names = append(names, name)
	}
	return names
}

// wantStates compares the states that a watch was seen in with what may be seen: a state in brackets, [FIN-WAIT-1], may
// have been passed unseen.
func (r *recorder) wantStates(sk *Socket, want string) {
	r.t.Helper()
	seen := r.states(sk)
	for _, name := range strings.Fields(want) {
		optional := strings.HasPrefix(name, "[")
		name = strings.Trim(name, "[]")
		if len(seen) > 0 && seen[0] == name {
			seen = seen[1:]
		} else if !optional {
			r.t.Fatalf("seen %v\nwant %s", r.of(sk), want)
		}
	}
	if len(seen) > 0 {
		r.t.Fatalf("seen %v\nwant %s", r.of(sk), want)
	}
}

func follow(t testing.TB, w *Watcher, s *fdSocket, tag any) *Socket {
	t.Helper()
	sk, err := w.Follow(s, tag)
	if err != nil {
		t.Fatalf("follow %v: %v", tag, err)
	}
	return sk
}

// run polls in the background until the test ends.
func run(t testing.TB, w *Watcher) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx, time.Millisecond) }()
	t.Cleanup(func() { cancel(); <-ended })
}

func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// lookUntil looks until the watch is in one of the states.
func lookUntil(t testing.TB, w *Watcher, sk *Socket, states ...tcpinfo.State) Sample {
	t.Helper()
	lookFor(t, w, func() bool { return tcpinfo.MaskOf(states...).Has(sk.Last().State) }, func() string {
		return fmt.Sprintf("%v is %v, want one of %v", sk.Tag(), sk.Last().State, states)
	})
	return sk.Last()
}

// lookFor looks until the condition holds.
func lookFor(t testing.TB, w *Watcher, condition func() bool, orElse func() string) {
	t.Helper()
	eventually(t, func() bool { w.Sample(); return condition() }, func() { t.Fatal(orElse()) })
}
