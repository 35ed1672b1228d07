package sockapi

import (
	"bytes"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Call is one system call as a value: what was passed in, and what came back. Which of the arguments a call has, its
// name says; the others are zero. [Call.Args] has them in strace's notation.
type Call struct {
	// Name is the system call's, as strace prints it: recv(2) and send(2) are library names for "recvfrom" and
	// "sendto".
	Name string
	// FD is the descriptor acted on. For socket it is -1, and the new one after it returned.
	FD int
	// Addr is the address passed in or written back; invalid if there is none.
	Addr netip.AddrPort

	Domain, Type, Protocol int      // of socket
	Backlog                int      // of listen
	How                    int      // of shutdown: unix.SHUT_WR
	Flags                  int      // of accept4 (unix.SOCK_NONBLOCK), recvfrom and sendto (unix.MSG_PEEK); of ppoll the events (unix.POLLIN)
	Option                 OptionID // of getsockopt and setsockopt
	Request                uintptr  // of ioctl: unix.SIOCINQ
	// Value is what Buf means: of an option, its T; of ioctl the int that was written back; of ppoll the time limit, a
	// time.Duration that is negative if there is none. It is nil until the kernel has written it.
	Value any
	// Buf is the memory that data is read into or written from, or that an option's value is in. It is the caller's,
	// and valid until the tracer's exit function has returned: [Call.Clone] keeps what is shown of it.
	Buf []byte
	// Len is the length passed in, of Buf or of an address; LenBack is what the kernel made of one that it writes back.
	Len, LenBack int
	// Ptr is where the kernel writes to, which strace shows as long as nothing was written there.
	Ptr uintptr

	// Ret is what the call returned, -1 if it failed.
	Ret int
	// Errno says why it failed; 0 on success.
	Errno unix.Errno
	// Interrupted counts how often a signal interrupted the call before (EINTR), so that it was made again. Each
	// time is a call of its own, to the tracer as to strace. What the kernel restarts by itself (signal(7)) is not
	// seen.
	Interrupted int
	// Entered is when the kernel was entered, after Tracer.Enter had returned. Returned is zero until the call has.
	Entered, Returned time.Time

	scope string // sin6_scope_id as strace shows it, where that is not what Addr's zone says
}

// Tracer sees each call of the sockets that were made with it, on the goroutine that makes the call.
type Tracer interface {
	// Enter is called before the kernel is entered, with the arguments that are passed in. It may block: the call
	// waits. The function that it returns is called after the kernel returned, when the same Call also has the result
	// and what the kernel wrote back; it may be nil.
	//
	// Neither may Close the socket. They may make other calls on it, which are traced like any other unless they are
	// made on its [Socket.Untraced].
	Enter(*Call) (exit func())
}

// Took is the time in the kernel; 0 for a call that has not returned.
func (c *Call) Took() time.Duration {
	if c.Returned.IsZero() {
		return 0
	}
	return c.Returned.Sub(c.Entered)
}

// Clone is a copy that may be kept: of the data, which is the caller's, it has as much as strace shows.
func (c *Call) Clone() *Call {
	kept := *c
	kept.Buf = bytes.Clone(c.Buf[:min(len(c.Buf), quotedBytes)])
	if _, ok := c.Value.([]byte); ok {
		kept.Value = kept.Buf
	}
	return &kept
}

// enterFunc enters the kernel once.
type enterFunc func(fd int) (int, unix.Errno)

// do makes a call on the socket, if it is open. The Call stays on its caller's stack, and so do the function and what
// that refers to: being traceable costs no allocation.
func (s *Socket) do(c *Call, enter enterFunc) (int, error) {
	if s.aborted.Load() || !s.enter() {
		return -1, s.fail(c, 0)
	}
	defer s.calls.RUnlock() // even if a tracer panics: Close waits for it
	c.FD = s.fd
	s.enterKernel(c, enter)
	if c.Errno == 0 {
		return c.Ret, nil
	}
	if s.aborted.Load() { // it failed for that reason, whatever the kernel called it
		return -1, s.fail(c, 0)
	}
	return -1, s.fail(c, c.Errno)
}

// enterKernel makes the call until it is not interrupted, and shows a copy of it to the tracer if there is one: each
// time, as it enters the kernel each time. Two must not be made again: see Connect and Close.
func (s *Socket) enterKernel(c *Call, enter enterFunc) {
	for {
		s.enterOnce(c, enter)
		if c.Errno != unix.EINTR || c.Name == "connect" || c.Name == "close" {
			return
		}
		c.Interrupted++
	}
}

func (s *Socket) enterOnce(c *Call, enter enterFunc) {
	if s.tracer == nil {
		c.make(enter)
		return
	}
	c.Ret, c.Errno, c.Returned = 0, 0, time.Time{}
	shown := *c
	exit := s.tracer.Enter(&shown)
	c.Entered = time.Now()
	c.make(enter)
	c.Returned = time.Now()
	shown = *c
	if exit != nil {
		exit()
	}
}

func (c *Call) make(enter enterFunc) {
	if c.Ret, c.Errno = enter(c.FD); c.Errno != 0 {
		c.Ret = -1
	}
}

// errnoOf is the errno in an error of package unix, which is always one.
func errnoOf(err error) unix.Errno {
	errno, _ := err.(unix.Errno)
	return errno
}
