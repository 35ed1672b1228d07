package echo

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// eventsPerTurn is how many ready descriptors one epoll_wait returns at most. The kernel goes round the ready ones, so
// none of them starves, however few fit.
const eventsPerTurn = 256

// errListenerGone: shutdown(2) of the listener, or SOCK_DESTROY (ss -K).
var errListenerGone = errors.New("shut down from outside")

// loop is the server at work. Everything in it belongs to the goroutine in run.
type loop struct {
	*Server
	accept  acceptor
	closing lingerers
	lingers bool // the listener does, and what connections inherit is what it has

	byFD    []*conn   // open connections by descriptor, which the kernel keeps small and dense
	conns   list.List // of *conn: the one whose last byte moved longest ago in front, so that the idle are found at once
	buffers sync.Pool // of *[]byte, for what stalled connections could not write
	scratch *[]byte   // what is read goes here, and from here to write; one of the pool
	events  []unix.EpollEvent

	now    time.Time // when this turn's events came
	report Report
}

func newLoop(s *Server) *loop {
	l := &loop{
		Server:  s,
		accept:  acceptor{batch: 1},
		buffers: sync.Pool{New: func() any { return new(make([]byte, s.cfg.BufferSize)) }},
		events:  make([]unix.EpollEvent, eventsPerTurn),
		now:     time.Now(),
		lingers: lingers(s.listener),
	}
	l.scratch = l.buffers.Get().(*[]byte)
	return l
}

// run serves until ctx ends, then drains.
func (l *loop) run(ctx context.Context) error {
	err := l.poller.set(unix.EPOLL_CTL_ADD, l.listener, unix.EPOLLIN)
	for err == nil && ctx.Err() == nil {
		err = l.turn()
	}
	if err != nil {
		l.abandon()
		return err
	}
	return l.drain()
}

// turn waits for events and handles each with a bounded amount of work.
func (l *loop) turn() error {
	ready, err := l.wait(l.untilNextTimer())
	if err != nil {
		return err
	}
	l.closeIdle()
	// Last, because only accept4 reuses the numbers of descriptors closed in this turn: events of this turn that
	// were meant for those have been dropped by now.
	err = l.acceptReady(ready)
	l.cfg.afterTurn(l)
	return err
}

// wait handles the events of connections, and reports whether the listener is ready.
func (l *loop) wait(timeout time.Duration) (listenerReady bool, err error) {
	n, err := l.poller.wait(l.events, timeout)
	l.now = time.Now()
	for _, ev := range l.events[:n] {
		if l.poller.isWakeup(ev.Fd) {
			l.reportClosed()
		} else if c := l.byNumber(ev.Fd); c != nil {
			l.ready(c)
		} else if int(ev.Fd) == l.listener.FD() {
			if ev.Events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
				// These come while accepting is paused too, and would for ever.
				err = fmt.Errorf("listener %v: %w", l.addr, errListenerGone)
			}
			listenerReady = true
		}
	}
	return listenerReady, err
}

// byNumber is the connection with that descriptor, nil if there is none (any more).
func (l *loop) byNumber(fd int32) *conn {
	if int(fd) < len(l.byFD) {
		return l.byFD[fd]
	}
	return nil
}

// untilNextTimer is how long nothing is due; negative is forever.
func (l *loop) untilNextTimer() time.Duration {
	wait := time.Duration(-1)
	due := func(at time.Time) {
		if left := max(0, time.Until(at)); wait < 0 || left < wait {
			wait = left
		}
	}
	if c := l.oldest(); l.cfg.IdleTimeout > 0 && c != nil {
		due(c.active.Add(l.cfg.IdleTimeout))
	}
	if l.accept.short != nil {
		due(l.accept.retryAt)
	}
	return wait
}

// closeIdle closes the connections whose time is up.
func (l *loop) closeIdle() {
	if l.cfg.IdleTimeout <= 0 {
		return
	}
	for c := l.oldest(); c != nil && l.idle(c); c = l.oldest() {
		// The loop itself may have been held up (by a Tracer, by SIGSTOP), with data waiting all the while: a last
		// look.
		l.ready(c)
		if l.byFD[c.fd] == c && l.idle(c) {
			l.close(c, Idle, nil)
		}
	}
}

// oldest is the connection whose last byte moved longest ago; nil if there is none.
func (l *loop) oldest() *conn {
	if e := l.conns.Front(); e != nil {
		return e.Value.(*conn)
	}
	return nil
}

func (l *loop) idle(c *conn) bool { return l.now.Sub(c.active) >= l.cfg.IdleTimeout }
