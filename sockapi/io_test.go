package sockapi

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func exchange(t *testing.T, from, to *Socket, text string) {
	t.Helper()
	if n, err := from.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
	buf := make([]byte, 100)
	n, err := to.Read(buf)
	if err != nil || string(buf[:n]) != text {
		t.Fatalf("read %q, %v; want %q", buf[:n], err, text)
	}
}

func TestFlags(t *testing.T) {
	c, s := newPair(t, nil)
	if n, err := c.Send([]byte("abc"), unix.MSG_NOSIGNAL); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := c.Send([]byte("!"), unix.MSG_OOB); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	buf := make([]byte, 10)
	// Only up to the urgent byte, and again, since peeking takes nothing away.
	for range 2 {
		if n, err := s.Recv(buf, unix.MSG_PEEK); err != nil || string(buf[:n]) != "abc" {
			t.Errorf("MSG_PEEK: %q, %v", buf[:n], err)
		}
	}
	if n, err := s.Recv(buf[:3], unix.MSG_WAITALL); err != nil || string(buf[:n]) != "abc" {
		t.Errorf("MSG_WAITALL: %q, %v", buf[:n], err)
	}
	if at, err := s.AtMark(); !at || err != nil {
		t.Errorf("at the mark: %v, %v", at, err)
	}
	if n, err := s.Recv(buf, unix.MSG_OOB); err != nil || string(buf[:n]) != "!" {
		t.Errorf("MSG_OOB: %q, %v", buf[:n], err)
	}
	if n, err := s.Recv(buf, unix.MSG_DONTWAIT); n != 0 || !errors.Is(err, unix.EAGAIN) {
		t.Errorf("MSG_DONTWAIT: %d, %v; want EAGAIN", n, err)
	}
}

func TestQueues(t *testing.T) {
	c, s := newPair(t, nil)
	if _, err := c.Write([]byte("12345")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "five bytes in the receive queue", func() bool { n, _ := s.InQ(); return n == 5 })
	waitFor(t, "none in the send queue", func() bool { n, err := c.OutQ(); return n == 0 && err == nil })
	fill(t, c)
	if n, err := c.OutQ(); n == 0 || err != nil {
		t.Errorf("the send queue of a full socket: %d, %v", n, err)
	}
	l, _ := newListener(t, loopback4, 1, nil)
	if _, err := l.InQ(); !errors.Is(err, unix.EINVAL) {
		t.Errorf("SIOCINQ of a listener: %v; want EINVAL", err)
	}
}

func TestEmptyBuffers(t *testing.T) {
	c, s := newPair(t, nil)
	for _, p := range [][]byte{nil, {}} {
		for name, f := range map[string]func() (int, error){
			"write": func() (int, error) { return c.Write(p) },
			"send":  func() (int, error) { return c.Send(p, 0) },
			"read":  func() (int, error) { return s.Read(p) },
			"recv":  func() (int, error) { return s.Recv(p, unix.MSG_DONTWAIT) },
		} {
			if n, err := f(); n != 0 || err != nil && !errors.Is(err, unix.EAGAIN) {
				t.Errorf("%s of nothing: %d, %v", name, n, err)
			}
		}
	}
}

func TestNonblocking(t *testing.T) {
	l := newSocket(t, unix.AF_INET, unix.SOCK_NONBLOCK, nil)
	must(t, l.Bind(netip.AddrPortFrom(loopback4, 0)))
	must(t, l.Listen(1))
	at, err := l.Getsockname()
	must(t, err)
	if _, _, err := l.Accept4(0); !errors.Is(err, unix.EAGAIN) || err.(*Error).Timeout() {
		t.Errorf("accept4 of nothing: %v; want EAGAIN, which is no timeout", err)
	}
	c := newSocket(t, unix.AF_INET, unix.SOCK_NONBLOCK, nil)
	if err := c.Connect(at); err != nil && (!errors.Is(err, unix.EINPROGRESS) || err.(*Error).Timeout()) {
		t.Errorf("connect: %v; want EINPROGRESS, which is no timeout", err)
	}
	var s *Socket
	waitFor(t, "a connection", func() bool {
		s, _, err = l.Accept4(unix.SOCK_NONBLOCK)
		return err == nil
	})
	defer closeQuietly(s)
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, unix.EAGAIN) || err.(*Error).Timeout() {
		t.Errorf("read of nothing: %v; want EAGAIN, which is no timeout", err)
	}
	fill(t, s)
	if _, err := s.Write([]byte("x")); !errors.Is(err, unix.EAGAIN) || err.(*Error).Timeout() {
		t.Errorf("write to a full socket: %v; want EAGAIN, which is no timeout", err)
	}
}
