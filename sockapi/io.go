package sockapi

import (
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Read is read(2): it waits for data and returns what there is, at most len(p)
// bytes. At the end of the stream, after the peer's FIN, it returns 0 and nil:
// use Stream where an io.Reader is wanted.
func (s *Socket) Read(p []byte) (int, error) {
	return s.bytes(call{name: "read", reads: true},
		func(fd int) (int, unix.Errno) {
			n, err := unix.Read(fd, p)
			return n, errnoOf(err)
		},
		func(c *Call, fd int, done bool) []string {
			return []string{strconv.Itoa(fd), readBuffer(p, c.Ret, done), strconv.Itoa(len(p))}
		},
	)
}

// Write is write(2): it copies data into the send buffer and waits while that is
// full. It may take fewer than len(p) bytes, when it is interrupted or its
// time is up; the count is then returned with a nil error. Use Stream to
// write all.
func (s *Socket) Write(p []byte) (int, error) {
	return s.bytes(call{name: "write"},
		func(fd int) (int, unix.Errno) {
			n, err := unix.Write(fd, p)
			return n, errnoOf(err)
		},
		func(_ *Call, fd int, _ bool) []string {
			return []string{strconv.Itoa(fd), quote(p), strconv.Itoa(len(p))}
		},
	)
}

// Recv is recv(2), which is recvfrom(2) without an address: Read with flags, such
// as unix.MSG_PEEK, MSG_OOB, MSG_DONTWAIT and MSG_WAITALL.
func (s *Socket) Recv(p []byte, flags int) (int, error) {
	return s.bytes(call{name: "recvfrom", reads: true, dontwait: flags&unix.MSG_DONTWAIT != 0},
		func(fd int) (int, unix.Errno) {
			n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(base(p)),
				uintptr(len(p)), uintptr(flags), 0, 0)
			return int(n), errno
		},
		func(c *Call, fd int, done bool) []string {
			return []string{strconv.Itoa(fd), readBuffer(p, c.Ret, done), strconv.Itoa(len(p)), msgFlags(flags), "NULL", "NULL"}
		},
	)
}

// Send is send(2), which is sendto(2) without an address: Write with flags, such
// as unix.MSG_OOB, MSG_NOSIGNAL, MSG_DONTWAIT and MSG_MORE.
func (s *Socket) Send(p []byte, flags int) (int, error) {
	return s.bytes(call{name: "sendto", dontwait: flags&unix.MSG_DONTWAIT != 0},
		func(fd int) (int, unix.Errno) {
			n, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(base(p)),
				uintptr(len(p)), uintptr(flags), 0, 0)
			return int(n), errno
		},
		func(_ *Call, fd int, _ bool) []string {
			return []string{strconv.Itoa(fd), quote(p), strconv.Itoa(len(p)), msgFlags(flags), "NULL", "0"}
		},
	)
}

// base is where the kernel is told a buffer is. That of an empty one is never
// used, but must not be nil: for some calls NULL says something.
func base(p []byte) unsafe.Pointer {
	if len(p) == 0 {
		return unsafe.Pointer(&empty)
	}
	return unsafe.Pointer(&p[0])
}

var empty byte

// bytes makes a call that moves bytes. The count of a call that failed is 0, as
// io.Reader and io.Writer have it.
func (s *Socket) bytes(c call, enter enterFunc, args argsFunc) (int, error) {
	n, err := s.do(c, enter, args)
	if err != nil {
		return 0, err
	}
	// Abort wakes a reader with what looks like the peer's FIN and is not.
	if n == 0 && c.reads && s.aborted.Load() {
		return 0, s.closedError(c.name, netip.AddrPort{})
	}
	return n, nil
}
