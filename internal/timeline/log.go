package timeline

import (
	"slices"
	"sort"
	"sync"
	"time"
)

// BlockAfter is how long a call may be in the kernel before the log says that it blocks, and stops waiting for it.
const BlockAfter = 25 * time.Millisecond

// Sink receives the events in order. It is never called concurrently.
type Sink interface{ Event(Event) }

// Log orders events.
//
// The order is that of cause and effect, which is not the order in which calls return: a close() puts a FIN on its way,
// and the peer's read() may be back with end of file before close() is. So a call that acts (close, shutdown, connect,
// …) stands at the moment it was entered and a call that waits for the other side (accept, read) at the moment it
// returned. While an acting call is in the kernel, what others report is kept back until it is back, for at most
// [BlockAfter]; after that the log says that the call blocks, and the call itself will stand where it returned.
type Log struct {
	mu       sync.Mutex
	start    time.Time
	seq      int64
	last     time.Duration
	sinks    []Sink
	pending  []Event
	inFlight map[*InFlight]bool
	lag      time.Duration
	filter   func(Side, Body) bool
	labels   func(Side, Body) // see label.go
	ticker   *time.Timer
	closed   bool
}

// InFlight is a call that is in the kernel.
type InFlight struct {
	log   *Log
	side  Side
	acts  bool
	start time.Time
	what  string
	slow  bool
	timer *time.Timer
}

// New returns a log that starts now.
func New(sinks ...Sink) *Log {
	return &Log{start: time.Now(), sinks: sinks, inFlight: map[*InFlight]bool{}}
}

// SetLag keeps events back for d, so that a source that reports late (the kernel's tracepoint) still finds its place.
func (l *Log) SetLag(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lag = d
}

// SetFilter has f decide which events are kept, just before they are numbered and in their order; nil keeps all. f may
// change the body.
func (l *Log) SetFilter(f func(Side, Body) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.filter = f
}

// Add records an event that happened at the moment at; the zero Time means now.
func (l *Log) Add(side Side, at time.Time, body Body) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.IsZero() {
		at = time.Now()
	}
	l.insert(side, at, body)
	l.flush()
}

// Enter says that a call is about to enter the kernel. What is the call as a reader would write it, for the note that
// it blocks.
func (l *Log) Enter(side Side, acts bool, start time.Time, what string) *InFlight {
	f := &InFlight{log: l, side: side, acts: acts, start: start, what: what}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight[f] = true
	f.timer = time.AfterFunc(BlockAfter, f.blocks)
	return f
}

// blocks runs when a call has been in the kernel for longer than BlockAfter.
func (f *InFlight) blocks() {
	l := f.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.inFlight[f] || f.slow {
		return
	}
	f.slow = true
	l.insert(f.side, f.start, &Note{Text: f.what + " blocks", Blocks: true})
	l.flush()
}

// Drop forgets a call that is not to be recorded.
func (f *InFlight) Drop() {
	l := f.log
	l.mu.Lock()
	defer l.mu.Unlock()
	f.timer.Stop()
	delete(l.inFlight, f)
	l.flush()
}

// Exit records the call, now that it has returned.
func (f *InFlight) Exit(took time.Duration, body *Call) {
	l := f.log
	l.mu.Lock()
	defer l.mu.Unlock()
	f.timer.Stop()
	delete(l.inFlight, f)
	at := f.start
	if !f.acts || f.slow {
		at = f.start.Add(took)
	}
	l.insert(f.side, at, body)
	l.flush()
}

// insert keeps pending sorted by time, and events of the same moment in the order they came.
func (l *Log) insert(side Side, at time.Time, body Body) {
	if l.closed {
		return
	}
	if l.labels != nil {
		l.labels(side, body)
	}
	e := Event{At: at.Sub(l.start), Time: at, Side: side, Body: body}
	i := sort.Search(len(l.pending), func(i int) bool { return l.pending[i].At > e.At })
	l.pending = slices.Insert(l.pending, i, e)
}

// flush hands over every event that nothing still under way can come before.
func (l *Log) flush() {
	horizon := time.Since(l.start) - l.lag
	for f := range l.inFlight {
		if f.acts && !f.slow {
			horizon = min(horizon, f.start.Sub(l.start)-1)
		}
	}
	n := 0
	for n < len(l.pending) && l.pending[n].At <= horizon {
		l.emit(l.pending[n])
		n++
	}
	l.pending = append(l.pending[:0], l.pending[n:]...)
	if len(l.pending) > 0 && l.lag > 0 && l.ticker == nil {
		l.ticker = time.AfterFunc(l.lag, l.tick)
	}
}

func (l *Log) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ticker = nil
	l.flush()
}

// emit numbers an event. One that was reported too late for its place (its goroutine lost the CPU in between) stands at
// the moment of the event before it: the order that was handed out is not changed afterwards.
func (l *Log) emit(e Event) {
	if l.filter != nil && !l.filter(e.Side, e.Body) {
		return
	}
	if e.At < l.last {
		e.Time = e.Time.Add(l.last - e.At)
		e.At = l.last
	}
	l.last = e.At
	l.seq++
	e.Seq = l.seq
	for _, s := range l.sinks {
		s.Event(e)
	}
}

// Flush hands over everything recorded so far.
func (l *Log) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.pending {
		l.emit(e)
	}
	l.pending = l.pending[:0]
}

// Close flushes and takes no more events.
func (l *Log) Close() {
	l.Flush()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for f := range l.inFlight {
		f.timer.Stop()
	}
	if l.ticker != nil {
		l.ticker.Stop()
	}
}
