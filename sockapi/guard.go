package sockapi

import "sync/atomic"

// guard keeps a descriptor open while calls use it, and keeps calls away once it is to be closed. Without it a read
// that starts as another goroutine closes the socket could reach the kernel after the number was given to a new file.
type guard struct {
	state atomic.Int64 // users, plus guardClosed
	idle  chan struct{}
}

const guardClosed = 1 << 62

// enter reports whether the descriptor may be used; if so, leave must follow.
func (g *guard) enter() bool {
	for {
		n := g.state.Load()
		if n&guardClosed != 0 {
			return false
		}
		if g.state.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// join is enter for whoever wants to wake the others: it also succeeds after shut, for as long as users that shut waits
// for keep the descriptor open.
func (g *guard) join() bool {
	for {
		n := g.state.Load()
		if n == guardClosed {
			return false
		}
		if g.state.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (g *guard) leave() {
	if g.state.Add(-1) == guardClosed {
		close(g.idle)
	}
}

func (g *guard) closed() bool { return g.state.Load()&guardClosed != 0 }

// shut turns new users away and waits until those inside have left. It is called once.
func (g *guard) shut() {
	g.idle = make(chan struct{}) // before the bit is set, so that the last leave finds it
	if users := g.state.Add(guardClosed) - guardClosed; users > 0 {
		<-g.idle
	}
}
