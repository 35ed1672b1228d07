package echo

import (
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// owed is what a client sends at once; a read takes all of it.
const owed = 32 << 10

// owing is a server that has read all of what a client sent, and cannot write all of it back, once it serves.
func owing(t *testing.T, cfg Config) (*Server, *net.TCPConn) {
	t.Helper()
	cfg.Addr = loopback4
	cfg.ListenerOptions = func(s *sockapi.Socket) error { return sockapi.SO_SNDBUF.Set(s, 1) }
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := dialSmallWindow(t, s.Addr())
	if _, err := c.Write(make([]byte, owed)); err != nil { // is there before the server's first read
		t.Fatal(err)
	}
	return s, c
}

// endsInReset reads to the end, which must not look like that of a whole echo.
func endsInReset(t *testing.T, c *net.TCPConn) {
	t.Helper()
	if got, err := io.ReadAll(c); !isReset(err) {
		t.Errorf("the client got %d of %d bytes and then %v, not a reset", len(got), owed, err)
	}
}

// TestServerOwes: a connection that the server ends though it has not echoed all that it read ends in a reset.
func TestServerOwes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why Reason
		cfg Config
	}{
		{Idle, Config{IdleTimeout: 200 * time.Millisecond}},
		{Cut, Config{DrainTimeout: 200 * time.Millisecond}},
	} {
		t.Run(c.why.String(), func(t *testing.T) {
			t.Parallel()
			var end ConnReport
			c.cfg.Events.Closed = func(_ *sockapi.Socket, e ConnReport) { end = e }
			s, client := owing(t, c.cfg)
			r := start(t, s)
			wait(t, "stalled, or idle already", func() bool { return r.Stats().Stalled == 1 || r.Stats().Idle == 1 })
			if c.why == Cut {
				r.stop()
			}
			wait(t, "ended", func() bool { return r.Stats().Idle+r.Stats().Cut == 1 })
			endsInReset(t, client)
			r.finish(t)
			if end.Reason != c.why || end.Err != nil || end.BytesIn != owed || end.BytesOut >= end.BytesIn {
				t.Errorf("%+v", end)
			}
		})
	}
}

// TestServerOwesAfterAnError drives the loop by hand: the connection lives, and write(2) fails.
func TestServerOwesAfterAnError(t *testing.T) {
	t.Parallel()
	for _, errno := range []unix.Errno{unix.EIO, unix.EPIPE} {
		t.Run(unix.ErrnoName(errno), func(t *testing.T) {
			t.Parallel()
			s, client := owing(t, Config{})
			defer s.poller.close()
			l := newLoop(s)
			if err := l.poller.set(unix.EPOLL_CTL_ADD, l.listener, unix.EPOLLIN); err != nil {
				t.Fatal(err)
			}
			for l.conns.Len() == 0 || l.oldest().buffer == nil {
				if err := l.turn(); err != nil {
					t.Fatal(err)
				}
			}
			l.close(l.oldest(), reasonOf(errno), errno)
			endsInReset(t, client)
			l.abandon()
		})
	}
}
