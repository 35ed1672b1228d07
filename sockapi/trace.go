package sockapi

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Call is one system call, as it was made.
type Call struct {
	// Name is the system call's, as strace prints it: recv(2) and send(2) are
	// library names for "recvfrom" and "sendto".
	Name string
	// Args are the arguments in strace's notation. A buffer that the kernel has
	// not written (yet) is its address, as in strace.
	Args []string
	// FD is the descriptor acted on. For socket it is -1, and the new one after it
	// returned.
	FD int
	// Addr is the address passed in or written back; invalid if there is none.
	Addr netip.AddrPort
	// Ret is what the call returned, -1 if it failed.
	Ret int
	// Errno says why it failed; 0 on success.
	Errno unix.Errno
	// Interrupted counts how often a signal interrupted the call (EINTR) and it
	// was made again. Each time is a call of its own in strace.
	Interrupted int
	// Start is when the kernel was entered, after Tracer.Enter had returned.
	Start time.Time
	// Took is the time in the kernel, interruptions included.
	Took time.Duration
}

// Waits says whether the call is one that waits for the other side to do
// something, rather than doing something itself.
func (c *Call) Waits() bool {
	switch c.Name {
	case "accept4", "read", "recvfrom", "ppoll":
		return true
	}
	return false
}

// Tracer sees each call of the sockets that were made with it, on the
// goroutine that makes the call.
//
// Neither method may Close the socket. They may make other calls on it, which
// are traced like any other, and use [Socket.Control], which is not traced.
type Tracer interface {
	// Enter is called before the kernel is entered, with Name, Args and FD
	// filled in, and Addr if it is passed in. It may block: the call waits.
	Enter(*Call)
	// Exit is called with the same Call after the kernel returned. Args now also
	// show what the kernel wrote back.
	Exit(*Call)
}

// enter runs t.Enter and starts the clock.
func (c *Call) enter(t Tracer) {
	t.Enter(c)
	c.Start = time.Now()
}

// returned stops the clock and notes the result.
func (c *Call) returned(ret int, errno unix.Errno) {
	c.Took = time.Since(c.Start)
	c.Ret, c.Errno = ret, errno
}
