package stage

import (
	"fmt"
	"time"

	"socklife/internal/timeline"
)

// Hold stays where the lesson is for as long as the user asked, so that it can be looked at from outside. The side that
// holds says how; the other one waits for it, says the same, and both count the seconds where somebody is looking on.
func (s *Side) Hold() {
	if d := s.HoldTime(); d > 0 {
		s.held.Store(true)
		s.Note("held for %v%s", d, s.lookFromOutside())
		s.pause(d)
	}
	s.alive()
}

// lookFromOutside is how the state can be looked at in a third terminal.
func (s *Side) lookFromOutside() (hint string) {
	if !s.OnWire() { // whose hosts no other process sees
		hint = fmt.Sprintf("; try in a third terminal: ss -tan 'sport = :%d or dport = :%[1]d'", s.Addr.Port())
	}
	if e := s.expected.Load(); e != nil {
		hint += fmt.Sprintf("; echoc --explain %s", *e)
	}
	return hint
}

// heldThere says that the other side holds, as this one's user asked it to: what is known here is that it was asked,
// and that it lets this one wait.
func (s *Side) heldThere(spent time.Duration) {
	asked := s.requested.Load() && s.Name == timeline.Client || s.asked.Load() && s.Name == timeline.Server
	hold := s.HoldTime()
	if hold == 0 || !asked || s.held.Load() || spent < holdNotice || spent > hold {
		return
	}
	if s.told.CompareAndSwap(false, true) {
		s.Note("--hold %v: the %s stays where it is for that long%s", hold, s.Name.Other(), s.lookFromOutside())
	}
	if spent%time.Second == 0 {
		s.run.countdown("--hold: about", hold-spent)
	}
}

// holdNotice is how long a side lets the other one wait who holds; no lesson does otherwise, or hardly.
const holdNotice = 400 * time.Millisecond

// countdown shows how long something still takes where somebody is looking on; 0 takes it away.
func (r *run) countdown(what string, left time.Duration) {
	if show := r.cfg.Countdown; show != nil {
		show(what, left)
	}
}

// count calls countdown each second, as a pause of that length goes by. It ends with what it returns.
func (r *run) count(what string, d time.Duration) (end func()) {
	if r.cfg.Countdown == nil {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for until := time.Now().Add(d); ; {
			if left := time.Until(until).Round(time.Second); left > 0 {
				r.countdown(what, left)
			}
			select {
			case <-second.C:
			case <-done:
				return
			}
		}
	}()
	return func() { done <- struct{}{}; r.countdown("", 0) }
}
