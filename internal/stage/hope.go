package stage

import (
	"slices"
	"time"

	"socklife/tcpinfo/watch"
)

// hope is what somebody waits to see of a socket. Once it is among the run's, its fields belong to whoever looks at
// that socket: they are read and written between two samples.
type hope struct {
	socket *watch.Socket
	test   func(watch.Sample) (ok, over bool)    // whether it has come, or cannot come any more
	check  func(seen watch.Sample, at time.Time) // records that it has come

	ok, over bool
	seen     watch.Sample
}

// hope waits until what is hoped for has come, or can come no more; ok tells which, and seen is the sample that showed
// it. It is recorded where it was seen: whoever waits may be slow to wake, and the socket in another state by then.
func (s *Side) hope(h *hope, what string) (seen watch.Sample, ok bool) {
	r := s.run
	r.mu.Lock()
	r.hopes = append(r.hopes, h)
	r.mu.Unlock()
	s.until(what, func() (over bool) {
		h.socket.Between(func(last watch.Sample) {
			h.judge(last, time.Time{})
			over = h.over
		})
		return over
	})
	r.mu.Lock()
	r.hopes = slices.DeleteFunc(r.hopes, func(o *hope) bool { return o == h })
	r.mu.Unlock()
	h.socket.Between(func(last watch.Sample) {
		if seen, ok = h.seen, h.ok; !h.over {
			seen = last
		}
	})
	return seen, ok
}

func (h *hope) judge(seen watch.Sample, at time.Time) {
	if h.over {
		return
	}
	h.seen = seen
	if h.ok, h.over = h.test(seen); h.ok {
		h.over = true
		h.check(seen, at)
	}
}

// judge holds a sample against what is hoped for of its socket.
func (r *run) judge(c watch.Change) {
	r.mu.Lock()
	hopes := slices.Clone(r.hopes)
	r.mu.Unlock()
	for _, h := range hopes {
		if h.socket == c.Socket {
			h.judge(c.Now, c.Now.Time)
		}
	}
}
