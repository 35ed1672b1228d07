package tcpinfo

import (
	"errors"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// bothFamilies runs a test over IPv4 and IPv6 loopback.
func bothFamilies(t *testing.T, f func(t *testing.T, addr netip.AddrPort)) {
	for name, addr := range map[string]netip.AddrPort{"IPv4": loopback4, "IPv6": loopback6} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
				err = unix.Bind(fd, sockaddr(loopback6))
				unix.Close(fd)
				if err != nil && addr == loopback6 {
					t.Skip("no ::1 here: bring up IPv6 on lo")
				}
			} else if addr == loopback6 {
				t.Skip("no IPv6 here")
			}
			f(t, addr)
		})
	}
}

// TestWatchLife follows both ends of a connection from socket() to TIME-WAIT, with a Look after each call.
func TestWatchLife(t *testing.T) {
	t.Parallel()
	bothFamilies(t, func(t *testing.T, addr netip.AddrPort) {
		w, r := newWatcher(t)
		l := newSocket(t, addr.Addr())
		listener := follow(t, w, l, "listener")
		l.bind(addr)
		w.Look()
		if got := listener.Local(); got != l.local() || got.Port() == 0 {
			t.Errorf("bound to %v, Local is %v", l.local(), got)
		}
		l.listen(3)
		w.Look()
		r.wantStates(listener, "CLOSED LISTEN")

		c := newSocket(t, addr.Addr())
		client := follow(t, w, c, "client")
		if client.Remote().IsValid() {
			t.Errorf("remote is %v before connect", client.Remote())
		}
		c.connect(l.local())
		w.Look()
		if client.Local() != c.local() || client.Remote() != l.local() || client.Cookie() != c.cookie() {
			t.Errorf("%v > %v cookie %d, want %v > %v cookie %d", client.Local(), client.Remote(), client.Cookie(), c.local(), l.local(), c.cookie())
		}
		s := l.accept()
		server := follow(t, w, s, "server")
		w.Look()

		c.shutdown(unix.SHUT_WR)
		lookUntil(t, w, client, FinWait2)
		if got := s.read(); got != "" {
			t.Errorf("read %q", got)
		}
		s.close()
		w.Look()
		tw := lookUntil(t, w, client, TimeWait)
		if tw.Source != SourceSockDiag || tw.Diag == nil || tw.Diag.Timer.Kind != TimerTimeWait || c.state() != Closed {
			t.Errorf("in TIME-WAIT, the descriptor reads %v, the sample is %+v", c.state(), tw)
		}
		lookUntil(t, w, server, Closed)
		before := len(r.changes())
		c.close()
		w.Look()
		if after := r.changes(); len(after) != before {
			t.Errorf("close in TIME-WAIT changed %v", after[before:])
		}
		r.wantStates(client, "CLOSED ESTABLISHED [FIN-WAIT-1] FIN-WAIT-2 TIME-WAIT")
		r.wantStates(server, "ESTABLISHED CLOSE-WAIT [LAST-ACK] gone")
		if last := server.Last(); !last.Gone {
			t.Errorf("the server's last sample: %+v", last)
		}
	})
}

// TestWatchOrphan closes a descriptor whose peer stays in CLOSE-WAIT: FIN-WAIT-2 goes on without it, as a time-wait entry.
func TestWatchOrphan(t *testing.T) {
	t.Parallel()
	bothFamilies(t, func(t *testing.T, addr netip.AddrPort) {
		w, r := newWatcher(t)
		p := newPairAt(t, addr)
		client, server := follow(t, w, p.client, "client"), follow(t, w, p.server, "server")
		p.client.close()
		lookUntil(t, w, client, FinWait2)
		lookUntil(t, w, server, CloseWait)
		last := client.Last()
		if last.Source != SourceSockDiag || last.Info != nil || last.Diag.Timer.Kind != TimerTimeWait || last.Diag.Inode != 0 {
			t.Errorf("the orphan: %+v", last)
		}
		p.server.close()
		lookUntil(t, w, client, TimeWait)
		lookUntil(t, w, server, Closed)
		r.wantStates(client, "ESTABLISHED [FIN-WAIT-1] FIN-WAIT-2 TIME-WAIT")
		r.wantStates(server, "ESTABLISHED CLOSE-WAIT [LAST-ACK] gone")
	})
}

// TestWatchCloseInFinWait2 closes the descriptor after the half-close: the state stays, the timer is new.
func TestWatchCloseInFinWait2(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	p := newPair(t)
	client := follow(t, w, p.client, "client")
	p.client.shutdown(unix.SHUT_WR)
	lookUntil(t, w, client, FinWait2)
	before := len(r.of(client))
	p.client.close()
	w.Look()
	changes := r.of(client)[before:]
	if len(changes) != 1 || changes[0].String() != "FIN-WAIT-2>FIN-WAIT-2(sock_diag)[timer]" {
		t.Errorf("close in FIN-WAIT-2 changed %v", changes)
	}
}

// TestWatchLinger2 follows an orphan that TCP_LINGER2 lets live for a second.
func TestWatchLinger2(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	run(t, w)
	p := newPair(t)
	p.client.setInt(unix.IPPROTO_TCP, unix.TCP_LINGER2, 1)
	client := follow(t, w, p.client, "client")
	p.client.close()
	w.Look()
	if _, err := client.Wait(patient(t), FinWait2); err != nil {
		t.Fatal(err)
	}
	s, err := client.Wait(patient(t), Closed)
	if err != nil || !s.Gone {
		t.Errorf("the orphan's end: %+v, %v", s, err)
	}
	r.wantStates(client, "ESTABLISHED [FIN-WAIT-1] FIN-WAIT-2 gone")
}

// TestWatchHalfClose checks the shutdown bits of both ends.
func TestWatchHalfClose(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	p := newPair(t)
	client, server := follow(t, w, p.client, "client"), follow(t, w, p.server, "server")
	bits := func(wt *Watch) uint8 {
		if d := wt.Last().Diag; d != nil && d.Shutdown != nil {
			return *d.Shutdown
		}
		return 0xff
	}
	p.client.shutdown(unix.SHUT_WR)
	lookUntil(t, w, client, FinWait2)
	lookUntil(t, w, server, CloseWait)
	if bits(client) != SendShutdown || bits(server) != RcvShutdown {
		t.Errorf("after SHUT_WR: client %b, server %b", bits(client), bits(server))
	}
	for _, wt := range []*Watch{client, server} {
		var what ChangeKind
		for _, c := range r.of(wt)[1:] {
			what |= c.What
		}
		if what&(StateChanged|ShutdownChanged) != StateChanged|ShutdownChanged {
			t.Errorf("%v: %v", wt.Tag(), r.of(wt))
		}
	}
	before := len(r.of(server))
	p.server.shutdown(unix.SHUT_RD) // sends nothing and changes no state, and the bit was there
	w.Look()
	if after := r.of(server); len(after) != before {
		t.Errorf("SHUT_RD after the peer's FIN changed %v", after[before:])
	}
	before = len(r.of(client))
	p.client.shutdown(unix.SHUT_RD)
	w.Look()
	after := r.of(client)[before:]
	if len(after) != 1 || after[0].String() != "FIN-WAIT-2>FIN-WAIT-2(sock_diag)[shutdown]" || bits(client) != RcvShutdown|SendShutdown {
		t.Errorf("SHUT_RD changed %v, bits %b", after, bits(client))
	}
}

// TestWatchReset resets a connection by SO_LINGER: one end is gone, the other is CLOSED with its descriptor open.
func TestWatchReset(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	p := newPair(t)
	client, server := follow(t, w, p.client, "client"), follow(t, w, p.server, "server")
	p.server.lingerZero()
	p.server.close()
	w.Look()
	r.wantStates(server, "ESTABLISHED gone")
	r.wantStates(client, "ESTABLISHED CLOSED")
	if s := client.Last(); s.Gone || s.Source != SourceTCPInfo || s.Diag != nil {
		t.Errorf("reset with the descriptor open: %+v", s)
	}
	if client.Remote() != p.listener.local() {
		t.Errorf("the address of the peer that was: %v", client.Remote())
	}
	before := len(r.changes())
	p.client.close()
	w.Look()
	if after := r.changes(); len(after) != before {
		t.Errorf("closing a CLOSED socket changed %v", after[before:])
	}
	if !client.Last().Gone {
		t.Error("the closed socket is not gone")
	}
}

// TestWatchAcceptReset: the client resets while it waits for accept. Accept succeeds all the same.
func TestWatchAcceptReset(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	l := listen(t, loopback4, 3)
	listener := follow(t, w, l, "listener")
	w.FollowChildren(listener, "child")
	c := connect(t, l.local())
	w.Look()
	child := r.changes()[len(r.changes())-1].Watch
	r.wantStates(child, "ESTABLISHED")
	c.lingerZero()
	c.close()
	w.Look()
	r.wantStates(child, "ESTABLISHED gone")
	s := l.accept()
	again := follow(t, w, s, "accepted")
	r.wantStates(again, "CLOSED")
	if again.Cookie() != child.Cookie() {
		t.Errorf("cookie %d, the child had %d", again.Cookie(), child.Cookie())
	}
}

// TestWatchUnseenConnection connects and closes between two samples: the socket is found by its cookie.
func TestWatchUnseenConnection(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	l := listen(t, loopback4, 3)
	c := newSocket(t, loopback4.Addr())
	client := follow(t, w, c, "client")
	c.connect(l.local())
	local := c.local()
	c.close()
	w.Look()
	if client.Local() != local || client.Remote() != l.local() {
		t.Errorf("found %v > %v, want %v > %v", client.Local(), client.Remote(), local, l.local())
	}
	lookUntil(t, w, client, FinWait2)
	r.wantStates(client, "CLOSED [FIN-WAIT-1] FIN-WAIT-2")
}

// TestWatchReconnect uses one descriptor for one connection after the other.
func TestWatchReconnect(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	l := listen(t, loopback4, 3)
	c := newSocket(t, loopback4.Addr())
	client := follow(t, w, c, "client")
	c.connect(l.local())
	w.Look()
	first := client.Local()
	if err := unix.Connect(c.fd, &unix.SockaddrInet4{}); err == nil { // not AF_UNSPEC: refused
		t.Error("a second connect succeeded")
	}
	c.disconnect()
	w.Look()
	l2 := listen(t, loopback4, 3)
	c.connect(l2.local())
	w.Look()
	if client.Remote() != l2.local() || client.Local() != c.local() {
		t.Errorf("connected %v > %v, want %v > %v (first from %v)", client.Local(), client.Remote(), c.local(), l2.local(), first)
	}
	c.disconnect()
	c.connect(l.local()) // not seen in between
	w.Look()
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
	w.Look()
	if s := client.Last(); s.Source != SourceTCPInfo {
		t.Errorf("one descriptor is open: %+v", s)
	}
	r.wantStates(client, "ESTABLISHED")
	d.shutdown(unix.SHUT_WR)
	lookUntil(t, w, client, FinWait2)
}

// TestWatchSelfConnect: a socket connected to itself is found by its cookie as any other.
func TestWatchSelfConnect(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	c := newSocket(t, loopback4.Addr())
	client := follow(t, w, c, "self")
	c.bind(loopback4)
	c.connect(c.local())
	w.Look()
	if client.Local() != client.Remote() || client.Last().Diag == nil {
		t.Errorf("%v > %v, %+v", client.Local(), client.Remote(), client.Last())
	}
	c.shutdown(unix.SHUT_WR)
	lookUntil(t, w, client, TimeWait)
	r.wantStates(client, "CLOSED ESTABLISHED [FIN-WAIT-1] [CLOSING] TIME-WAIT")
}

// TestWatchSimultaneousOpen crosses two SYNs: A's is dropped by a full listener, which is then closed; B takes its port
// and connects to A.
func TestWatchSimultaneousOpen(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	l := newSocket(t, loopback4.Addr())
	l.setInt(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	l.bind(loopback4)
	l.listen(0)
	addr := l.local()
	connect(t, addr) // fills the accept queue
	a := startConnect(t, addr)
	sideA := follow(t, w, a, "A")
	r.wantStates(sideA, "SYN-SENT")
	if sideA.Remote() != addr || sideA.Last().Diag == nil {
		t.Errorf("in SYN-SENT the remote is %v, want %v; last %+v", sideA.Remote(), addr, sideA.Last())
	}
	b := newSocket(t, loopback4.Addr())
	sideB := follow(t, w, b, "B")
	b.setInt(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	l.close()
	b.bind(addr)
	b.connect(a.local())
	lookUntil(t, w, sideA, Established)
	lookUntil(t, w, sideB, Established)
	r.wantStates(sideA, "SYN-SENT [SYN-RECEIVED] ESTABLISHED")
	r.wantStates(sideB, "CLOSED [SYN-SENT] [SYN-RECEIVED] ESTABLISHED")
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
	lookUntil(t, w, old, FinWait2)
	p.client.close()
	lookUntil(t, w, old, TimeWait)
	lookUntil(t, w, client, Closed) // its port is free

	c2 := newSocket(t, loopback4.Addr())
	c2.bind(from)
	c2.connect(p.listener.local())
	next := follow(t, w, p.listener.accept(), "next")
	lookUntil(t, w, old, Closed)
	if s := old.Last(); s.Gone || s.Source != SourceTCPInfo || next.Cookie() == old.Cookie() || next.Remote() != old.Remote() {
		t.Errorf("the old one: %+v; from %v, the next from %v", s, old.Remote(), next.Remote())
	}
	r.wantStates(old, "ESTABLISHED [FIN-WAIT-1] FIN-WAIT-2 TIME-WAIT CLOSED")
	r.wantStates(next, "ESTABLISHED")
}

// TestWatchWithoutSockDiag: when sock_diag fails, nothing is made up.
func TestWatchWithoutSockDiag(t *testing.T) {
	t.Parallel()
	r := &recorder{t: t}
	d, err := Dial()
	if err != nil {
		t.Fatal(err)
	}
	w := NewWatcher(d, r.report)
	p, q := newPair(t), newPair(t)
	client, server, open := follow(t, w, p.client, "client"), follow(t, w, p.server, "server"), follow(t, w, q.client, "open")
	p.client.shutdown(unix.SHUT_WR)
	lookUntil(t, w, client, FinWait2)
	p.server.close()
	lookUntil(t, w, client, TimeWait)
	lookUntil(t, w, server, Closed)
	q.server.close()
	lookUntil(t, w, open, CloseWait)
	if err := w.Err(); err != nil {
		t.Errorf("so far: %v", err)
	}
	d.Close()
	q.client.shutdown(unix.SHUT_WR)
	q.client.waitState(LastAck, Closed)
	w.Look()
	p.client.close()
	w.Look()
	if !errors.Is(w.Err(), os.ErrClosed) {
		t.Errorf("the error is %v", w.Err())
	}
	r.wantStates(client, "ESTABLISHED [FIN-WAIT-1] FIN-WAIT-2 TIME-WAIT") // and not CLOSED, which nobody saw
	r.wantStates(open, "ESTABLISHED CLOSE-WAIT [LAST-ACK]")
}
