package watch

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
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
		w.Sample()
		if got := listener.Local(); got != l.local() || got.Port() == 0 {
			t.Errorf("bound to %v, Local is %v", l.local(), got)
		}
		l.listen(3)
		w.Sample()
		r.wantStates(listener, "CLOSED LISTEN")

		c := newSocket(t, addr.Addr())
		client := follow(t, w, c, "client")
		if client.Remote().IsValid() {
			t.Errorf("remote is %v before connect", client.Remote())
		}
		c.connect(l.local())
		w.Sample()
		if client.Local() != c.local() || client.Remote() != l.local() || client.Cookie() != c.cookie() {
			t.Errorf("%v > %v cookie %d, want %v > %v cookie %d", client.Local(), client.Remote(), client.Cookie(), c.local(), l.local(), c.cookie())
		}
		s := l.accept()
		server := follow(t, w, s, "server")
		w.Sample()

		c.shutdown(unix.SHUT_WR)
		lookUntil(t, w, client, tcpinfo.FinWait2)
		if got := s.read(); got != "" {
			t.Errorf("read %q", got)
		}
		s.close()
		w.Sample()
		tw := lookUntil(t, w, client, tcpinfo.TimeWait)
		if tw.Source != SockDiag || tw.Diag == nil || tw.Diag.Timer.Kind != tcpinfo.TimerTimeWait || c.state() != tcpinfo.Closed {
			t.Errorf("in TIME-WAIT, the descriptor reads %v, the sample is %+v", c.state(), tw)
		}
		lookUntil(t, w, server, tcpinfo.Closed)
		before := len(r.changes())
		c.close()
		w.Sample()
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

// TestWatchOrphan closes a descriptor whose peer stays in CLOSE-WAIT: FIN-WAIT-2 goes on without it, as a time-wait
// entry.
func TestWatchOrphan(t *testing.T) {
	t.Parallel()
	bothFamilies(t, func(t *testing.T, addr netip.AddrPort) {
		w, r := newWatcher(t)
		p := newPairAt(t, addr)
		client, server := follow(t, w, p.client, "client"), follow(t, w, p.server, "server")
		p.client.close()
		lookUntil(t, w, client, tcpinfo.FinWait2)
		lookUntil(t, w, server, tcpinfo.CloseWait)
		last := client.Last()
		if last.Source != SockDiag || last.Info != nil || last.Diag.Timer.Kind != tcpinfo.TimerTimeWait || last.Diag.Inode != 0 {
			t.Errorf("the orphan: %+v", last)
		}
		p.server.close()
		lookUntil(t, w, client, tcpinfo.TimeWait)
		lookUntil(t, w, server, tcpinfo.Closed)
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
	lookUntil(t, w, client, tcpinfo.FinWait2)
	before := len(r.of(client))
	p.client.close()
	w.Sample()
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
	w.Sample()
	if _, err := client.Wait(patient(t), tcpinfo.FinWait2); err != nil {
		t.Fatal(err)
	}
	s, err := client.Wait(patient(t), tcpinfo.Closed)
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
	bits := func(sk *Socket) tcpinfo.Shutdown {
		if d := sk.Last().Diag; d != nil && d.Shutdown != nil {
			return *d.Shutdown
		}
		return 0xff
	}
	p.client.shutdown(unix.SHUT_WR)
	lookUntil(t, w, client, tcpinfo.FinWait2)
	lookUntil(t, w, server, tcpinfo.CloseWait)
	if bits(client) != tcpinfo.SendShutdown || bits(server) != tcpinfo.RcvShutdown {
		t.Errorf("after SHUT_WR: client %b, server %b", bits(client), bits(server))
	}
	for _, sk := range []*Socket{client, server} {
		var what Kind
		for _, c := range r.of(sk)[1:] {
			what |= c.What
		}
		if what&(StateChanged|ShutdownChanged) != StateChanged|ShutdownChanged {
			t.Errorf("%v: %v", sk.Tag(), r.of(sk))
		}
	}
	before := len(r.of(server))
	p.server.shutdown(unix.SHUT_RD) // sends nothing and changes no state, and the bit was there
	w.Sample()
	if after := r.of(server); len(after) != before {
		t.Errorf("SHUT_RD after the peer's FIN changed %v", after[before:])
	}
	before = len(r.of(client))
	p.client.shutdown(unix.SHUT_RD)
	w.Sample()
	after := r.of(client)[before:]
	if len(after) != 1 || after[0].String() != "FIN-WAIT-2>FIN-WAIT-2(sock_diag)[shutdown]" || bits(client) != tcpinfo.RcvShutdown|tcpinfo.SendShutdown {
		t.Errorf("SHUT_RD changed %v, bits %b", after, bits(client))
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
	w.Sample()
	if client.Local() != local || client.Remote() != l.local() {
		t.Errorf("found %v > %v, want %v > %v", client.Local(), client.Remote(), local, l.local())
	}
	lookUntil(t, w, client, tcpinfo.FinWait2)
	r.wantStates(client, "CLOSED [FIN-WAIT-1] FIN-WAIT-2")
}

// TestWatchBoundToInterface: the kernel's exact lookup misses a socket that is bound to an interface. It is followed
// all the same, with details, and into TIME-WAIT.
func TestWatchBoundToInterface(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	l := listen(t, loopback4, 3)
	c := newSocket(t, loopback4.Addr())
	if err := unix.SetsockoptString(c.fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "lo"); errors.Is(err, unix.EPERM) {
		t.Skip("SO_BINDTODEVICE needs root before Linux 5.7")
	} else if err != nil {
		t.Fatal(err)
	}
	client := follow(t, w, c, "client")
	c.connect(l.local())
	w.Sample()
	if d := client.Last().Diag; d == nil || d.Interface == 0 {
		t.Errorf("details of the connection: %+v", d)
	}
	s := l.accept()
	c.shutdown(unix.SHUT_WR)
	lookUntil(t, w, client, tcpinfo.FinWait2)
	s.close()
	lookUntil(t, w, client, tcpinfo.TimeWait)
	w.pass(poll)
	c.close()
	w.Sample()
	r.wantStates(client, "CLOSED ESTABLISHED [FIN-WAIT-1] FIN-WAIT-2 TIME-WAIT")
}
