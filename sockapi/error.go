package sockapi

import (
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Error is a call that failed. errors.Is sees through it to the errno: errors.Is(err, unix.ECONNREFUSED).
type Error struct {
	// Call is the system call's name, as in [Call].
	Call string
	// FD is the descriptor acted on, -1 for socket.
	FD int
	// Addr is the address passed to the call. For a call that takes none it is the peer's, or else the one bound to, as
	// far as this Socket was told; asking the kernel would be a second call. Invalid if there is none.
	Addr netip.AddrPort
	// Errno is the kernel's answer. It is 0 if the kernel was not asked, because the socket was closed or aborted.
	Errno unix.Errno
	// Option is the option's name, for getsockopt and setsockopt.
	Option string

	now bool // EAGAIN or EINPROGRESS was an answer, not the end of a wait
}

// Error is "connect 127.0.0.1:7007: connection refused".
func (e *Error) Error() string {
	s := e.Call
	if e.Option != "" {
		s += " " + e.Option
	}
	if e.Addr.IsValid() {
		s += " " + e.Addr.String()
	} else if e.FD >= 0 {
		s += " fd " + strconv.Itoa(e.FD)
	}
	if e.Errno == 0 {
		return s + ": use of closed socket"
	}
	return s + ": " + e.Errno.Error()
}

// Unwrap returns the errno, or os.ErrClosed for a call on a closed socket.
func (e *Error) Unwrap() error {
	if e.Errno == 0 {
		return os.ErrClosed
	}
	return e.Errno
}

// Timeout says whether the call failed because its time was up: ETIMEDOUT; EAGAIN on a blocking socket, which is how
// SO_RCVTIMEO and SO_SNDTIMEO end a wait (socket(7)); EINPROGRESS from a connect on a blocking socket, for the same
// reason. On a non-blocking socket, or with MSG_DONTWAIT, the last two mean "not yet", and Timeout is false.
func (e *Error) Timeout() bool {
	switch e.Errno {
	case unix.ETIMEDOUT:
		return true
	case unix.EAGAIN, unix.EINPROGRESS:
		return !e.now
	}
	return false
}

// fail makes the error of a call; errno 0 says that the socket is closed or aborted.
func (s *Socket) fail(c *Call, errno unix.Errno) error {
	addr := c.Addr
	if !addr.IsValid() {
		addr = s.about()
	}
	dontwait := (c.Name == "recvfrom" || c.Name == "sendto") && c.Flags&unix.MSG_DONTWAIT != 0
	return &Error{Call: c.Name, FD: s.fd, Addr: addr, Errno: errno, Option: c.Option.Name, now: s.nonblock || dontwait}
}
