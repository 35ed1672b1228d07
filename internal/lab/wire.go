package lab

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Wire connects the two hosts. Its methods may be called from any goroutine, except from within Config.Report.
//
// A packet that arrives is shown to every rule. It is dropped if one says so, or else held if one says so or HoldAll is
// on; or else it is delivered, later or twice if rules or the Link say so. The order of the rules does not matter.
type Wire struct {
	report func(Packet)
	lanes  [2]*lane // the client's, the server's
	link   Link
	stop   [2]int // a pipe, whose writing end is closed when the wire is: that cannot fail, as writing to it could
	relays sync.WaitGroup
	failed chan error

	catchingUp sync.Mutex // held by the lane that has the other one catch up; only ever tried

	mu      sync.Mutex // guards what follows; taken after the lanes'
	closed  bool
	lastID  uint64
	holdAll bool
	rules   []*Active
	held    []*inTransit
	pending []*inTransit // the first due first
	timer   *time.Timer  // calls tick when the first of pending is due
	changed chan struct{}
}

func newWire(c Config, client, server *tun) (*Wire, error) {
	w := &Wire{report: c.Report, link: c.Link, holdAll: c.HoldAll, failed: make(chan error, 1), changed: make(chan struct{})}
	if w.report == nil {
		w.report = func(Packet) {}
	}
	if err := unix.Pipe2(w.stop[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("lab: pipe2: %w", err)
	}
	w.timer = time.AfterFunc(maxDelay, w.tick)
	w.lanes[0] = &lane{wire: w, from: Client, in: client, out: server, flows: flows{}}
	w.lanes[1] = &lane{wire: w, from: Server, in: server, out: client, flows: flows{}}
	w.Add(c.Rules...)
	for _, l := range w.lanes {
		w.relays.Go(l.run)
	}
	return w, nil
}

// HoldAll turns step mode on or off: while it is on, every packet that no rule drops is held. Turning it off does not
// release what is held.
func (w *Wire) HoldAll(on bool) {
	w.lock()
	defer w.unlock()
	w.holdAll = on
}

// Failed tells what stopped the wire before Close, if anything does: its interface was taken away.
func (w *Wire) Failed() <-chan error { return w.failed }

// lock makes the whole wire stand still: no packet is between being read and being written.
func (w *Wire) lock() {
	w.lanes[0].mu.Lock()
	w.lanes[1].mu.Lock()
	w.mu.Lock()
}

// unlock sends what was decided meanwhile and lets the wire go on.
func (w *Wire) unlock() {
	w.mu.Unlock()
	w.lanes[0].flush()
	w.lanes[1].flush()
	w.lanes[1].mu.Unlock()
	w.lanes[0].mu.Unlock()
}

// tick delivers what is due.
func (w *Wire) tick() {
	w.lock()
	defer w.unlock()
	if w.closed {
		return
	}
	for now := time.Now(); len(w.pending) > 0 && !w.pending[0].due.After(now); {
		p := w.pending[0]
		w.take(p)
		w.deliver(p)
	}
	w.arm()
}

// arm sets the timer to the first of pending.
func (w *Wire) arm() {
	if len(w.pending) > 0 {
		w.timer.Reset(time.Until(w.pending[0].due))
	}
}

// wait puts a packet among those that are due later.
func (w *Wire) wait(p *inTransit, after time.Duration) {
	p.due = p.At.Add(after)
	i := len(w.pending)
	for i > 0 && w.pending[i-1].due.After(p.due) {
		i--
	}
	w.pending = slices.Insert(w.pending, i, p)
	if i == 0 {
		w.arm()
	}
}

// take removes a packet from those that are due later.
func (w *Wire) take(p *inTransit) {
	i := slices.Index(w.pending, p)
	w.pending = slices.Delete(w.pending, i, i+1)
	l := w.lane(p.From)
	l.aside = slices.DeleteFunc(l.aside, func(q *inTransit) bool { return p == q })
}

func (w *Wire) lane(from Side) *lane {
	if from == Server {
		return w.lanes[1]
	}
	return w.lanes[0]
}

// close stops the relays and forgets what is held or under way.
func (w *Wire) close() {
	w.lock()
	if w.closed {
		w.unlock()
		return
	}
	w.closed = true
	w.held, w.pending, w.rules = nil, nil, nil
	w.lanes[0].aside, w.lanes[1].aside = nil, nil
	w.timer.Stop()
	close(w.changed) // and it stays: there is no later change to wait for
	w.unlock()
	unix.Close(w.stop[1])
	w.relays.Wait()
	unix.Close(w.stop[0])
}

// notify wakes those who wait for a change of what is held.
func (w *Wire) notify() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// inTransit is a packet that the wire keeps for later.
type inTransit struct {
	Packet
	due      time.Time // when it is delivered at the latest
	overtake int64     // how many must still overtake it, if it is to be reordered
	flow     *flow     // what it belongs to; nil for ICMP, for copies and for what was injected
	crossed  bool      // it met its acknowledgement on the wire
}
