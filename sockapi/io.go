package sockapi

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Read is read(2): it waits for data and returns what there is, at most len(p) bytes. At the end of the stream, after
// the peer's FIN, it returns 0 and nil: use Stream where an io.Reader is wanted.
func (s *Socket) Read(p []byte) (int, error) {
	if n, errno, made := s.quick(unix.SYS_READ, p); made {
		return s.moved("read", n, errno)
	}
	return s.transfer(&Call{Name: "read", Buf: p}, func(fd int) (int, unix.Errno) {
		n, err := unix.Read(fd, p)
		return n, errnoOf(err)
	})
}

// Write is write(2): it copies data into the send buffer and waits while that is full. It may take fewer than len(p)
// bytes, when it is interrupted or its time is up; the count is then returned with a nil error. Use Stream to write
// all.
func (s *Socket) Write(p []byte) (int, error) {
	if n, errno, made := s.quick(unix.SYS_WRITE, p); made {
		return s.moved("write", n, errno)
	}
	return s.transfer(&Call{Name: "write", Buf: p}, func(fd int) (int, unix.Errno) {
		n, err := unix.Write(fd, p)
		return n, errnoOf(err)
	})
}

// Recv is recv(2), which is recvfrom(2) without an address: Read with flags, such as unix.MSG_PEEK, MSG_OOB,
// MSG_DONTWAIT and MSG_WAITALL.
func (s *Socket) Recv(p []byte, flags int) (int, error) {
	return s.withFlags("recvfrom", unix.SYS_RECVFROM, p, flags)
}

// Send is send(2), which is sendto(2) without an address: Write with flags, such as unix.MSG_OOB, MSG_NOSIGNAL,
// MSG_DONTWAIT and MSG_MORE.
func (s *Socket) Send(p []byte, flags int) (int, error) {
	return s.withFlags("sendto", unix.SYS_SENDTO, p, flags)
}

func (s *Socket) withFlags(name string, trap uintptr, p []byte, flags int) (int, error) {
	return s.transfer(&Call{Name: name, Buf: p, Flags: flags}, func(fd int) (int, unix.Errno) {
		n, _, errno := unix.Syscall6(trap, uintptr(fd), uintptr(base(p)), uintptr(len(p)), uintptr(flags), 0, 0)
		return int(n), errno
	})
}

// base is where the kernel is told a buffer is. That of an empty one is never used, but must not be nil: for some calls
// NULL says something.
func base(p []byte) unsafe.Pointer {
	if len(p) == 0 {
		return unsafe.Pointer(&empty)
	}
	return unsafe.Pointer(&p[0])
}

var empty byte

// transfer makes a call that moves bytes. The count of a call that failed is 0, as io.Reader and io.Writer have it.
func (s *Socket) transfer(c *Call, enter enterFunc) (int, error) {
	c.Len, c.Ptr = len(c.Buf), uintptr(base(c.Buf))
	n, err := s.do(c, enter)
	if err != nil {
		return 0, err
	}
	// Abort wakes a reader with what looks like the peer's FIN and is not.
	if n == 0 && c.reads() && s.aborted.Load() {
		return 0, s.fail(c, 0)
	}
	return n, nil
}

func (c *Call) reads() bool { return c.Name == "read" || c.Name == "recvfrom" }

// quick is read(2) or write(2) of a socket that never blocks and that nobody traces, as servers of many connections
// have them. Go's scheduler, which has to know of calls that may block, is not told, and nothing is put together that
// nobody sees: that is a tenth of what such a call costs. made is false where it has to be made the usual way.
func (s *Socket) quick(trap uintptr, p []byte) (n int, errno unix.Errno, made bool) {
	if !s.unseen() || s.aborted.Load() || !s.enter() {
		return 0, 0, false
	}
	r, _, errno := unix.RawSyscall(trap, uintptr(s.fd), uintptr(base(p)), uintptr(len(p)))
	s.calls.RUnlock()
	return int(r), errno, errno != unix.EINTR
}

// unseen says whether calls may be made without Go's scheduler: none blocks, and nobody looks on.
func (s *Socket) unseen() bool { return s.nonblock && s.tracer == nil }

// moved is what came of a quick call.
func (s *Socket) moved(call string, n int, errno unix.Errno) (int, error) {
	switch {
	case errno == 0 && (n > 0 || call == "write" || !s.aborted.Load()):
		return n, nil
	case s.aborted.Load(): // it failed for that reason, or what looks like the peer's FIN is none
		errno = 0
	}
	return 0, s.fail(&Call{Name: call}, errno)
}
