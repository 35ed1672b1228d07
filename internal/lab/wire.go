package lab

import (
	"container/heap"
	"fmt"
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
	stop   int      // an eventfd: readable when the wire is closed
	relays sync.WaitGroup

	// plain: every packet is delivered at once and nobody wants to know. It is read with one lane's mu held, and
	// written with those of both.
	plain bool

	mu      sync.Mutex // guards what follows; taken after the lanes'
	closed  bool
	lastID  uint64
	link    Link
	holdAll bool
	rules   []*Active
	held    []*parcel
	pending pending
	timer   *time.Timer // calls tick when the first of pending is due
	changed chan struct{}
	failed  error
}

func newWire(c Config, client, server *tun) (*Wire, error) {
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("lab: eventfd: %w", err)
	}
	w := &Wire{report: c.Report, link: c.Link, holdAll: c.HoldAll, stop: stop, changed: make(chan struct{})}
	w.timer = time.AfterFunc(maxDelay, w.tick)
	for _, r := range c.Rules {
		w.rules = append(w.rules, &Active{wire: w, rule: r, text: r.String()})
	}
	w.lanes[0] = &lane{wire: w, from: Client, in: client, out: server}
	w.lanes[1] = &lane{wire: w, from: Server, in: server, out: client}
	w.settle()
	for _, l := range w.lanes {
		w.relays.Go(l.run)
	}
	return w, nil
}

// SetLink changes the properties of the line for packets that arrive from now on. Those under way keep theirs, so a
// shorter delay lets new packets overtake old ones.
func (w *Wire) SetLink(l Link) error {
	if err := l.check(); err != nil {
		return err
	}
	w.lock()
	defer w.unlock()
	w.link = l
	return nil
}

// Link returns the properties of the line.
func (w *Wire) Link() Link {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.link
}

// HoldAll turns step mode on or off: while it is on, every packet that no rule drops is held. Turning it off does not
// release what is held.
func (w *Wire) HoldAll(on bool) {
	w.lock()
	defer w.unlock()
	w.holdAll = on
}

// Err is what stopped the wire before Close, if anything did: its interface was taken away.
func (w *Wire) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// lock makes the whole wire stand still: no packet is between being read and being written.
func (w *Wire) lock() {
	w.lanes[0].mu.Lock()
	w.lanes[1].mu.Lock()
	w.mu.Lock()
}

// unlock sends what was decided meanwhile and lets the wire go on.
func (w *Wire) unlock() {
	w.settle()
	w.mu.Unlock()
	w.lanes[0].flush()
	w.lanes[1].flush()
	w.lanes[1].mu.Unlock()
	w.lanes[0].mu.Unlock()
}

// settle finds out whether the wire has become plain.
func (w *Wire) settle() {
	w.plain = w.report == nil && len(w.rules) == 0 && w.link.idle() && !w.holdAll && len(w.pending) == 0
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
func (w *Wire) wait(p *parcel, after time.Duration) {
	p.due = p.At.Add(after)
	heap.Push(&w.pending, p)
	if w.pending[0] == p {
		w.arm()
	}
}

// take removes a packet from those that are due later.
func (w *Wire) take(p *parcel) {
	heap.Remove(&w.pending, p.index)
	w.lane(p.From).forget(p)
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
	one := [8]byte{1} // any non-zero count makes it readable, in either byte order
	unix.Write(w.stop, one[:])
	w.relays.Wait()
	unix.Close(w.stop)
}

// notify wakes those who wait for a change of what is held.
func (w *Wire) notify() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// parcel is a packet that the wire keeps for later.
type parcel struct {
	Packet
	frame    []byte    // the packet and what precedes it on the device
	due      time.Time // when it is delivered at the latest
	index    int       // in pending
	overtake int       // how many must still overtake it, if it is to be reordered
}

// pending is a heap of packets, the first due first; container/heap.
type pending []*parcel

func (q pending) Len() int { return len(q) }
func (q pending) Less(i, j int) bool {
	if q[i].due.Equal(q[j].due) {
		return q[i].ID < q[j].ID
	}
	return q[i].due.Before(q[j].due)
}
func (q pending) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}
func (q *pending) Push(x any) {
	p := x.(*parcel)
	p.index = len(*q)
	*q = append(*q, p)
}
func (q *pending) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return p
}
