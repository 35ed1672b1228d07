package echo

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestIdleLastLook drives the loop by hand: it comes an hour late, and what has arrived meanwhile counts.
func TestIdleLastLook(t *testing.T) {
	t.Parallel()
	s, err := NewServer(Config{Addr: loopback4, IdleTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.poller.close()
	l := newLoop(s)
	if err := l.poller.set(unix.EPOLL_CTL_ADD, l.listener, unix.EPOLLIN); err != nil {
		t.Fatal(err)
	}
	dialServer(t, s.Addr()) // is silent
	busy := dialServer(t, s.Addr())
	for l.conns.Len() < 2 {
		if err := l.turn(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := busy.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	late := l.conns.Back().Value.(*conn) // accepted second
	wait(t, "the byte has arrived", func() bool {
		n, err := late.sock.InQ()
		return err == nil && n == 1
	})
	l.now = l.now.Add(time.Hour)
	l.closeIdle()
	if l.report.Idle != 1 || l.report.BytesOut != 1 || l.oldest() != late {
		t.Errorf("%+v", l.report)
	}
	l.now = l.now.Add(time.Hour)
	l.closeIdle()
	if l.report.Idle != 2 || l.conns.Len() != 0 {
		t.Errorf("%+v", l.report)
	}
	l.abandon()
}
