package sockapi

import (
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Close is close(2): it gives up the descriptor, and ends the connection if this
// was the last one of it. First it waits for the calls in progress on this
// Socket, which close(2) does not wake; new ones fail from then on.
//
// The descriptor is gone even if close(2) fails, so it is never made twice; a
// second Close fails with an error that wraps os.ErrClosed.
func (s *Socket) Close() error {
	if s.closing.Swap(true) {
		return s.closedError("close", netip.AddrPort{})
	}
	c := &Call{Name: "close", Args: []string{strconv.Itoa(s.fd)}, FD: s.fd}
	// The tracer's Enter still finds the socket open, and the clock starts when
	// the calls in progress have returned.
	s.enterClose(c)
	s.guard.shut()
	c.Start = time.Now()
	errno := errnoOf(unix.Close(s.fd))
	ret := 0
	if errno != 0 {
		ret = -1
	}
	c.returned(ret, errno)
	if s.tracer != nil {
		s.tracer.Exit(c)
	}
	if errno != 0 {
		return s.fail("close", netip.AddrPort{}, errno, true)
	}
	return nil
}

// enterClose runs the tracer's Enter. If that panics the call is not made: the socket stays open, for another Close.
func (s *Socket) enterClose(c *Call) {
	if s.tracer == nil {
		return
	}
	entered := false
	defer func() {
		if !entered {
			s.closing.Store(false)
		}
	}()
	s.tracer.Enter(c)
	entered = true
}

// Abort wakes the calls that wait in the socket, by shutting both directions
// down. They fail, and so do all later ones except Close, with an error that wraps
// os.ErrClosed. It is for the end of a run, from another goroutine; it is not
// traced. The descriptor stays open until Close; a Close that waits for such calls
// goes on.
func (s *Socket) Abort() {
	s.aborted.Store(true)
	if !s.wake() {
		return
	}
	// A connect that has passed the check for aborted but not yet begun has
	// nothing that could be shut down. It will have, in a moment.
	go func() {
		for s.wake() {
			time.Sleep(time.Millisecond)
		}
	}()
}

// wake shuts both directions down. It reports whether to try again.
func (s *Socket) wake() bool {
	if !s.guard.join() {
		return false
	}
	defer s.guard.leave()
	// ENOTCONN is no news for a socket that was never connected.
	_ = unix.Shutdown(s.fd, unix.SHUT_RDWR)
	return s.connecting.Load() > 0
}
