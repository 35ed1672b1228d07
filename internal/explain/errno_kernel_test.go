package explain

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// tcp is a new socket; the test closes it.
func tcp(t *testing.T, flags int) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|flags, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func loopback(port int) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
}

// listening is a listener and where it is.
func listening(t *testing.T) (fd int, at unix.Sockaddr) {
	t.Helper()
	fd = tcp(t, 0)
	if err := unix.Bind(fd, loopback(0)); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 8); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, at
}

// connected is a client of the listener.
func connected(t *testing.T) (fd int, to unix.Sockaddr) {
	t.Helper()
	_, to = listening(t)
	fd = tcp(t, 0)
	if err := unix.Connect(fd, to); err != nil {
		t.Fatal(err)
	}
	return fd, to
}

func failed[T any](_ T, err error) error { return err }

// What the table says of what can be had without waiting is what this kernel does.
func TestErrnosAreTheKernels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		call, want string
		do         func(t *testing.T) error
	}{
		{"bind", "EINVAL", func(t *testing.T) error { l, _ := listening(t); return unix.Bind(l, loopback(0)) }},
		{"bind", "EADDRINUSE", func(t *testing.T) error { _, at := listening(t); return unix.Bind(tcp(t, 0), at) }},
		{"bind", "EADDRNOTAVAIL", func(t *testing.T) error {
			return unix.Bind(tcp(t, 0), &unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 9}})
		}},
		{"bind", "EAFNOSUPPORT", func(t *testing.T) error { return unix.Bind(tcp(t, 0), &unix.SockaddrInet6{}) }},
		{"connect", "EAFNOSUPPORT", func(t *testing.T) error { return unix.Connect(tcp(t, 0), &unix.SockaddrInet6{Port: 9}) }},
		{"connect", "EISCONN", func(t *testing.T) error { c, to := connected(t); return unix.Connect(c, to) }},
		{"connect", "EISCONN", func(t *testing.T) error { l, at := listening(t); return unix.Connect(l, at) }},
		{"connect", "ECONNREFUSED", func(t *testing.T) error {
			bound := tcp(t, 0) // has the port, and does not listen
			unix.Bind(bound, loopback(0))
			at, _ := unix.Getsockname(bound)
			return unix.Connect(tcp(t, 0), at)
		}},
		{"listen", "EINVAL", func(t *testing.T) error { c, _ := connected(t); return unix.Listen(c, 1) }},
		{"accept", "EINVAL", func(t *testing.T) error { _, _, err := unix.Accept(tcp(t, 0)); return err }},
		{"accept", "EAGAIN", func(t *testing.T) error {
			l, _ := listening(t)
			unix.SetNonblock(l, true)
			_, _, err := unix.Accept(l)
			return err
		}},
		{"accept", "EOPNOTSUPP", func(t *testing.T) error {
			udp, _ := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			defer unix.Close(udp)
			_, _, err := unix.Accept(udp)
			return err
		}},
		{"read", "ENOTCONN", func(t *testing.T) error { return failed(unix.Read(tcp(t, 0), make([]byte, 1))) }},
		{"read", "ENOTCONN", func(t *testing.T) error { l, _ := listening(t); return failed(unix.Read(l, make([]byte, 1))) }},
		{"read", "EAGAIN", func(t *testing.T) error {
			c, _ := connected(t)
			_, _, err := unix.Recvfrom(c, make([]byte, 1), unix.MSG_DONTWAIT)
			return err
		}},
		{"read", "EINVAL", func(t *testing.T) error {
			c, _ := connected(t)
			_, _, err := unix.Recvfrom(c, make([]byte, 1), unix.MSG_OOB)
			return err
		}},
		{"write", "EPIPE", func(t *testing.T) error { return unix.Sendto(tcp(t, 0), []byte{1}, unix.MSG_NOSIGNAL, loopback(9)) }},
		{"write", "EPIPE", func(t *testing.T) error {
			c, _ := connected(t)
			unix.Shutdown(c, unix.SHUT_WR)
			return unix.Send(c, []byte{1}, unix.MSG_NOSIGNAL)
		}},
		{"shutdown", "ENOTCONN", func(t *testing.T) error { return unix.Shutdown(tcp(t, 0), unix.SHUT_WR) }},
		{"getpeername", "ENOTCONN", func(t *testing.T) error { return failed(unix.Getpeername(tcp(t, 0))) }},
		{"setsockopt", "ENOPROTOOPT", func(t *testing.T) error { return unix.SetsockoptInt(tcp(t, 0), unix.SOL_TCP, 200, 1) }},
		{"setsockopt", "EINVAL", func(t *testing.T) error {
			return unix.SetsockoptInt(tcp(t, 0), unix.SOL_TCP, unix.TCP_SYNCNT, -1)
		}},
	} {
		t.Run(c.call+" "+c.want, func(t *testing.T) {
			t.Parallel()
			if err := c.do(t); err != error(numbers()[c.want]) {
				t.Errorf("%v, want %s", err, c.want)
			}
			if !slices.Contains(FindCall(c.call).Errors(), c.want) {
				t.Errorf("%s does not say so", c.call)
			}
		})
	}
}
