package sockapi

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// call describes a system call that is about to be made. Everything goes through
// Socket.do with one of these and two functions: the first enters the kernel
// once, the second is for the tracer. Without a tracer it is not used, and being
// traceable is free: the functions stay on the stack, for which they must not
// be in the struct, as its name goes into errors, which do not.
type call struct {
	name string
	fd   int            // acted on
	addr netip.AddrPort // passed in
	// once is for the calls that must not be made again after EINTR.
	once bool
	// dontwait says that EAGAIN is an answer and not the end of a wait.
	dontwait bool
	// reads says that 0 is the end of the stream.
	reads bool
}

// enterFunc enters the kernel once.
type enterFunc func(fd int) (int, unix.Errno)

// argsFunc shows the arguments in strace's notation: those passed in, and if done
// with what the kernel wrote back, which it may also note in the Call.
type argsFunc func(c *Call, fd int, done bool) []string

// do makes a call on the socket, if it is open.
func (s *Socket) do(c call, enter enterFunc, args argsFunc) (int, error) {
	if s.aborted.Load() || !s.guard.enter() {
		return -1, s.closedError(c.name, c.addr)
	}
	defer s.guard.leave() // even if a tracer panics: Close waits for it
	c.fd = s.fd
	ret, errno := s.enterKernel(c, enter, args)
	if errno != 0 {
		return ret, s.failed(c, errno)
	}
	return ret, nil
}

// failed makes the error of a call that returned errno. A call that Abort
// woke failed for that reason, whatever the kernel called it.
func (s *Socket) failed(c call, errno unix.Errno) error {
	if s.aborted.Load() {
		return s.closedError(c.name, c.addr)
	}
	return s.fail(c.name, c.addr, errno, s.nonblock || c.dontwait)
}

// enterKernel makes the call, and shows it to the tracer if there is one.
func (s *Socket) enterKernel(c call, enter enterFunc, args argsFunc) (int, unix.Errno) {
	if s.tracer == nil {
		ret, errno, _ := c.retry(enter)
		return ret, errno
	}
	shown := &Call{Name: c.name, FD: c.fd, Addr: c.addr}
	shown.Args = args(shown, c.fd, false)
	shown.enter(s.tracer)
	ret, errno, interrupted := c.retry(enter)
	shown.returned(ret, errno)
	shown.Interrupted = interrupted
	shown.Args = args(shown, c.fd, errno == 0)
	if c.name == "socket" && errno == 0 {
		shown.FD = ret
	}
	s.tracer.Exit(shown)
	return ret, errno
}

// retry makes the call until it is not interrupted, and counts the times it was.
func (c *call) retry(enter enterFunc) (ret int, errno unix.Errno, interrupted int) {
	for {
		ret, errno = enter(c.fd)
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
