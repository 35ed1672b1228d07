package tcpinfo

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// transport carries netlink datagrams. Tests put something else than a kernel beneath it.
type transport interface {
	// send sends one request to the kernel.
	send(b []byte) error
	// recv waits for one datagram. n is its full length, which is more than len(b) where b was too short for it; from
	// is the sender's port id, which is 0 for the kernel and nobody else.
	recv(b []byte) (n int, from uint32, err error)
	// drain throws away what is waiting.
	drain()
	// portID is the address that the kernel's replies carry.
	portID() uint32
	close() error
}

// recvTimeout is how long a reply may take. The kernel answers within the send call, so this is for what should not
// happen.
const recvTimeout = 5 * time.Second

// kernelSocket is a NETLINK_SOCK_DIAG socket. It belongs to the network namespace of the thread that made it.
type kernelSocket struct {
	fd   int
	port uint32
	from unix.RawSockaddrNetlink
	flen uint32
}

// dialKernel opens a netlink socket.
func dialKernel() (*kernelSocket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EAFNOSUPPORT) {
		return nil, &Error{Op: "socket(NETLINK_SOCK_DIAG)", Errno: err.(unix.Errno), kind: ErrNotSupported,
			Detail: "sock_diag is missing: Linux 3.3 with CONFIG_NET and CONFIG_INET_DIAG has it"}
	}
	if err != nil {
		return nil, fmt.Errorf("socket(NETLINK_SOCK_DIAG): %w", err)
	}
	s := &kernelSocket{fd: fd}
	if err := s.setUp(); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return s, nil
}

func (s *kernelSocket) setUp() error {
	tv := unix.NsecToTimeval(int64(recvTimeout))
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		return fmt.Errorf("setsockopt(SO_RCVTIMEO): %w", err)
	}
	// Courtesies of Linux 4.12 and 4.3; without them errors come without words.
	_ = unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1)
	_ = unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	if err := unix.Bind(s.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("bind(NETLINK_SOCK_DIAG): %w", err)
	}
	sa, err := unix.Getsockname(s.fd)
	if err != nil {
		return fmt.Errorf("getsockname(NETLINK_SOCK_DIAG): %w", err)
	}
	if nl, ok := sa.(*unix.SockaddrNetlink); ok {
		s.port = nl.Pid
	}
	return nil
}

func (s *kernelSocket) portID() uint32 { return s.port }

// The address of the kernel: port id 0.
var kernelAddr = unix.RawSockaddrNetlink{Family: unix.AF_NETLINK}

func (s *kernelSocket) send(b []byte) error {
	for {
		_, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0,
			uintptr(unsafe.Pointer(&kernelAddr)), unix.SizeofSockaddrNetlink)
		switch errno {
		case 0:
			return nil
		case unix.EINTR: // Go's own signals interrupt calls on sockets with a timeout
		default:
			return fmt.Errorf("sendto(NETLINK_SOCK_DIAG): %w", errno)
		}
	}
}

// recv calls recvfrom(2) directly: unix.Recvfrom makes two allocations for an address of which one number is wanted.
func (s *kernelSocket) recv(b []byte) (int, uint32, error) {
	return s.recvFlags(b, unix.MSG_TRUNC)
}

func (s *kernelSocket) recvFlags(b []byte, flags int) (int, uint32, error) {
	for {
		s.flen = unix.SizeofSockaddrNetlink
		n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			uintptr(flags), uintptr(unsafe.Pointer(&s.from)), uintptr(unsafe.Pointer(&s.flen)))
		switch errno {
		case 0:
			return int(n), s.from.Pid, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, 0, fmt.Errorf("netlink: no answer within %v: %w", recvTimeout, os.ErrDeadlineExceeded)
		default:
			return 0, 0, fmt.Errorf("recvfrom(NETLINK_SOCK_DIAG): %w", errno)
		}
	}
}

// overflows is how often a socket may say ENOBUFS, which reading it clears, before drain gives it up.
const overflows = 16

// drain reads until nothing is waiting. Reading is also what makes the kernel finish a dump that was given up.
func (s *kernelSocket) drain() {
	var b [1]byte
	for left := overflows; left > 0; {
		switch _, _, err := s.recvFlags(b[:], unix.MSG_DONTWAIT|unix.MSG_TRUNC); {
		case errors.Is(err, unix.ENOBUFS):
			left--
		case err != nil:
			return
		}
	}
}

func (s *kernelSocket) close() error { return unix.Close(s.fd) }
