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

func (r *waiter) wake(s Sample) { r.got <- s }

// Wait waits until the socket is seen in one of the states and returns the sample that showed it: at once if the last
// sample does. It asks nobody itself: it is woken by what Sample and Run observe, also by a state that was passed
// within one Sample. Without states it returns the last sample.
//
// When ctx ends the error wraps ctx's cause; when the socket is gone and CLOSED is not among the states it is
// [ErrGone]. Both come with the last sample, and say which state was waited for and which is there.
func (sk *Socket) Wait(ctx context.Context, states ...tcpinfo.State) (Sample, error) {
	r := &waiter{states: tcpinfo.MaskOf(states...), got: make(chan Sample, 1)}
	last, waiting := sk.enlist(r)
	if !waiting {
		return sk.waited(last, r, states)
	}
	select {
	case s := <-r.got:
		return sk.waited(s, r, states)
	case <-ctx.Done():
	}
	last = sk.delist(r)
	select {
	case s := <-r.got: // both happened; the state counts
		return sk.waited(s, r, states)
	default:
		return last, fmt.Errorf("waited for %v, it is %v: %w", states, last.State, context.Cause(ctx))
	}
}

func (sk *Socket) waited(s Sample, r *waiter, states []tcpinfo.State) (Sample, error) {
	if !r.states.Has(s.State) {
		return s, fmt.Errorf("waited for %v: %w", states, ErrGone)
	}
	return s, nil
}

// enlist adds a waiter, unless there is nothing to wait for.
func (sk *Socket) enlist(r *waiter) (last Sample, waiting bool) {
	sk.w.mu.Lock()
	defer sk.w.mu.Unlock()
	if sk.last.Gone || r.states.Has(sk.last.State) {
		return sk.last, false
	}
	sk.waiters = append(sk.waiters, r)
	return sk.last, true
}

func (sk *Socket) delist(r *waiter) (last Sample) {
	sk.w.mu.Lock()
	defer sk.w.mu.Unlock()
	if i := slices.Index(sk.waiters, r); i >= 0 {
		sk.waiters = slices.Delete(sk.waiters, i, i+1)
	}
	return sk.last
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
