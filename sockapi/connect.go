package sockapi

import (
	"errors"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Connect connects to the address: connect(2). On a blocking socket it waits for the handshake, for SO_SNDTIMEO at most
// if that is set, and fails with EINPROGRESS when that is over; the attempt goes on. On a non-blocking socket it fails
// with EINPROGRESS at once: wait until the socket is writable, and read SO_ERROR.
//
// A connect that a signal interrupts goes on by itself, and cannot be made again (connect(2), EINTR): it is waited for
// with ppoll(2), and its result is SO_ERROR's.
func (s *Socket) Connect(addr netip.AddrPort) error {
	s.connecting.Add(1) // before do looks whether the socket was aborted: see Abort
	defer s.connecting.Add(-1)
	start := time.Now()
	c := Call{Name: "connect", Addr: addr}
	err := s.passAddr(&c, unix.SYS_CONNECT)
	interrupted := errors.Is(err, unix.EINTR)
	if err == nil || interrupted || errors.Is(err, unix.EINPROGRESS) {
		s.setPeer(addr)
	}
	if interrupted {
		err = s.finishConnect(&c, start)
	}
	if errors.Is(err, os.ErrClosed) { // whichever call it was that found out
		return s.fail(&c, 0)
	}
	return err
}

// finishConnect waits for an interrupted connect, with calls that the tracer sees like any other.
func (s *Socket) finishConnect(c *Call, start time.Time) error {
	limit, err := SO_SNDTIMEO.Get(s)
	if err != nil {
		return err
	}
	var deadline time.Time
	if limit > 0 {
		deadline = start.Add(limit)
	}
	ready, err := s.pollWritable(deadline)
	if err != nil {
		return err
	}
	if !ready { // connect says the same when its time is up
		return s.fail(c, unix.EINPROGRESS)
	}
	errno, err := SO_ERROR.Get(s)
	if err == nil && errno != 0 {
		return s.fail(c, errno)
	}
	return err
}

// pollWritable waits until the socket is writable or has an error: poll(2), which is made with ppoll, as some
// architectures have only that. The zero deadline is none. It reports false if the deadline came first.
func (s *Socket) pollWritable(deadline time.Time) (bool, error) {
	revents, err := s.poll(unix.POLLOUT, func() time.Duration { return timeLeft(deadline) })
	return revents != 0, err
}

// Poll waits until one of the events (unix.POLLIN, POLLPRI, POLLOUT) is there, or an error or the end of the
// connection, for so long at most, and forever if that is negative: poll(2), which is made with ppoll. It returns what
// is there, 0 if the time was up.
func (s *Socket) Poll(events int16, atMost time.Duration) (revents int16, err error) {
	deadline, asked := time.Now().Add(atMost), 0
	return s.poll(events, func() time.Duration {
		if asked++; atMost < 0 || asked <= 2 { // to be shown, and to enter the kernel; then a signal has interrupted it
			return atMost
		}
		return max(0, time.Until(deadline))
	})
}

func (s *Socket) poll(events int16, timeLeft func() time.Duration) (revents int16, err error) {
	fds := [1]unix.PollFd{{Events: events}}
	c := Call{Name: "ppoll", Flags: int(events), Value: timeLeft()}
	_, err = s.do(&c, func(fd int) (int, unix.Errno) {
		left := timeLeft()
		c.Value = left
		fds[0].Fd = int32(fd)
		var limit *unix.Timespec
		if left >= 0 {
			limit = new(unix.NsecToTimespec(int64(left))) // which the kernel overwrites
		}
		n, err := unix.Ppoll(fds[:], limit, nil)
		return n, errnoOf(err)
	})
	return fds[0].Revents, err
}

// timeLeft is the time until the deadline, negative if there is none.
func timeLeft(deadline time.Time) time.Duration {
	if deadline.IsZero() {
		return -1
	}
	return max(0, time.Until(deadline))
}
