package stage

import (
	"context"
	"sync"
	"time"
)

// clock bounds waits by the time that the sides were free to act: while the user has yet to press Enter, or a pause or
// a hold runs, no deadline comes nearer.
type clock struct {
	ctx    context.Context
	mu     sync.Mutex
	paused int
	ticker *time.Ticker
	waits  map[*wait]bool
	ended  func() // called when a wait has ended
	done   chan struct{}
	once   sync.Once
}

// wait is something that must end before its time is up.
type wait struct {
	clock *clock
	left  time.Duration
	spent time.Duration
	late  func()
	each  func(spent time.Duration) // called at every tick; may be nil
}

const tick = 50 * time.Millisecond

func newClock(ctx context.Context, ended func()) *clock {
	c := &clock{ctx: ctx, ended: ended, ticker: time.NewTicker(tick), waits: map[*wait]bool{}, done: make(chan struct{})}
	go c.run()
	return c
}

func (c *clock) run() {
	for {
		select {
		case <-c.done:
			return
		case <-c.ticker.C:
			for _, do := range c.advance() {
				do()
			}
		}
	}
}

// advance takes one tick off every wait and returns what is to be done about it.
func (c *clock) advance() (todo []func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused > 0 {
		return nil
	}
	for w := range c.waits {
		w.spent += tick
		if w.left -= tick; w.left <= 0 {
			delete(c.waits, w)
			todo = append(todo, w.late)
		} else if w.each != nil {
			todo = append(todo, func() { w.each(w.spent) })
		}
	}
	return todo
}

// wait calls late unless end is called in time.
func (c *clock) wait(atMost time.Duration, late func(), each func(spent time.Duration)) *wait {
	w := &wait{clock: c, left: atMost, late: late, each: each}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits[w] = true
	return w
}

func (w *wait) end() {
	w.clock.mu.Lock()
	delete(w.clock.waits, w)
	w.clock.mu.Unlock()
	w.clock.ended()
}

// pause stops the clock for d, or until the run ends.
func (c *clock) pause(d time.Duration) {
	resume := c.hold()
	defer resume()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
}

// hold stops the clock until the function it returns is called.
func (c *clock) hold() (resume func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.paused--
	}
}

func (c *clock) stop() {
	c.once.Do(func() {
		c.ticker.Stop()
		close(c.done)
	})
}
