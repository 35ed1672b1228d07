package trace

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// running is a Run and what it delivers.
type running struct {
	events chan Event
	cancel context.CancelFunc
	err    chan error
}

func run(t testing.TB, tr *Trace) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{make(chan Event, 1<<16), cancel, make(chan error, 1)}
	started := make(chan struct{})
	go func() {
		close(started)
		r.err <- tr.Run(ctx, func(e Event) { r.events <- e }, nil)
		close(r.events)
	}()
	<-started
	t.Cleanup(func() {
		cancel()
		for range r.events { // the trace is closed after it
		}
	})
	return r
}

// next is an event, delivered in time.
func (r *running) next(t testing.TB) Event {
	t.Helper()
	select {
	case e, ok := <-r.events:
		if !ok {
			t.Fatal("Run is over: ", <-r.err)
		}
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("nothing for ten seconds")
	}
	return Event{}
}

// rest is what was still delivered, after Run was told to end.
func (r *running) rest(t testing.TB) (events []Event) {
	t.Helper()
	for e := range r.events {
		events = append(events, e)
	}
	if err := <-r.err; err != nil {
		t.Error(err)
	}
	return events
}

// Each transition is delivered while the connection stays as it is.
func TestRunDeliversAtOnce(t *testing.T) {
	t.Parallel()
	l := bound(t, loopback4)
	tr := open(t, l.local().Port())
	r := run(t, tr)
	want := func(texts ...string) {
		t.Helper()
		for _, w := range texts {
			if e := r.next(t); !strings.HasSuffix(e.String(), w) {
				t.Fatalf("got %v, want %s", e, w)
			}
		}
	}
	l.listen(1)
	want("CLOSED to LISTEN")
	c := dial(t, l.local())
	var opening []string
	for range 4 {
		opening = append(opening, strings.SplitAfter(r.next(t).String(), ": ")[1])
	}
	slices.Sort(opening)
	if got := strings.Join(opening, ", "); got != "CLOSED to SYN-SENT, LISTEN to SYN-RECEIVED, SYN-RECEIVED to ESTABLISHED, SYN-SENT to ESTABLISHED" {
		t.Error(got)
	}
	c.reset()
	want("ESTABLISHED to CLOSED", "ESTABLISHED to CLOSED")
	l.close()
	want("LISTEN to CLOSED")
	r.cancel()
	if more := r.rest(t); len(more) > 0 {
		t.Errorf("and then\n%s", show(more))
	}
}

// What happened before it was told to end is delivered.
func TestRunMissesNothingAtItsEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("instances of tracefs are slow to make and to remove")
	}
	t.Parallel()
	for range 5 {
		l := bound(t, loopback4)
		tr := open(t, l.local().Port())
		r := run(t, tr)
		l.listen(1)
		first := r.next(t)
		c, a := pair(t, l)
		c.reset()
		a.end1()
		r.cancel()
		if events := append([]Event{first}, r.rest(t)...); !sameLives(events, []string{listening, active + isReset, passive + isReset}) {
			t.Errorf("got\n%s", show(events))
		}
	}
}

func TestRunThatIsOver(t *testing.T) {
	t.Parallel()
	tr := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 3 {
		if err := tr.Run(ctx, func(Event) {}, nil); err != nil {
			t.Error(err)
		}
	}
}

// Ports are added while the trace runs, and more of them than the kernel's filter takes.
func TestAddPorts(t *testing.T) {
	t.Parallel()
	tr := open(t)
	first, second, never := fixed(t), fixed(t), fixed(t)
	never.listen(1)
	for _, l := range []sock{first, second} {
		l.listen(1)
		if err := tr.AddPorts(l.local().Port()); err != nil {
			t.Fatal(err)
		}
		l.shutdown(0)
		never.shutdown(0)
		never.listen(1)
		if events, err := drain(tr); err != nil || !sameLives(events, []string{"LISTEN CLOSED"}) || events[0].Local != l.local() {
			t.Errorf("%v, and\n%s", err, show(events))
		}
	}
	var many []uint16
	for p := range uint16(200) {
		many = append(many, p+61000) // where the kernel picks none
	}
	if err := tr.AddPorts(many...); err != nil {
		t.Fatal(err)
	}
	first.listen(1)
	never.shutdown(0)
	second.listen(1)
	if events, err := drain(tr); err != nil || !sameLives(events, []string{listening, listening}) {
		t.Errorf("%v, and\n%s", err, show(events))
	}
}

// A full buffer is not passed over in silence.
func TestLost(t *testing.T) {
	t.Parallel()
	l := fixed(t)
	tr := open(t, l.local().Port())
	if err := tr.in.write("buffer_size_kb", "1"); err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		l.listen(1)
		l.shutdown(0)
	}
	events, err := drain(tr)
	var lost *Lost
	if !errors.As(err, &lost) || uint64(len(events))+lost.Events != 4000 {
		t.Errorf("%d events, and %v; there were 4000", len(events), err)
	}
	marked := uint64(0)
	for _, e := range events {
		marked += e.Lost
	}
	if marked == 0 {
		t.Error("no event says that some before it were lost")
	}
	if events, err := drain(tr); err != nil || len(events) > 0 {
		t.Errorf("and then: %v, %v", events, err)
	}
	l.listen(1)
	if events, err := drain(tr); err != nil || len(events) != 1 || events[0].Lost != 0 {
		t.Errorf("after that: %v, %v", events, err)
	}
}
