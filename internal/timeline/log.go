package timeline

import (
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// BlockAfter is how long a call may be in the kernel before the log shows where it was entered, though nothing has
// come since.
const BlockAfter = 25 * time.Millisecond

// Sink receives the events in order. It is never called concurrently.
type Sink interface{ Event(Event) }

// Log puts events into the order in which they happened, and hands them to its sinks.
//
// An event has the time at which it happened, and is handed on when nothing that happened before it can come any more.
// Who will report what happens from some moment on is a [Source]: no event after that moment is handed on before the
// source has reported, or is done.
//
// A call happens twice: where it is entered, and where it returns. If anything was handed on in between, there is an
// [Enter] at the first place, else only the [Call] at the second: so no result stands before what produced it.
type Log struct {
	Sockets Sockets // the numbers of those that the events are about

	moves  atomic.Uint64 // see Moves
	detail atomic.Bool   // see Detail

	mu       sync.Mutex
	zero     time.Time // of the run
	await    *awaited
	seq, ids int64
	last     time.Time // of the event that was handed on last
	passed   time.Time // up to which nothing can find its place any more
	sinks    []Sink
	pending  []pending   // in the order of their times
	open     []*InFlight // calls whose entry is past, with nothing handed on since
	inFlight map[*InFlight]bool
	sources  map[*Source]bool
	caughtUp sync.Cond // broadcast when a source has moved
	filter   func(Side, Body) bool
	labels   func(Side, Body) // see label.go
	seenTo   time.Time        // see SeenTo
	closed   bool
}

// pending is an event that is not handed on yet, or the entry of a call.
type pending struct {
	Event
	enters *InFlight
}

// awaited is a run that begins with the first event of which begins is true.
type awaited struct {
	side   Side
	begin  *Begin
	begins func(Body) bool
}

// New returns a log that starts now.
func New(sinks ...Sink) *Log {
	l := &Log{zero: time.Now(), sinks: sinks, inFlight: map[*InFlight]bool{}, sources: map[*Source]bool{}}
	l.caughtUp.L = &l.mu
	return l
}

// SetFilter has f decide which events are kept, just before they are numbered and in their order; nil keeps all. f may
// change the body.
func (l *Log) SetFilter(f func(Side, Body) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.filter = f
}

// Begin begins a run: now is its time 0.
func (l *Log) Begin(side Side, b *Begin) { l.Add(side, time.Time{}, b) }

// BeginWith begins a run just before the first event of which begins is true: a server's run begins when its client
// comes, and not when the server does.
func (l *Log) BeginWith(side Side, b *Begin, begins func(Body) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.await = &awaited{side, b, begins}
}

// Add records an event that happened at the moment at; the zero Time means now. It returns that moment.
func (l *Log) Add(side Side, at time.Time, body Body) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.IsZero() {
		at = time.Now()
	}
	if _, moves := body.(*Segment); moves {
		l.moves.Add(1)
	}
	l.insert(pending{Event: Event{Time: at, Side: side, Body: body}})
	l.flush()
	return at
}

// Moves grows whenever a call enters the kernel or leaves it, and whenever a segment moves. Who asks the kernel about a
// socket, and finds that it has grown meanwhile, cannot say on which side of that move the answer belongs.
func (l *Log) Moves() uint64 { return l.moves.Load() }

// SeenTo says that what is seen of sockets after t is not told: it is what the program does to end a run that failed,
// by calls that are not the lesson's. The zero Time has everything told again.
func (l *Log) SeenTo(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seenTo = t
	l.pending = slices.DeleteFunc(l.pending, l.unseen)
}

// unseen says whether an event is left out by SeenTo.
func (l *Log) unseen(p pending) bool {
	switch p.Body.(type) {
	case *State, *Queue, *Segment:
		return !l.seenTo.IsZero() && p.Time.After(l.seenTo)
	}
	return false
}

// Detail asks whoever tells of states to tell every field of TCP_INFO too: for who keeps the run, or draws it. It costs
// some 50 µs a state.
func (l *Log) Detail() { l.detail.Store(true) }

// Detailed says whether that was asked for.
func (l *Log) Detailed() bool { return l.detail.Load() }

// Source is somebody who sees things, and reports them a little later.
type Source struct {
	log   *Log
	until time.Time
}

// Source returns one that has reported all until now.
func (l *Log) Source() *Source {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &Source{l, time.Now()}
	l.sources[s] = true
	return s
}

// Until says that the source has reported all that happened until then.
func (s *Source) Until(t time.Time) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.until = t
	s.log.flush()
	s.log.caughtUp.Broadcast()
}

// Done says that nothing will come of the source any more.
func (s *Source) Done() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	delete(s.log.sources, s)
	s.log.flush()
	s.log.caughtUp.Broadcast()
}

// insert keeps pending sorted by time, and events of the same moment in the order they came.
func (l *Log) insert(p pending) {
	if l.closed || l.unseen(p) {
		return
	}
	if f := p.enters; l.labels != nil && f != nil {
		l.labels(f.side, f.body)
	} else if l.labels != nil {
		l.labels(p.Side, p.Body)
	}
	i := sort.Search(len(l.pending), func(i int) bool { return l.pending[i].Time.After(p.Time) })
	l.pending = slices.Insert(l.pending, i, p)
}

// flush hands over every event that nothing can come before any more.
func (l *Log) flush() {
	n := 0
	for n < len(l.pending) && !l.mayComeBefore(l.pending[n].Time) {
		l.take(l.pending[n])
		n++
	}
	l.pending = slices.Delete(l.pending, 0, n)
}

// mayComeBefore says whether a source may yet report something that happened before t.
func (l *Log) mayComeBefore(t time.Time) bool {
	for s := range l.sources {
		if t.After(s.until) {
			return true
		}
	}
	return false
}

// take hands an event over, or keeps in mind that a call is in the kernel.
func (l *Log) take(p pending) {
	l.passed = p.Time
	switch {
	case p.enters == nil:
		l.emit(p.Event)
	case l.inFlight[p.enters] && p.enters.slow:
		l.emit(p.enters.event())
	default:
		l.open = append(l.open, p.enters)
	}
}

// emit numbers an event and hands it to the sinks. One that was reported too late for its place stands at the moment of
// the event before it, and says how late it is: the order that was handed out is not changed afterwards.
func (l *Log) emit(e Event) {
	if l.filter != nil && !l.filter(e.Side, e.Body) {
		return
	}
	call, _ := e.Body.(*Call)
	l.emitEntries(call)
	if a := l.await; a != nil && a.begins(e.Body) {
		l.await = nil
		l.hand(Event{Time: e.Time, Side: a.side, Body: a.begin})
	}
	l.hand(e)
}

// emitEntries hands over where calls were entered of which something is to be told now: that something has come
// between. Of the call itself nothing is told there, if it is the last that was entered.
func (l *Log) emitEntries(returns *Call) {
	open := l.open
	l.open = nil
	for i, f := range open {
		if i == len(open)-1 && returns != nil && f.id == returns.ID {
			return
		}
		l.hand(f.event())
	}
}

func (l *Log) hand(e Event) {
	if e.Time.Before(l.last) {
		e.Late = l.last.Sub(e.Time)
		e.Time = l.last
	}
	switch b := e.Body.(type) {
	case *Begin:
		l.zero = e.Time
	case *Call:
		if f := b.flight; f != nil {
			b.Split, b.EnteredUS, b.flight = f.shown, f.at.Sub(l.zero).Microseconds(), nil
		}
	case *Summary:
		defer func() { l.zero = e.Time }() // until the next run begins
	}
	l.last = e.Time
	l.seq++
	e.Seq, e.At = l.seq, e.Time.Sub(l.zero)
	for _, s := range l.sinks {
		s.Event(e)
	}
}

// Flush hands over everything that has happened until now. It waits for the sources, but not for ever.
func (l *Log) Flush() {
	now := time.Now()
	late := time.AfterFunc(time.Second, l.caughtUp.Broadcast)
	defer late.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.mayComeBefore(now) && time.Since(now) < time.Second {
		l.caughtUp.Wait()
	}
	l.flush()
}

// Close hands over everything and takes no more events.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.sources)
	l.flush()
	l.emitEntries(nil)
	l.closed = true
	for f := range l.inFlight {
		f.timer.Stop()
	}
}
