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
	last  atomic.Int64 // ns that the last call took

	endings endings
}

// Hooks are what somebody adds to the record of the calls. The functions may be nil.
type Hooks struct {
	// Before is called before the kernel is entered, and what it returns as soon as the call is back.
	Before func(what string) (back func())
	// Over says that the calls are of no interest any more: they are somebody's cleaning up, and what is in the kernel
	// just then was woken by the program itself. They are not recorded.
	Over func() bool
	// After is called when the call is recorded.
	After func()
	// Blocks has the log say so of a call that waits for the other side, when that takes long.
	Blocks bool
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

// Took is how long the side's last call was in the kernel.
func (t *Tracer) Took() time.Duration { return time.Duration(t.last.Load()) }

// Enter has calls that act keep their place before what they cause.
func (t *Tracer) Enter(c *sockapi.Call) (exit func()) {
	h, what := t.hooks.Load(), short(c)
	back := h.before(what)
	ended := t.endings.enter(c)
	record := t.record(h, c, what)
	return func() {
		ended()
		t.last.Store(int64(c.Took()))
		back()
		record()
	}
}

// record is what puts a call into the log, when it is back.
func (t *Tracer) record(h *Hooks, c *sockapi.Call, what string) func() {
	switch {
	case h.over():
		return func() {}
	case waits(c) && !h.Blocks:
		return func() {
			t.log.Add(t.side, c.Returned, call(c))
			h.after()
		}
	}
	inFlight := t.log.Enter(t.side, !waits(c), time.Now(), what)
	return func() {
		if h.over() {
			inFlight.Drop()
			return
		}
		inFlight.Exit(c.Took(), call(c))
		h.after()
	}
}

func (h *Hooks) before(what string) (back func()) {
	if h.Before == nil {
		return func() {}
	}
	return h.Before(what)
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

// waits says whether a call is one that waits for the other side to do something, rather than doing something itself.
func waits(c *sockapi.Call) bool {
	switch c.Name {
	case "accept4", "read", "recvfrom", "ppoll":
		return true
	}
	return false
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
