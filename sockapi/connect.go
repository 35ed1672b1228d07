package sockapi

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Connect connects to the address: connect(2). On a blocking socket it waits for
// the handshake, for SO_SNDTIMEO at most if that is set, and fails with
// EINPROGRESS when that is over; the attempt goes on. On a non-blocking
// socket it fails with EINPROGRESS at once: wait until the socket is writable,
// and read SO_ERROR.
//
// A connect that a signal interrupts goes on by itself, and cannot be made again
// (connect(2), EINTR): it is waited for with poll(2), and its result is SO_ERROR's.
func (s *Socket) Connect(addr netip.AddrPort) error {
	s.connecting.Add(1) // before do looks whether the socket was aborted: see Abort
	defer s.connecting.Add(-1)
	s.setPeer(addr)
	start := time.Now()
	_, err := s.doWithAddr("connect", addr, unix.SYS_CONNECT)
	if e, ok := err.(*Error); ok && e.Errno == unix.EINTR {
		return s.finishConnect(addr, start)
	}
	return err
}

// finishConnect waits for an interrupted connect.
func (s *Socket) finishConnect(addr netip.AddrPort, start time.Time) error {
	limit, err := SO_SNDTIMEO.Get(s)
	if err != nil {
		return err
	}
	ready, err := s.poll(addr, start, limit)
	if err != nil {
		return err
	}
	if !ready { // what connect itself says when its time is up
		return s.fail("connect", addr, unix.EINPROGRESS, false)
	}
	errno, err := SO_ERROR.Get(s)
	if err == nil && errno != 0 {
		return s.fail("connect", addr, errno, false)
	}
	return err
}

// poll waits until the socket is writable, for what is left of the limit that
// began at start; 0 is no limit. It reports whether the socket became so.
func (s *Socket) poll(addr netip.AddrPort, start time.Time, limit time.Duration) (bool, error) {
	fds := [1]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
	ms := -1
	c := call{
		name: "poll",
		sys: func(int) (int, unix.Errno) {
			if limit > 0 {
				ms = int(max(0, (limit-time.Since(start)+time.Millisecond-1)/time.Millisecond))
			}
			n, err := unix.Poll(fds[:], ms)
			return n, errnoOf(err)
		},
		args: func(_ *Call, fd int, _ bool) []string {
			return []string{fmt.Sprintf("[{fd=%d, events=POLLOUT}]", fd), "1", strconv.Itoa(ms)}
		},
	}
	n, err := s.do(&c)
	return n > 0, err
}
