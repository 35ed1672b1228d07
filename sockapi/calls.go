package sockapi

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bind gives the socket its local address: bind(2). Port 0 lets the kernel choose one; Getsockname tells which.
func (s *Socket) Bind(addr netip.AddrPort) error {
	err := s.passAddr(&Call{Name: "bind", Addr: addr}, unix.SYS_BIND)
	if err == nil {
		s.setLocal(addr)
	}
	return err
}

// passAddr makes bind(2) or connect(2), which have the same arguments.
func (s *Socket) passAddr(c *Call, trap uintptr) error {
	var a sockaddr
	size, errno := a.encode(c.Addr, s.zoneIndex)
	if errno != 0 {
		return s.fail(c, errno)
	}
	c.Len = size
	if s.tracer != nil && c.Addr.Addr().Zone() != "" {
		index := binary.NativeEndian.Uint32(a[24:])
		_ = s.Control(func(fd uintptr) { c.scope = scopeID(c.Addr.Addr(), index, ifName(int(fd), index)) })
	}
	_, err := s.do(c, func(fd int) (int, unix.Errno) {
		_, _, errno := unix.Syscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&a)), uintptr(size))
		return 0, errno
	})
	return err
}

// Listen makes the socket a listener: listen(2). The accept queue holds backlog+1 connections, or net.core.somaxconn+1
// if that is less.
func (s *Socket) Listen(backlog int) error {
	_, err := s.do(&Call{Name: "listen", Backlog: backlog}, func(fd int) (int, unix.Errno) {
		return 0, errnoOf(unix.Listen(fd, backlog))
	})
	return err
}

// Accept4 takes the first connection from the accept queue, and waits for one if there is none: accept4(2). It returns
// the connection's socket and the peer's address. The flags are 0 or unix.SOCK_NONBLOCK, which is not inherited from
// the listener; SOCK_CLOEXEC is always added.
//
// Errors that belong to the connection and not to the listener, such as ECONNABORTED, are to be tried again (accept(2),
// "Error handling").
func (s *Socket) Accept4(flags int) (*Socket, netip.AddrPort, error) {
	flags |= unix.SOCK_CLOEXEC
	c := Call{Name: "accept4", Flags: flags}
	fd, err := s.takeAddr(&c, unix.SYS_ACCEPT4)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	local, _ := s.names()
	return s.inherit(fd, flags&unix.SOCK_NONBLOCK != 0, local, c.Addr), c.Addr, nil
}

// takeAddr makes accept4(2), getsockname(2) or getpeername(2), which have an address written back, into c.Addr. Only
// the first looks at the flags.
func (s *Socket) takeAddr(c *Call, trap uintptr) (int, error) {
	var a sockaddr
	c.Len, c.Ptr = sockaddrSize(s.domain), uintptr(unsafe.Pointer(&a))
	unseen := s.unseen()
	return s.do(c, func(fd int) (ret int, errno unix.Errno) {
		size := uint32(c.Len)               // socklen_t
		c.Ptr = uintptr(unsafe.Pointer(&a)) // the stack may have moved
		var r uintptr
		if unseen {
			r, _, errno = unix.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(&a)), uintptr(unsafe.Pointer(&size)),
				uintptr(c.Flags), 0, 0)
		} else {
			r, _, errno = unix.Syscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(&a)), uintptr(unsafe.Pointer(&size)),
				uintptr(c.Flags), 0, 0)
		}
		if errno == 0 {
			c.LenBack = int(size) // what the address would take, even where it did not fit
			c.Addr = decodeSockaddr(a[:min(c.LenBack, c.Len)], func(i uint32) string { return zoneName(fd, i) })
		}
		return int(r), errno
	})
}

// Shutdown closes one direction of the connection or both: shutdown(2). how is unix.SHUT_RD, SHUT_WR (sends a FIN after
// the data that is still to be sent) or SHUT_RDWR. Other descriptors of the same connection are affected too, and calls
// that wait in it wake up.
func (s *Socket) Shutdown(how int) error {
	_, err := s.do(&Call{Name: "shutdown", How: how}, func(fd int) (int, unix.Errno) {
		return 0, errnoOf(unix.Shutdown(fd, how))
	})
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

// Getpeername is the peer's address: getpeername(2). It fails with ENOTCONN when there is no connection any more.
func (s *Socket) Getpeername() (netip.AddrPort, error) {
	addr, err := s.name("getpeername", unix.SYS_GETPEERNAME)
	if err == nil {
		s.setPeer(addr)
	}
	return addr, err
}

// name makes one of the two calls. Those of package unix make a second system call, getsockopt(SO_PROTOCOL), that
// nobody asked for.
func (s *Socket) name(name string, trap uintptr) (netip.AddrPort, error) {
	c := Call{Name: name}
	_, err := s.takeAddr(&c, trap)
	return c.Addr, err
}

// Dup makes a second descriptor for the same socket: dup(2). The connection is closed when both are. As dup(2) has it,
// the new descriptor is inherited by other programs on execve(2).
func (s *Socket) Dup() (*Socket, error) {
	fd, err := s.do(&Call{Name: "dup"}, func(fd int) (int, unix.Errno) {
		nfd, err := unix.Dup(fd)
		return nfd, errnoOf(err)
	})
	if err != nil {
		return nil, err
	}
	local, peer := s.names()
	return s.inherit(fd, s.nonblock, local, peer), nil
}
