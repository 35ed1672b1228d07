package sockapi

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Socket is one socket and its one descriptor. Its methods may be called from
// several goroutines at once, with the effect that the system calls have.
type Socket struct {
	fd       int
	domain   int
	nonblock bool
	tracer   Tracer

	guard      guard
	closing    atomic.Bool // Close was called
	aborted    atomic.Bool // Abort was called
	connecting atomic.Int32

	mu          sync.Mutex
	local, peer netip.AddrPort // as told to or by this Socket, for errors

	again [4]atomic.Pointer[Error] // see fail
}

// NewSocket makes a socket: socket(2). The domain is unix.AF_INET or
// unix.AF_INET6, typ is unix.SOCK_STREAM, or'ed with unix.SOCK_NONBLOCK for one
// that does not block, and proto is 0 or unix.IPPROTO_TCP. SOCK_CLOEXEC is
// always added, so that the descriptor does not leak into other programs.
//
// The tracer sees this call and all later ones, those of accepted and duplicated
// sockets too. It may be nil.
func NewSocket(domain, typ, proto int, t Tracer) (*Socket, error) {
	typ |= unix.SOCK_CLOEXEC
	s := &Socket{fd: -1, domain: domain, nonblock: typ&unix.SOCK_NONBLOCK != 0, tracer: t}
	fd, errno := s.enterKernel(call{name: "socket", fd: -1},
		func(int) (int, unix.Errno) {
			fd, err := unix.Socket(domain, typ, proto)
			return fd, errnoOf(err)
		},
		func(*Call, int, bool) []string {
			return []string{familyName(domain), sockTypeName(typ), protocolName(domain, proto)}
		},
	)
	if errno != 0 {
		return nil, &Error{Call: "socket", FD: -1, Errno: errno, now: true}
	}
	s.fd = fd
	return s, nil
}

// inherit makes the Socket of a descriptor that a call on s returned.
func (s *Socket) inherit(fd int, nonblock bool, local, peer netip.AddrPort) *Socket {
	return &Socket{fd: fd, domain: s.domain, nonblock: nonblock, tracer: s.tracer, local: local, peer: peer}
}

// FD is the descriptor's number, to be shown, or to be given to epoll_ctl(2); -1
// after Close. To make a call with it use Control: by the time a number is used
// it may be another socket's.
func (s *Socket) FD() int {
	if s.guard.closed() {
		return -1
	}
	return s.fd
}

// Control runs f with the descriptor, which is not closed before f has returned:
// for system calls that have no method here. They are not traced. f must not
// Close the socket, which would wait for f. After Close, and as soon as Close
// has begun to, Control fails with an error that wraps os.ErrClosed. It has the
// signature of syscall.RawConn's.
func (s *Socket) Control(f func(fd uintptr)) error {
	if !s.guard.enter() {
		return s.closedError("control", netip.AddrPort{})
	}
	defer s.guard.leave()
	f(uintptr(s.fd))
	return nil
}

// about is the address that an error of a call without one is about.
func (s *Socket) about() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peer.IsValid() {
		return s.peer
	}
	return s.local
}

func (s *Socket) setLocal(a netip.AddrPort) {
	s.mu.Lock()
	s.local = a
	s.mu.Unlock()
}

func (s *Socket) setPeer(a netip.AddrPort) {
	s.mu.Lock()
	s.peer = a
	s.mu.Unlock()
}
