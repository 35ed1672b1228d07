package watch

import (
	"testing"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// TestWatchReconnect uses one descriptor for one connection after the other.
func TestWatchReconnect(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	l := listen(t, loopback4, 3)
	c := newSocket(t, loopback4.Addr())
	client := follow(t, w, c, "client")
	c.connect(l.local())
	w.Sample()
	first := client.Local()
	if err := unix.Connect(c.fd, &unix.SockaddrInet4{}); err == nil { // not AF_UNSPEC: refused
		t.Error("a second connect succeeded")
	}
	c.disconnect()
	w.Sample()
	l2 := listen(t, loopback4, 3)
	c.connect(l2.local())
	w.Sample()
	if client.Remote() != l2.local() || client.Local() != c.local() {
		t.Errorf("connected %v > %v, want %v > %v (first from %v)", client.Local(), client.Remote(), c.local(), l2.local(), first)
	}
	c.disconnect()
	c.connect(l.local()) // not seen in between
	w.Sample()
	if client.Remote() != l.local() || client.Last().Diag == nil {
		t.Errorf("connected to %v, want %v; last %+v", client.Remote(), l.local(), client.Last())
	}
	r.wantStates(client, "CLOSED ESTABLISHED CLOSED ESTABLISHED")
}

// TestWatchDup: closing one of two descriptors ends nothing.
func TestWatchDup(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	p := newPair(t)
	client := follow(t, w, p.client, "client")
	d := p.client.dup()
	if again := follow(t, w, d, nil); again != client || again.Tag() != "client" {
		t.Errorf("the duplicate is %v, tag %v", again, again.Tag())
	}
	if again := follow(t, w, p.client, "renamed"); again != client || again.Tag() != "renamed" || len(client.fds) != 2 {
		t.Errorf("followed again: %v, tag %v, %d descriptors", again, again.Tag(), len(client.fds))
	}
	p.client.close()
	w.Sample()
	if s := client.Last(); s.Source != TCPInfo {
		t.Errorf("one descriptor is open: %+v", s)
	}
	r.wantStates(client, "ESTABLISHED")
	d.shutdown(unix.SHUT_WR)
	lookUntil(t, w, client, tcpinfo.FinWait2)
}

// TestWatchSelfConnect: a socket connected to itself is found by its cookie as any other.
func TestWatchSelfConnect(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	c := newSocket(t, loopback4.Addr())
	client := follow(t, w, c, "self")
	c.bind(loopback4)
	c.connect(c.local())
	w.Sample()
	if client.Local() != client.Remote() || client.Last().Diag == nil {
		t.Errorf("%v > %v, %+v", client.Local(), client.Remote(), client.Last())
	}
	c.shutdown(unix.SHUT_WR)
	lookUntil(t, w, client, tcpinfo.TimeWait)
	r.wantStates(client, "CLOSED ESTABLISHED [FIN-WAIT-1] [CLOSING] TIME-WAIT")
}

// TestWatchTimeWaitReused: a new connection takes the place of one in TIME-WAIT whose descriptor is still open. The old
// socket is CLOSED then, and the new one another socket.
func TestWatchTimeWaitReused(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	l := listen(t, loopback4, 3)
	c1 := newSocket(t, loopback4.Addr())
	c1.bind(loopback4) // a port that no TIME-WAIT has: connect alone would share one
	c1.connect(l.local())
	p := pair{l, c1, l.accept()}
	old, client := follow(t, w, p.server, "old"), follow(t, w, p.client, "client")
	from := p.client.local()
	p.server.shutdown(unix.SHUT_WR)
	lookUntil(t, w, old, tcpinfo.FinWait2)
	p.client.close()
	lookUntil(t, w, old, tcpinfo.TimeWait)
	lookUntil(t, w, client, tcpinfo.Closed) // its port is free

	c2 := newSocket(t, loopback4.Addr())
	c2.bind(from)
	c2.connect(p.listener.local())
	next := follow(t, w, p.listener.accept(), "next")
	lookUntil(t, w, old, tcpinfo.Closed)
	if s := old.Last(); s.Gone || s.Source != TCPInfo || next.Cookie() == old.Cookie() || next.Remote() != old.Remote() {
		t.Errorf("the old one: %+v; from %v, the next from %v", s, old.Remote(), next.Remote())
	}
	r.wantStates(old, "ESTABLISHED [FIN-WAIT-1] FIN-WAIT-2 TIME-WAIT CLOSED")
	r.wantStates(next, "ESTABLISHED")
}
