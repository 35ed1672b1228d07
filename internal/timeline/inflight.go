package timeline

import "time"

// InFlight is a call that is in the kernel.
type InFlight struct {
	log   *Log
	side  Side
	id    int64
	at    time.Time
	body  *Enter
	timer *time.Timer
	slow  bool // it has been in the kernel for longer than BlockAfter
	shown bool // its entry was handed over
}

// Enter says that a call is about to enter the kernel.
func (l *Log) Enter(side Side, body *Enter) *InFlight {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moves.Add(1)
	l.ids++
	body.ID = l.ids
	f := &InFlight{log: l, side: side, id: l.ids, at: time.Now(), body: body}
	l.inFlight[f] = true
	f.timer = time.AfterFunc(BlockAfter, f.blocks)
	l.insert(pending{Event: Event{Time: f.at}, enters: f})
	l.flush()
	return f
}

// event is the entry.
func (f *InFlight) event() Event {
	f.shown = true
	return Event{Time: f.at, Side: f.side, Body: f.body}
}

// blocks runs when a call has been in the kernel for longer than BlockAfter.
func (f *InFlight) blocks() {
	l := f.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.inFlight[f] {
		return
	}
	f.slow = true
	for _, o := range l.open {
		if o == f {
			l.emitEntries(nil)
			return
		}
	}
}

// Drop forgets a call that is not to be recorded.
func (f *InFlight) Drop() {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	f.back()
	f.log.forget(f)
	f.log.flush()
}

// Exit records the call, which has returned at that moment. As long as it was in the kernel others were not held up:
// where they have gone on since, it stands behind them, at the moment at which this program had it back.
func (f *InFlight) Exit(returned time.Time, body *Call) {
	l := f.log
	l.mu.Lock()
	defer l.mu.Unlock()
	f.back()
	if returned.Before(l.passed) {
		returned = l.passed
	}
	body.ID, body.flight = f.id, f
	l.insert(pending{Event: Event{Time: returned, Side: f.side, Body: body}})
	l.flush()
}

func (f *InFlight) back() {
	f.timer.Stop()
	f.log.moves.Add(1)
	delete(f.log.inFlight, f)
}

// forget takes a call's entry out of what is still to be handed over.
func (l *Log) forget(f *InFlight) {
	for i, p := range l.pending {
		if p.enters == f {
			l.pending = append(l.pending[:i], l.pending[i+1:]...)
			return
		}
	}
	for i, o := range l.open {
		if o == f {
			l.open = append(l.open[:i], l.open[i+1:]...)
			return
		}
	}
}
