package sockapi

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// call describes a system call that is about to be made: everything goes through
// Socket.do with one of these. They stay on the stack, closures and all, and the
// args function is not used without a tracer, so that being traceable is free.
type call struct {
	name string
	fd   int            // acted on
	addr netip.AddrPort // passed in
	// sys enters the kernel once.
	sys func(fd int) (int, unix.Errno)
	// args are the arguments in strace's notation: those passed in, and if done
	// with what the kernel wrote back, which it may also note in the Call.
	args func(c *Call, fd int, done bool) []string
	// once is for the calls that must not be made again after EINTR.
	once bool
	// dontwait says that EAGAIN is an answer and not the end of a wait.
	dontwait bool
}

// do makes a call on the socket, if it is open.
func (s *Socket) do(c *call) (int, error) {
	if s.aborted.Load() || !s.guard.enter() {
		return -1, s.closedError(c.name, c.addr)
	}
	c.fd = s.fd
	ret, errno := s.enterKernel(c)
	s.guard.leave()
	if errno != 0 {
		return ret, s.failed(c, errno)
	}
	return ret, nil
}

// failed makes the error of a call that returned errno. A call that Abort
// woke failed for that reason, whatever the kernel called it.
func (s *Socket) failed(c *call, errno unix.Errno) error {
	if s.aborted.Load() {
		return s.closedError(c.name, c.addr)
	}
	return s.fail(c.name, c.addr, errno, s.nonblock || c.dontwait)
}

// enterKernel makes the call, and shows it to the tracer if there is one.
func (s *Socket) enterKernel(c *call) (int, unix.Errno) {
	if s.tracer == nil {
		ret, errno, _ := c.retry()
		return ret, errno
	}
	shown := &Call{Name: c.name, FD: c.fd, Addr: c.addr}
	shown.Args = c.args(shown, c.fd, false)
	shown.enter(s.tracer)
	ret, errno, interrupted := c.retry()
	shown.returned(ret, errno)
	shown.Interrupted = interrupted
	shown.Args = c.args(shown, c.fd, errno == 0)
	if c.name == "socket" && errno == 0 {
		shown.FD = ret
	}
	s.tracer.Exit(shown)
	return ret, errno
}

// retry makes the call until it is not interrupted, and counts the times it was.
func (c *call) retry() (ret int, errno unix.Errno, interrupted int) {
	for {
		ret, errno = c.sys(c.fd)
		if errno != unix.EINTR || c.once {
			break
		}
		interrupted++
	}
	if errno != 0 {
		ret = -1
	}
	return ret, errno, interrupted
}

// errnoOf is the errno in an error of package unix, which is always one.
func errnoOf(err error) unix.Errno {
	errno, _ := err.(unix.Errno)
	return errno
}
