package sockapi

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// failure is a call that fails, and the error that it should fail with.
type failure struct {
	call  string
	fail  func(t *testing.T) (addr netip.AddrPort, err error)
	errno unix.Errno
	text  string // ADDR stands for the address
}

var failures = []failure{
	{"socket", func(*testing.T) (netip.AddrPort, error) {
		_, err := NewSocket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_UDP, nil)
		return netip.AddrPort{}, err
	}, unix.EPROTONOSUPPORT, "socket: protocol not supported"},
	{"bind", func(t *testing.T) (netip.AddrPort, error) {
		_, at := newListener(t, loopback4, 1, nil)
		return at, newSocket(t, unix.AF_INET, 0, nil).Bind(at)
	}, unix.EADDRINUSE, "bind ADDR: address already in use"},
	{"bind", func(t *testing.T) (netip.AddrPort, error) {
		at := netip.MustParseAddrPort("[2001:db8::77]:7007")
		return at, newSocket(t, unix.AF_INET6, 0, nil).Bind(at)
	}, unix.EADDRNOTAVAIL, "bind [2001:db8::77]:7007: cannot assign requested address"},
	{"listen", func(t *testing.T) (netip.AddrPort, error) {
		c, _ := newPair(t, nil)
		return peerOf(t, c), c.Listen(1)
	}, unix.EINVAL, "listen ADDR: invalid argument"},
	{"accept4", func(t *testing.T) (netip.AddrPort, error) {
		s := newSocket(t, unix.AF_INET, 0, nil)
		at := netip.AddrPortFrom(loopback4, 0)
		must(t, s.Bind(at))
		return at, last2(s.Accept4(0))
	}, unix.EINVAL, "accept4 127.0.0.1:0: invalid argument"},
	{"connect", func(t *testing.T) (netip.AddrPort, error) {
		l, at := newListener(t, loopback4, 1, nil)
		must(t, l.Close())
		return at, newSocket(t, unix.AF_INET, 0, nil).Connect(at)
	}, unix.ECONNREFUSED, "connect ADDR: connection refused"},
	{"shutdown", func(t *testing.T) (netip.AddrPort, error) {
		return netip.AddrPort{}, newSocket(t, unix.AF_INET, 0, nil).Shutdown(unix.SHUT_WR)
	}, unix.ENOTCONN, "shutdown fd FD: transport endpoint is not connected"},
	{"read", func(t *testing.T) (netip.AddrPort, error) {
		c := newReset(t)
		return peerOf(t, c), last(c.Read(make([]byte, 1)))
	}, unix.ECONNRESET, "read ADDR: connection reset by peer"},
	{"recvfrom", func(t *testing.T) (netip.AddrPort, error) {
		c := newReset(t)
		return peerOf(t, c), last(c.Recv(make([]byte, 1), 0))
	}, unix.ECONNRESET, "recvfrom ADDR: connection reset by peer"},
	{"write", func(t *testing.T) (netip.AddrPort, error) {
		c, _ := newPair(t, nil)
		must(t, c.Shutdown(unix.SHUT_WR))
		return peerOf(t, c), last(c.Write([]byte("x")))
	}, unix.EPIPE, "write ADDR: broken pipe"},
	{"sendto", func(t *testing.T) (netip.AddrPort, error) {
		c, _ := newPair(t, nil)
		must(t, c.Shutdown(unix.SHUT_WR))
		return peerOf(t, c), last(c.Send([]byte("x"), unix.MSG_NOSIGNAL))
	}, unix.EPIPE, "sendto ADDR: broken pipe"},
	{"getpeername", func(t *testing.T) (netip.AddrPort, error) {
		return netip.AddrPort{}, last(newSocket(t, unix.AF_INET, 0, nil).Getpeername())
	}, unix.ENOTCONN, "getpeername fd FD: transport endpoint is not connected"},
	{"getsockname", func(t *testing.T) (netip.AddrPort, error) {
		s, at := newStolen(t)
		return at, last(s.Getsockname())
	}, unix.EBADF, "getsockname 127.0.0.1:0: bad file descriptor"},
	{"dup", func(t *testing.T) (netip.AddrPort, error) {
		s, at := newStolen(t)
		return at, last(s.Dup())
	}, unix.EBADF, "dup 127.0.0.1:0: bad file descriptor"},
	{"close", func(t *testing.T) (netip.AddrPort, error) {
		s, at := newStolen(t)
		return at, s.Close()
	}, unix.EBADF, "close 127.0.0.1:0: bad file descriptor"},
	{"setsockopt", func(t *testing.T) (netip.AddrPort, error) {
		c, _ := newPair(t, nil)
		return peerOf(t, c), TCP_MAXSEG.Set(c, 1)
	}, unix.EINVAL, "setsockopt TCP_MAXSEG ADDR: invalid argument"},
	{"getsockopt", func(t *testing.T) (netip.AddrPort, error) {
		c, _ := newPair(t, nil)
		return peerOf(t, c), last(IPV6_V6ONLY.Get(c))
	}, unix.EOPNOTSUPP, "getsockopt IPV6_V6ONLY ADDR: operation not supported"},
	{"ioctl", func(t *testing.T) (netip.AddrPort, error) {
		l, at := newListener(t, loopback4, 1, nil)
		return at, last(l.InQ())
	}, unix.EINVAL, "ioctl ADDR: invalid argument"},
}

// newReset is a connection whose other end was closed with RST.
func newReset(t *testing.T) *Socket {
	c, s := newPair(t, nil)
	must(t, SO_LINGER.Set(s, Linger{OnOff: true}))
	must(t, s.Close())
	return c
}

// newStolen is a socket whose descriptor somebody closed behind its back: for the calls that do not fail otherwise.
// These tests do not run in parallel, so that the number is nobody else's before the call.
func newStolen(t *testing.T) (*Socket, netip.AddrPort) {
	at := netip.AddrPortFrom(loopback4, 0)
	s, err := NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	must(t, err)
	must(t, s.Bind(at))
	must(t, unix.Close(s.FD()))
	return s, at
}

// peerOf is the address that a connection's errors are about.
func peerOf(t *testing.T, s *Socket) netip.AddrPort { return s.about() }

func TestErrorShapes(t *testing.T) {
	tested := map[string]bool{}
	for _, f := range failures {
		tested[f.call] = true
		t.Run(f.call, func(t *testing.T) {
			addr, err := f.fail(t)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%#v; want an *Error", err)
			}
			if e.Call != f.call || e.Addr != addr || e.Errno != f.errno {
				t.Errorf("%+v; want call %s, address %v, %v", e, f.call, addr, f.errno)
			}
			if (e.FD >= 0) != (f.call != "socket") {
				t.Errorf("descriptor %d", e.FD)
			}
			text := strings.ReplaceAll(f.text, "ADDR", addr.String())
			if i := strings.Index(e.Error(), "fd "); i >= 0 {
				text = strings.ReplaceAll(text, "fd FD", strings.SplitN(e.Error()[i:], ":", 2)[0])
			}
			if e.Error() != text {
				t.Errorf("%q; want %q", e.Error(), text)
			}
			checkIs(t, err, f.errno)
		})
	}
	for _, name := range []string{"socket", "bind", "listen", "accept4", "connect", "shutdown", "close", "read", "write", "recvfrom",
		"sendto", "getsockname", "getpeername", "dup", "setsockopt", "getsockopt", "ioctl"} {
		if !tested[name] {
			t.Errorf("the error of %s is not tested", name)
		}
	}
}

// checkIs checks what errors.Is and errors.As find in a failed call's error.
func checkIs(t *testing.T, err error, errno unix.Errno) {
	t.Helper()
	var found syscall.Errno
	if !errors.Is(err, errno) || !errors.As(err, &found) || found != errno {
		t.Errorf("%v is not %v", err, errno)
	}
	if errors.Is(err, os.ErrClosed) {
		t.Errorf("%v is os.ErrClosed", err)
	}
	if os.IsTimeout(err) {
		t.Errorf("%v is a timeout", err)
	}
}

// everyMethod uses a socket in each way there is.
var everyMethod = map[string]func(*Socket) error{
	"bind":        func(s *Socket) error { return s.Bind(netip.AddrPortFrom(loopback4, 0)) },
	"listen":      func(s *Socket) error { return s.Listen(1) },
	"accept4":     func(s *Socket) error { return last2(s.Accept4(0)) },
	"connect":     func(s *Socket) error { return s.Connect(netip.AddrPortFrom(loopback4, 1)) },
	"shutdown":    func(s *Socket) error { return s.Shutdown(unix.SHUT_RDWR) },
	"read":        func(s *Socket) error { return last(s.Read(make([]byte, 1))) },
	"write":       func(s *Socket) error { return last(s.Write([]byte("x"))) },
	"recvfrom":    func(s *Socket) error { return last(s.Recv(make([]byte, 1), 0)) },
	"sendto":      func(s *Socket) error { return last(s.Send([]byte("x"), 0)) },
	"getsockname": func(s *Socket) error { return last(s.Getsockname()) },
	"getpeername": func(s *Socket) error { return last(s.Getpeername()) },
	"dup":         func(s *Socket) error { return last(s.Dup()) },
	"setsockopt":  func(s *Socket) error { return SO_LINGER.Set(s, Linger{}) },
	"getsockopt":  func(s *Socket) error { return last(SO_ERROR.Get(s)) },
	"ioctl":       func(s *Socket) error { return last(s.InQ()) },
	"control":     func(s *Socket) error { return s.Control(func(uintptr) {}) },
	"close":       func(s *Socket) error { return s.Close() },
}

func TestUseAfterClose(t *testing.T) {
	var rec recorder
	c, _ := newPair(t, &rec)
	about := c.about()
	must(t, c.Close())
	before := len(rec.names())
	for name, f := range everyMethod {
		err := f(c)
		var e *Error
		if !errors.Is(err, os.ErrClosed) || !errors.As(err, &e) || e.Call != name || e.Errno != 0 || e.Timeout() {
			t.Errorf("%s after close: %#v", name, err)
		} else if want := " " + about.String() + ": use of closed socket"; !strings.HasSuffix(err.Error(), want) && name != "connect" && name != "bind" {
			t.Errorf("%s after close: %q; want ...%q", name, err, want)
		}
	}
	if c.FD() != -1 {
		t.Errorf("FD is %d", c.FD())
	}
	if made := rec.names()[before:]; len(made) != 0 {
		t.Errorf("the kernel was asked: %v", made)
	}
}

func TestUseAfterAbort(t *testing.T) {
	c, _ := newPair(t, nil)
	c.Abort()
	c.Abort() // twice is no harm
	for name, f := range everyMethod {
		if name == "close" || name == "control" {
			continue
		}
		if err := f(c); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s after Abort: %v", name, err)
		}
	}
	must(t, c.Close())
	c.Abort()
}

// The end of a wait is a timeout; an answer with the same errno is none.
func TestTimeout(t *testing.T) {
	c, _ := newPair(t, nil)
	must(t, SO_RCVTIMEO.Set(c, time.Millisecond))
	buf := make([]byte, 1)
	if _, err := c.Read(buf); !os.IsTimeout(err) {
		t.Errorf("read, time up: %v is no timeout", err)
	}
	if _, err := c.Recv(buf, 0); !os.IsTimeout(err) {
		t.Errorf("recv, time up: %v is no timeout", err)
	}
	if _, err := c.Recv(buf, unix.MSG_DONTWAIT); !errors.Is(err, unix.EAGAIN) || os.IsTimeout(err) {
		t.Errorf("MSG_DONTWAIT: %v; want EAGAIN, which is no timeout", err)
	}
	if !(&Error{Call: "connect", Errno: unix.ETIMEDOUT}).Timeout() {
		t.Error("ETIMEDOUT is no timeout")
	}
}
