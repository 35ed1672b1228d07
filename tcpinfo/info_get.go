package tcpinfo

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Controller gives access to a descriptor that is guaranteed to stay open meanwhile: syscall.RawConn (of a net.TCPConn:
// conn.SyscallConn()) and the sockets of package sockapi are Controllers.
type Controller interface {
	Control(func(fd uintptr)) error
}

// Get asks getsockopt(TCP_INFO), tcp(7), for what the kernel knows of a socket. It costs about half a microsecond and
// never waits. A socket in TIME-WAIT reads CLOSED here; sock_diag tells the difference. The error is Control's, or
// *Error with the errno (ENOTSOCK, EOPNOTSUPP on a socket that is not TCP).
func Get(c Controller) (i Info, err error) {
	g := getters.Get().(*getter)
	if err = c.Control(g.ask); err == nil && g.errno != 0 {
		err = &Error{Op: "getsockopt(TCP_INFO)", Errno: g.errno}
	}
	if err == nil {
		err = i.decode(g.buf[:g.len], running())
	}
	getters.Put(g)
	return i, err
}

// getter keeps the buffer, and the function that Control wants, from one call to the next: Get then allocates nothing.
type getter struct {
	buf   [512]byte // room for the struct to grow
	len   uint32
	errno unix.Errno
	ask   func(fd uintptr)
}

var getters = sync.Pool{New: func() any {
	g := &getter{}
	g.ask = g.getsockopt
	return g
}}

// getsockopt keeps the length that the kernel returns, which unix.GetsockoptTCPInfo drops. It never waits but for a
// call that is at work on the socket, so Go's scheduler, which lends the processor to others while one waits, is not
// told.
func (g *getter) getsockopt(fd uintptr) {
	g.len = uint32(len(g.buf))
	_, _, g.errno = unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(&g.buf)), uintptr(unsafe.Pointer(&g.len)), 0)
}
