package sockapi

import (
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bind gives the socket its local address: bind(2). Port 0 lets the kernel choose
// one; Getsockname tells which.
func (s *Socket) Bind(addr netip.AddrPort) error {
	_, err := s.doWithAddr(call{name: "bind", addr: addr}, unix.SYS_BIND)
	if err == nil {
		s.setLocal(addr)
	}
	return err
}

// doWithAddr makes bind(2) or connect(2), which have the same arguments.
func (s *Socket) doWithAddr(c call, trap uintptr) (int, error) {
	// A zone is looked up on the descriptor, which has to be open for that too.
	if !s.guard.enter() {
		return -1, s.closedError(c.name, c.addr)
	}
	a, errno := encodeSockaddr(c.addr, func(zone string) (uint32, unix.Errno) { return zoneIndex(s.fd, zone) })
	s.guard.leave()
	if errno != 0 {
		return -1, s.fail(c.name, c.addr, errno, true)
	}
	return s.do(c,
		func(fd int) (int, unix.Errno) {
			_, _, errno := unix.Syscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&a.b)), uintptr(a.size))
			return 0, errno
		},
		func(_ *Call, fd int, _ bool) []string {
			return []string{strconv.Itoa(fd), showSockaddr(fd, &a), strconv.Itoa(int(a.size))}
		})
}

// Listen makes the socket a listener: listen(2). The accept queue holds
// backlog+1 connections, or net.core.somaxconn+1 if that is less.
func (s *Socket) Listen(backlog int) error {
	_, err := s.do(call{name: "listen"},
		func(fd int) (int, unix.Errno) { return 0, errnoOf(unix.Listen(fd, backlog)) },
		func(_ *Call, fd int, _ bool) []string {
			return []string{strconv.Itoa(fd), strconv.Itoa(backlog)}
		},
	)
	return err
}

// Accept4 takes the first connection from the accept queue, and waits for one if
// there is none: accept4(2). It returns the connection's socket and the peer's
// address. The flags are 0 or unix.SOCK_NONBLOCK, which is not inherited from
// the listener; SOCK_CLOEXEC is always added.
//
// Errors that belong to the connection and not to the listener, such as
// ECONNABORTED, are to be tried again (accept(2), "Error handling").
func (s *Socket) Accept4(flags int) (*Socket, netip.AddrPort, error) {
	flags |= unix.SOCK_CLOEXEC
	a := sockaddrRoom(s.domain)
	var peer netip.AddrPort
	fd, err := s.do(call{name: "accept4"},
		func(fd int) (int, unix.Errno) {
			a.size = a.room
			nfd, _, errno := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&a.b)),
				uintptr(unsafe.Pointer(&a.size)), uintptr(flags), 0, 0)
			if errno == 0 {
				peer = readSockaddr(fd, &a)
			}
			return int(nfd), errno
		},
		func(c *Call, fd int, done bool) []string {
			return append(showSockaddrBack(c, fd, &a, peer, done), sockTypeFlags(flags))
		},
	)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	s.mu.Lock()
	local := s.local
	s.mu.Unlock()
	return s.inherit(fd, flags&unix.SOCK_NONBLOCK != 0, local, peer), peer, nil
}

// Shutdown closes one direction of the connection or both: shutdown(2). how is
// unix.SHUT_RD, SHUT_WR (sends a FIN after the data that is still to be sent)
// or SHUT_RDWR. Other descriptors of the same connection are affected too, and
// calls that wait in it wake up.
func (s *Socket) Shutdown(how int) error {
	_, err := s.do(call{name: "shutdown"},
		func(fd int) (int, unix.Errno) { return 0, errnoOf(unix.Shutdown(fd, how)) },
		func(_ *Call, fd int, _ bool) []string {
			return []string{strconv.Itoa(fd), shutdownName(how)}
		},
	)
	return err
}

// Getsockname is the socket's own address: getsockname(2).
func (s *Socket) Getsockname() (netip.AddrPort, error) {
	addr, err := s.name("getsockname", unix.SYS_GETSOCKNAME)
	if err == nil {
		s.setLocal(addr)
	}
	return addr, err
}

// Getpeername is the peer's address: getpeername(2). It fails with ENOTCONN when
// there is no connection any more.
func (s *Socket) Getpeername() (netip.AddrPort, error) {
	addr, err := s.name("getpeername", unix.SYS_GETPEERNAME)
	if err == nil {
		s.setPeer(addr)
	}
	return addr, err
}

// name makes one of the two calls. Those of package unix make a second system
// call, getsockopt(SO_PROTOCOL), behind the reader's back.
func (s *Socket) name(name string, trap uintptr) (addr netip.AddrPort, err error) {
	a := sockaddrRoom(s.domain)
	_, err = s.do(call{name: name},
		func(fd int) (int, unix.Errno) {
			a.size = a.room
			_, _, errno := unix.Syscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&a.b)), uintptr(unsafe.Pointer(&a.size)))
			if errno == 0 {
				addr = readSockaddr(fd, &a)
			}
			return 0, errno
		},
		func(c *Call, fd int, done bool) []string { return showSockaddrBack(c, fd, &a, addr, done) },
	)
	return addr, err
}

// Dup makes a second descriptor for the same socket: dup(2). The connection is
// closed when both are. As dup(2) has it, the new descriptor is inherited by
// other programs on execve(2).
func (s *Socket) Dup() (*Socket, error) {
	fd, err := s.do(call{name: "dup"},
		func(fd int) (int, unix.Errno) {
			nfd, err := unix.Dup(fd)
			return nfd, errnoOf(err)
		},
		func(_ *Call, fd int, _ bool) []string { return []string{strconv.Itoa(fd)} },
	)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	local, peer := s.local, s.peer
	s.mu.Unlock()
	return s.inherit(fd, s.nonblock, local, peer), nil
}
