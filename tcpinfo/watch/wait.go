package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"socklife/tcpinfo"
)

// ErrGone is what waiting for a state ends with when the socket is gone and can reach no other.
var ErrGone = errors.New("the socket is gone")

// waiter is one call of Wait.
type waiter struct {
	states tcpinfo.StateMask
	got    chan Sample // has room for one
}

// offer says whether the sample ends the waiting.
func (r *waiter) offer(s Sample) bool {
	ends := s.Gone || r.states.Has(s.State)
	if ends {
		r.got <- s
	}
	return ends
}

// Wait waits until the socket is seen in one of the states and returns the sample that showed it: at once if the last
// sample does. It asks nobody itself: it is woken by what Sample and Run observe, also by a state that was passed
// within one Sample. Without states it returns the last sample.
//
// When ctx ends the error wraps ctx's cause; when the socket is gone and CLOSED is not among the states it is
// [ErrGone]. Both come with the last sample, and say which state was waited for and which is there.
func (sk *Socket) Wait(ctx context.Context, states ...tcpinfo.State) (Sample, error) {
	r := &waiter{states: tcpinfo.MaskOf(states...), got: make(chan Sample, 1)}
	sk.enlist(r)
	var s Sample
	select {
	case s = <-r.got:
	case <-ctx.Done():
		last := sk.delist(r)
		select {
		case s = <-r.got: // both happened; the state counts
		default:
			return last, fmt.Errorf("waited for %v, it is %v: %w", states, last.State, context.Cause(ctx))
		}
	}
	if !r.states.Has(s.State) {
		return s, fmt.Errorf("waited for %v: %w", states, ErrGone)
	}
	return s, nil
}

// enlist adds a waiter, unless there is nothing to wait for.
func (sk *Socket) enlist(r *waiter) {
	sk.w.mu.Lock()
	defer sk.w.mu.Unlock()
	if !r.offer(sk.last) {
		sk.waiters = append(sk.waiters, r)
	}
}

func (sk *Socket) delist(r *waiter) (last Sample) {
	sk.w.mu.Lock()
	defer sk.w.mu.Unlock()
	sk.waiters = slices.DeleteFunc(sk.waiters, func(o *waiter) bool { return o == r })
	return sk.last
}

// wake ends the waiting of those who waited for this sample.
func (sk *Socket) wake(s Sample) {
	sk.w.mu.Lock()
	defer sk.w.mu.Unlock()
	sk.waiters = slices.DeleteFunc(sk.waiters, func(r *waiter) bool { return r.offer(s) })
}

// Between calls f with the last sample while no other is taken or reported. It must not be called from within report,
// nor may f call a method that samples.
func (sk *Socket) Between(f func(last Sample)) {
	sk.w.sampling.Lock()
	defer sk.w.sampling.Unlock()
	f(sk.Last())
}

// reevaluate is how often WaitFor looks at its condition when there is no news.
const reevaluate = 10 * time.Millisecond

// WaitFor waits until the condition holds. It is looked at at once, after each Sample or poll that reported a change,
// and every 10 ms: it may depend on anything. It is called on the caller's goroutine, with no lock held. The error
// wraps the cause of ctx's end.
func (w *Watcher) WaitFor(ctx context.Context, condition func() bool) error {
	tick := time.NewTicker(reevaluate)
	defer tick.Stop()
	for {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-ctx.Done():
			if condition() {
				return nil
			}
			return fmt.Errorf("waited for a condition: %w", context.Cause(ctx))
		}
	}
}
