package scenario

import (
	"sync"

	"socklife/internal/timeline"
	"socklife/sockapi"
)

// underway is what the tracer keeps of a call between Enter and Exit.
type underway struct {
	inFlight *timeline.InFlight
	wait     *wait
}

// callTable holds the calls under way: one thread may read a socket while another writes it.
type callTable struct {
	mu    *sync.Mutex
	calls map[*sockapi.Call]underway
}

func newCallTable() callTable {
	return callTable{new(sync.Mutex), map[*sockapi.Call]underway{}}
}

func (t callTable) put(c *sockapi.Call, u underway) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls[c] = u
}

func (t callTable) take(c *sockapi.Call) (underway, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer delete(t.calls, c)
	u, ok := t.calls[c]
	return u, ok
}
