package tcpinfo

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// transport carries netlink datagrams between one socket and the kernel. Tests put something else than a kernel beneath
// it.
type transport interface {
	// send sends one request.
	send(b []byte) error
	// recv waits for one datagram. n is its full length, which is more than len(b) where b was too short for it.
	recv(b []byte) (n int, err error)
	// drain throws away what is waiting.
	drain()
	close() error
}

// recvTimeout is how long a reply may take. The kernel answers within the send call, so this is for what should not
// happen.
const recvTimeout = 5 * time.Second

// kernelSocket is a NETLINK_SOCK_DIAG socket. It belongs to the network namespace of the thread that made it. It is
// connected to the kernel: datagrams that others, with the privilege to, send to it are refused
// (netlink_getsockbyportid, net/netlink/af_netlink.c).
type kernelSocket struct{ fd int }

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
	s := &kernelSocket{fd}
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
	if err := unix.Connect(s.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil { // port id 0 is the kernel
		return fmt.Errorf("connect(NETLINK_SOCK_DIAG): %w", err)
	}
	return nil
}

func (s *kernelSocket) send(b []byte) error {
	for {
		switch err := unix.Send(s.fd, b, 0); err {
		case nil:
			return nil
		case unix.EINTR: // Go's own signals interrupt calls on sockets with a timeout
		default:
			return fmt.Errorf("sendto(NETLINK_SOCK_DIAG): %w", err)
		}
	}
}

func (s *kernelSocket) recv(b []byte) (int, error) { return s.recvFlags(b, unix.MSG_TRUNC) }

// recvFlags calls recvfrom(2) directly: unix.Recvfrom makes two allocations for an address that is the kernel's.
func (s *kernelSocket) recvFlags(b []byte, flags int) (int, error) {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
			uintptr(len(b)), uintptr(flags), 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, fmt.Errorf("netlink: no answer within %v: %w", recvTimeout, os.ErrDeadlineExceeded)
		default:
			return 0, fmt.Errorf("recvfrom(NETLINK_SOCK_DIAG): %w", errno)
		}
	}
}

// overflows is how often a socket may say ENOBUFS, which reading it clears, before drain gives it up.
const overflows = 16

// drain reads until nothing is waiting. Reading is also what makes the kernel finish a dump that was given up.
func (s *kernelSocket) drain() {
	var b [1]byte
	for left := overflows; left > 0; {
		switch _, err := s.recvFlags(b[:], unix.MSG_DONTWAIT|unix.MSG_TRUNC); {
		case errors.Is(err, unix.ENOBUFS):
			left--
		case err != nil:
			return
		}
	}
}

func (s *kernelSocket) close() error { return unix.Close(s.fd) }
