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
	c := call{
		name: "close",
		fd:   s.fd,
		once: true,
		sys: func(fd int) (int, unix.Errno) {
			return 0, errnoOf(unix.Close(fd))
		},
		args: func(_ *Call, fd int, _ bool) []string { return []string{strconv.Itoa(fd)} },
	}
	if _, errno := s.closeKernel(&c); errno != 0 {
		return s.fail("close", netip.AddrPort{}, errno, true)
	}
	return nil
}

// closeKernel is enterKernel for close: the tracer's Enter still finds the
// socket open, and the clock starts when the calls in progress have returned.
func (s *Socket) closeKernel(c *call) (int, unix.Errno) {
	if s.tracer == nil {
		s.guard.shut()
		return c.sys(c.fd)
	}
	shown := &Call{Name: c.name, FD: c.fd, Args: c.args(nil, c.fd, false)}
	s.tracer.Enter(shown)
	s.guard.shut()
	shown.Start = time.Now()
	ret, errno := c.sys(c.fd)
	if errno != 0 {
		ret = -1
	}
	shown.returned(ret, errno)
	s.tracer.Exit(shown)
	return ret, errno
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
