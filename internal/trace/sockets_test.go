package trace

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// Sockets for tests, whose calls end the test if they fail.

var (
	loopback4 = netip.MustParseAddrPort("127.0.0.1:0")
	loopback6 = netip.MustParseAddrPort("[::1]:0")
	wildcard6 = netip.MustParseAddrPort("[::]:0")
)

type sock struct {
	*sockapi.Socket
	t testing.TB
}

func (s sock) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func newSock(t testing.TB, addr netip.AddrPort, flags int) sock {
	t.Helper()
	family := unix.AF_INET
	if addr.Addr().Is6() {
		family = unix.AF_INET6
	}
	s, err := sockapi.NewSocket(family, unix.SOCK_STREAM|flags, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return sock{s, t}
}

// bound makes a socket that has an address, on a port that was free.
func bound(t testing.TB, addr netip.AddrPort) sock {
	t.Helper()
	s := newSock(t, addr, 0)
	s.must(s.Bind(addr))
	return s
}

func (s sock) local() netip.AddrPort {
	s.t.Helper()
	a, err := s.Getsockname()
	s.must(err)
	return a
}

func (s sock) remote() netip.AddrPort {
	s.t.Helper()
	a, err := s.Getpeername()
	s.must(err)
	return a
}

func (s sock) listen(backlog int) { s.t.Helper(); s.must(s.Listen(backlog)) }
func (s sock) shutdown(how int)   { s.t.Helper(); s.must(s.Shutdown(how)) }
func (s sock) close()             { s.t.Helper(); s.must(s.Close()) }

func (s sock) reset() {
	s.t.Helper()
	s.must(sockapi.SO_LINGER.Set(s.Socket, sockapi.Linger{OnOff: true}))
	s.close()
}

func (s sock) accept() sock {
	s.t.Helper()
	c, _, err := s.Accept4(0)
	s.must(err)
	s.t.Cleanup(func() { c.Close() })
	return sock{c, s.t}
}

func (s sock) write(text string) {
	s.t.Helper()
	n, err := s.Write([]byte(text))
	if s.must(err); n != len(text) {
		s.t.Fatalf("write: %d of %d bytes", n, len(text))
	}
}

// end reads to the end of the stream.
func (s sock) end() {
	s.t.Helper()
	b := make([]byte, 1<<16)
	for {
		n, err := s.Read(b)
		if s.must(err); n == 0 {
			return
		}
	}
}

func dial(t testing.TB, addr netip.AddrPort) sock {
	t.Helper()
	c := newSock(t, addr, 0)
	c.must(c.Connect(addr))
	return c
}

// tryDial makes a non-blocking connect.
func tryDial(t testing.TB, addr netip.AddrPort) (sock, error) {
	t.Helper()
	c := newSock(t, addr, unix.SOCK_NONBLOCK)
	return c, c.Connect(addr)
}

// fill writes until the peer's receive window and our send buffer are full.
func (s sock) fill() {
	s.t.Helper()
	for b := make([]byte, 1<<16); ; {
		if _, err := s.Send(b, unix.MSG_DONTWAIT); errors.Is(err, unix.EAGAIN) {
			return
		} else {
			s.must(err)
		}
	}
}

// disconnect is connect(2) to AF_UNSPEC.
func (s sock) disconnect() {
	s.t.Helper()
	s.must(s.Control(func(fd uintptr) {
		var unspec unix.RawSockaddr
		_, _, e := unix.Syscall(unix.SYS_CONNECT, fd, ptr(&unspec), 16)
		if e != 0 {
			s.t.Error("disconnect: ", e)
		}
	}))
}

// pair makes a connection over a listener.
func pair(t testing.TB, l sock) (client, server sock) {
	t.Helper()
	client = dial(t, l.local())
	return client, l.accept()
}

// dialFrom connects from an address, which may have been in use before.
func dialFrom(t testing.TB, from, to netip.AddrPort) sock {
	t.Helper()
	c := newSock(t, from, 0)
	c.must(sockapi.SO_REUSEADDR.Set(c.Socket, true))
	c.must(c.Bind(from))
	c.must(c.Connect(to))
	return c
}

func (s sock) setInt(level, option, value int) {
	s.t.Helper()
	s.must(s.Control(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), level, option, value); err != nil {
			s.t.Error(err)
		}
	}))
}

// fixed makes a socket bound to a port that it asked for: it keeps the port when it stops listening. One that the
// kernel picked at bind(2) is given up then.
func fixed(t testing.TB) sock {
	t.Helper()
	for {
		free := bound(t, loopback4)
		addr := free.local()
		free.close()
		if s := newSock(t, addr, 0); s.Bind(addr) == nil {
			return s
		}
	}
}
