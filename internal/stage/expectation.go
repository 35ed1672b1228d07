package stage

import (
	"slices"
	"time"

	"socklife/tcpinfo/watch"
)

// expectation is what somebody waits to see of a socket, or of one of several. Once it is among the run's, its fields
// belong to whoever looks at them: they are read and written between two samples.
type expectation struct {
	of    func() []*watch.Socket                // of these sockets, which share a watcher
	test  func(watch.Sample) (ok, over bool)    // whether it has come, or cannot come any more
	check func(seen watch.Sample, at time.Time) // records that it has come

	ok, over bool
	seen     watch.Sample
}

// meet waits until what is expected has come, or can come no more; ok tells which, and seen is the sample that showed
// it. It is recorded where it was seen: whoever waits may be slow to wake, and the socket in another state by then.
func (r *run) meet(h *expectation, where *host, each func(time.Duration)) (seen watch.Sample, ok bool) {
	r.mu.Lock()
	r.expectations = append(r.expectations, h)
	r.mu.Unlock()
	r.until(where, each, func() (over bool) {
		for _, socket := range h.of() {
			socket.Between(func(last watch.Sample) {
				h.judge(last, time.Time{})
				seen, ok, over = h.seen, h.ok, h.over
			})
		}
		return over
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expectations = slices.DeleteFunc(r.expectations, func(o *expectation) bool { return o == h })
	return seen, ok
}

func (h *expectation) judge(seen watch.Sample, at time.Time) {
	if h.over {
		return
	}
	h.seen = seen
	if h.ok, h.over = h.test(seen); h.ok {
		h.over = true
		h.check(seen, at)
	}
}

// judge holds a sample against what is expected of its socket.
func (r *run) judge(c watch.Change) {
	r.mu.Lock()
	expectations := slices.Clone(r.expectations)
	r.mu.Unlock()
	for _, h := range expectations {
		if slices.Contains(h.of(), c.Socket) {
			h.judge(c.Now, c.Now.Time)
		}
	}
}
