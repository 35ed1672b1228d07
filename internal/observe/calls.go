package observe

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"socklife/internal/timeline"
	"socklife/sockapi"
)

// Tracer puts each call of one side into the timeline, when it has returned.
type Tracer struct {
	log   *timeline.Log
	side  timeline.Side
	hooks atomic.Pointer[Hooks]
	fds   descriptors
	last  atomic.Pointer[stay] // of the last call

	endings endings
}

// Hooks are what somebody adds to the record of the calls. The functions may be nil.
type Hooks struct {
	// Before is called before the kernel is entered, and what it returns as soon as the call is back.
	Before func(*sockapi.Call) (back func())
	// Over says that the calls are of no interest any more: they are somebody's cleaning up, and what is in the kernel
	// just then was woken by the program itself. They are not recorded.
	Over func() bool
	// After is called when the call is recorded.
	After func()
}

// NewTracer returns the tracer of a side's sockets.
func NewTracer(log *timeline.Log, side timeline.Side, hooks Hooks) *Tracer {
	t := &Tracer{log: log, side: side}
	t.SetHooks(hooks)
	return t
}

// SetHooks puts others in the place of those before: a listener that is kept from run to run belongs to another run
// then.
func (t *Tracer) SetHooks(hooks Hooks) { t.hooks.Store(&hooks) }

// stay is a time in the kernel.
type stay struct{ entered, returned time.Time }

// Last is when the side's last call entered the kernel, and when it was back.
func (t *Tracer) Last() (entered, returned time.Time) {
	if in := t.last.Load(); in != nil {
		return in.entered, in.returned
	}
	return entered, returned
}

// Took is how long the side's last call was in the kernel.
func (t *Tracer) Took() time.Duration {
	entered, returned := t.Last()
	return returned.Sub(entered)
}

// Enter has the timeline know where the call enters the kernel, and where it returns.
func (t *Tracer) Enter(c *sockapi.Call) (exit func()) {
	h := t.hooks.Load()
	back := h.before(c)
	ended := t.endings.enter(c)
	record := t.record(h, c)
	return func() {
		ended()
		t.last.Store(&stay{c.Entered, c.Returned})
		back()
		record()
	}
}

// record is what puts a call into the log, when it is back.
func (t *Tracer) record(h *Hooks, c *sockapi.Call) func() {
	socket := t.entered(c)
	if h.over() {
		return func() {}
	}
	inFlight := t.log.Enter(t.side, timeline.EntryOf(c, socket))
	return func() {
		if h.over() {
			inFlight.Drop()
			return
		}
		inFlight.Exit(c.Returned, t.identified(c, socket))
		h.after()
	}
}

func (h *Hooks) before(c *sockapi.Call) (back func()) {
	if h.Before == nil {
		return func() {}
	}
	return h.Before(c)
}

func (h *Hooks) over() bool { return h.Over != nil && h.Over() }

func (h *Hooks) after() {
	if h.After != nil {
		h.After()
	}
}

// short is a call as it is told of before it has returned.
func short(c *sockapi.Call) string {
	switch c.Name {
	case "socket", "listen", "shutdown":
		return c.Name + "(" + strings.Join(c.Args(), ", ") + ")"
	case "bind", "connect":
		if c.Addr.IsValid() {
			return fmt.Sprintf("%s(%d, %s)", c.Name, c.FD, c.Addr)
		}
	case "setsockopt":
		return fmt.Sprintf("%s(%d, %s, %s)", c.Name, c.FD, c.Option.Name, c.OptionValue())
	case "getsockopt":
		return fmt.Sprintf("%s(%d, %s)", c.Name, c.FD, c.Option.Name)
	}
	return fmt.Sprintf("%s(%d)", c.Name, c.FD)
}

// call is a call that has returned, as an event.
func call(c *sockapi.Call) *timeline.Call {
	e := &timeline.Call{
		Call: c.Name, Args: c.Args(), FD: c.FD, Ret: c.Ret,
		TookUS: float64(c.Took()/(100*time.Nanosecond)) / 10,
		Sys:    c.Clone(),
	}
	if c.Errno != 0 {
		e.Errno = sockapi.ErrnoName(c.Errno)
	}
	return e
}
