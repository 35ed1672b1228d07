package sockapi

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Socket is one socket and its one descriptor. Its methods may be called from several goroutines at once, with the
// effect that the system calls have.
type Socket struct {
	*descriptor
	tracer  Tracer
	aborted atomic.Bool // Abort was called
}

// descriptor is what a Socket and its Untraced have in common.
type descriptor struct {
	fd       int
	domain   int
	nonblock bool

	// calls is held for reading by each call that uses the descriptor, which keeps it open, and by Close for ever.
	// Without it a read that starts as another goroutine closes the socket could reach the kernel after the number was
	// given to a new file.
	calls      sync.RWMutex
	closing    atomic.Bool // Close was called
	connecting atomic.Int32

	mu          sync.Mutex
	closed      bool           // no call is using the descriptor, nor will any
	local, peer netip.AddrPort // as told to or by this socket, for errors
}

// NewSocket makes a socket: socket(2). The domain is unix.AF_INET or unix.AF_INET6, typ is unix.SOCK_STREAM, or'ed with
// unix.SOCK_NONBLOCK for one that does not block, and proto is 0 or unix.IPPROTO_TCP. SOCK_CLOEXEC is always added, so
// that the descriptor does not leak into other programs.
//
// The tracer sees this call and all later ones, those of accepted and duplicated sockets too. It may be nil.
func NewSocket(domain, typ, proto int, t Tracer) (*Socket, error) {
	typ |= unix.SOCK_CLOEXEC
	s := &Socket{descriptor: &descriptor{fd: -1, domain: domain, nonblock: typ&unix.SOCK_NONBLOCK != 0}, tracer: t}
	c := Call{Name: "socket", FD: -1, Domain: domain, Type: typ, Protocol: proto}
	s.enterKernel(&c, func(int) (int, unix.Errno) {
		fd, err := unix.Socket(domain, typ, proto)
		if err == nil {
			c.FD = fd
		}
		return fd, errnoOf(err)
	})
	if c.Errno != 0 {
		return nil, s.fail(&c, c.Errno)
	}
	s.fd = c.Ret
	return s, nil
}

// inherit makes the Socket of a descriptor that a call on s returned.
func (s *Socket) inherit(fd int, nonblock bool, local, peer netip.AddrPort) *Socket {
	d := &descriptor{fd: fd, domain: s.domain, nonblock: nonblock, local: local, peer: peer}
	return &Socket{descriptor: d, tracer: s.tracer}
}

// Untraced is the same socket, descriptor and all, without its tracer: for what a program asks on its own account and
// not as part of what it shows. Its calls can also be made after Abort of s, until one of the two is closed, which
// closes both.
func (s *Socket) Untraced() *Socket { return &Socket{descriptor: s.descriptor} }

// FD is the descriptor's number, to be shown, or to be given to epoll_ctl(2); -1 after Close. To make a call with it
// use Control: by the time a number is used it may be another socket's.
func (s *Socket) FD() int {
	if !s.enter() {
		return -1
	}
	defer s.calls.RUnlock()
	return s.fd
}

// Control runs f with the descriptor, which is not closed before f has returned: for system calls that have no method
// here. They are not traced. f must not Close the socket, which would wait for f. After Close, and as soon as Close has
// begun to, Control fails with an error that wraps os.ErrClosed. It has the signature of syscall.RawConn's.
func (s *Socket) Control(f func(fd uintptr)) error {
	if !s.enter() {
		return s.fail(&Call{Name: "control"}, 0)
	}
	defer s.calls.RUnlock()
	f(uintptr(s.fd))
	return nil
}

// enter reports whether the descriptor may be used; if so, calls.RUnlock must follow. It never waits for Close, which
// may wait for whoever asks: for a call that is made from another's tracer.
func (d *descriptor) enter() bool { return d.calls.TryRLock() }

// about is the address that an error of a call without one is about.
func (d *descriptor) about() netip.AddrPort {
	local, peer := d.names()
	if peer.IsValid() {
		return peer
	}
	return local
}

func (d *descriptor) names() (local, peer netip.AddrPort) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.local, d.peer
}

func (d *descriptor) setLocal(a netip.AddrPort) {
	d.mu.Lock()
	d.local = a
	d.mu.Unlock()
}

func (d *descriptor) setPeer(a netip.AddrPort) {
	d.mu.Lock()
	d.peer = a
	d.mu.Unlock()
}
