package tcpinfo

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func queueOf(wt *Watch) [3]int {
	s := wt.Last()
	return [3]int{int(s.AcceptQueue), int(s.AcceptLimit), s.SynQueue}
}

// TestWatchListenerQueues fills a listener's accept queue and empties it.
func TestWatchListenerQueues(t *testing.T) {
	t.Parallel()
	bothFamilies(t, func(t *testing.T, addr netip.AddrPort) {
		w, r := newWatcher(t)
		l := listen(t, addr, 2)
		listener := follow(t, w, l, "listener")
		if got := queueOf(listener); got != [3]int{0, 2, 0} {
			t.Errorf("at first: %v", got)
		}
		for n := 1; n <= 3; n++ {
			connect(t, l.local())
			w.Look()
			if got := queueOf(listener); got != [3]int{n, 2, 0} {
				t.Errorf("after %d connects: %v", n, got)
			}
		}
		l.accept()
		w.Look()
		l.listen(7) // again: a new limit
		w.Look()
		if got := queueOf(listener); got != [3]int{2, 7, 0} {
			t.Errorf("after accept, and listen(7): %v", got)
		}
		for _, c := range r.of(listener)[1:] {
			if c.What != QueueChanged || c.Now.Source != SourceTCPInfo {
				t.Errorf("%v", c)
			}
		}
		if got := len(r.of(listener)); got != 1+3+2 {
			t.Errorf("%d changes: %v", got, r.of(listener))
		}
		l.shutdown(unix.SHUT_RD) // a listener becomes CLOSED
		w.Look()
		r.wantStates(listener, "LISTEN CLOSED")
		l.close()
		w.Look()
		r.wantStates(listener, "LISTEN CLOSED")
	})
}

// TestWatchListenerClose closes a listener that is followed twice, by its descriptor and by its address.
func TestWatchListenerClose(t *testing.T) {
	t.Parallel()
	bothFamilies(t, func(t *testing.T, addr netip.AddrPort) {
		w, r := newWatcher(t)
		other, r2 := newWatcher(t)
		l := listen(t, addr, 5)
		byFD := follow(t, w, l, "descriptor")
		byAddr, err := other.FollowTuple(l.local(), netip.AddrPort{}, "address")
		if err != nil {
			t.Fatal(err)
		}
		if byFD.Cookie() != byAddr.Cookie() {
			t.Errorf("cookies %d and %d", byFD.Cookie(), byAddr.Cookie())
		}
		connect(t, l.local())
		w.Look()
		other.Look()
		if a, b := queueOf(byFD), queueOf(byAddr); a != [3]int{1, 5, 0} || a != b {
			t.Errorf("the queue by descriptor is %v, by address %v", a, b)
		}
		l.close()
		w.Look()
		other.Look()
		r.wantStates(byFD, "LISTEN gone")
		r2.wantStates(byAddr, "LISTEN gone")
	})
}

// TestWatchSynReceived follows a half-open connection, held by TCP_DEFER_ACCEPT, through the accept queue into accept and
// out again: all that time it is one socket with one cookie.
func TestWatchSynReceived(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ listen, connect netip.AddrPort }{
		"IPv4":       {loopback4, loopback4},
		"IPv6":       {loopback6, loopback6},
		"dual-stack": {netip.MustParseAddrPort("[::]:0"), loopback4}, // IPv4 through an IPv6 listener
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, r := newWatcher(t)
			l := listen(t, c.listen, 5)
			l.setInt(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30)
			listener := follow(t, w, l, "listener")
			w.FollowChildren(listener, "child")

			client := connect(t, netip.AddrPortFrom(c.connect.Addr(), l.local().Port()))
			w.Look()
			if got := queueOf(listener); got != [3]int{0, 5, 1} {
				t.Errorf("half-open: the queues are %v", got)
			}
			all := r.changes()
			child := all[len(all)-1].Watch
			first := child.Last()
			if child.Tag() != "child" || first.State != SynReceived || first.Info != nil || first.Diag.Timer.Kind != TimerOn {
				t.Fatalf("the child %v: %+v", child.Tag(), first)
			}
			if got := child.Remote(); netip.AddrPortFrom(got.Addr().Unmap(), got.Port()) != client.local() {
				t.Errorf("the child's remote is %v, the client is at %v", got, client.local())
			}
			client.write("data")
			w.Look()
			if got := queueOf(listener); got != [3]int{1, 5, 0} {
				t.Errorf("waiting for accept: the queues are %v", got)
			}
			s := l.accept()
			if s.cookie() != child.Cookie() {
				t.Errorf("accepted cookie %d, half-open %d", s.cookie(), child.Cookie())
			}
			if wt := follow(t, w, s, "accepted"); wt != child || wt.Tag() != "accepted" {
				t.Errorf("the accepted descriptor is another watch: %v", wt.Tag())
			}
			if src := child.Last().Source; src != SourceTCPInfo {
				t.Errorf("with a descriptor, the source is %v", src)
			}
			client.close()
			lookUntil(t, w, child, CloseWait)
			s.read()
			s.close()
			lookUntil(t, w, child, Closed)
			r.wantStates(child, "SYN-RECEIVED ESTABLISHED CLOSE-WAIT [LAST-ACK] gone")
		})
	}
}

// TestWatchHalfOpenEnds resets a half-open connection, and closes a listener above another: that entry stays in the
// kernel's tables until its timer runs out or the client sends something, which is answered with RST.
func TestWatchHalfOpenEnds(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	l := listen(t, loopback4, 5)
	l.setInt(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30)
	listener := follow(t, w, l, "listener")
	w.FollowChildren(listener, nil)
	var children []*Watch
	var clients []*fdSocket
	for range 2 {
		clients = append(clients, connect(t, l.local()))
		w.Look()
		all := r.changes()
		children = append(children, all[len(all)-1].Watch)
	}
	clients[0].lingerZero()
	clients[0].close()
	lookUntil(t, w, children[0], Closed)
	r.wantStates(children[0], "SYN-RECEIVED gone")
	if got := queueOf(listener); got != [3]int{0, 5, 1} {
		t.Errorf("one half-open connection was reset: %v", got)
	}
	l.close()
	w.Look()
	r.wantStates(listener, "LISTEN gone")
	clients[1].write("to nobody")
	lookUntil(t, w, children[1], Closed)
	r.wantStates(children[1], "SYN-RECEIVED gone")
	clients[1].waitState(Closed)
}

// TestWatchChildrenPolled: the poller finds children by itself.
func TestWatchChildrenPolled(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	l := listen(t, loopback4, 5)
	w.FollowChildren(follow(t, w, l, "listener"), "child")
	run(t, w)
	connect(t, l.local())
	err := w.WaitFor(patient(t), func() bool {
		for _, c := range r.changes() {
			if c.Watch.Tag() == "child" && c.To == Established {
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Errorf("%v: %v", err, r.changes())
	}
}

// TestWatchSynSent holds a client in SYN-SENT at a full accept queue until its SYN was sent again, then makes room.
func TestWatchSynSent(t *testing.T) {
	t.Parallel()
	bothFamilies(t, func(t *testing.T, addr netip.AddrPort) {
		w, r := newWatcher(t)
		run(t, w)
		l := listen(t, addr, 0)
		connect(t, l.local())
		c := newSocket(t, addr.Addr())
		client := follow(t, w, c, "client")
		if err := unix.SetNonblock(c.fd, true); err != nil {
			t.Fatal(err)
		}
		if err := unix.Connect(c.fd, sockaddr(l.local())); err != unix.EINPROGRESS {
			t.Fatal(err)
		}
		w.Look()
		if s := client.Last(); s.State != SynSent || s.Diag == nil || s.Diag.Timer.Kind != TimerOn || client.Remote() != l.local() {
			t.Errorf("connecting to %v: %+v", client.Remote(), s)
		}
		sentAgain := func() bool { s := client.Last(); return s.Info != nil && s.Info.Retransmits > 0 }
		if err := w.WaitFor(patient(t), sentAgain); err != nil {
			t.Fatalf("%v: %v", err, r.of(client))
		}
		l.accept()
		if _, err := client.Wait(patient(t), Established); err != nil {
			t.Fatalf("%v: %v", err, r.of(client))
		}
		r.wantStates(client, "CLOSED SYN-SENT ESTABLISHED")
		var again Change
		for _, c := range r.of(client) {
			if c.What&RetransChanged != 0 {
				again = c
				break
			}
		}
		if again.String() != "SYN-SENT>SYN-SENT(tcp_info)[retrans]" || again.Now.Diag.Timer.Retrans == 0 {
			t.Errorf("the retransmission was reported as %v, %+v", again, again.Now)
		}
	})
}

// TestWatchConnectTimeout: an attempt that is given up is CLOSED, with its descriptor open.
func TestWatchConnectTimeout(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	run(t, w)
	l := listen(t, loopback4, 0)
	connect(t, l.local())
	c := newSocket(t, loopback4.Addr())
	c.setInt(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 500)
	client := follow(t, w, c, "client")
	if err := unix.SetNonblock(c.fd, true); err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(c.fd, sockaddr(l.local())); err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	if _, err := client.Wait(patient(t), SynSent); err != nil {
		t.Fatal(err)
	}
	s, err := client.Wait(patient(t), Closed)
	if err != nil || s.Gone || s.Source != SourceTCPInfo {
		t.Errorf("%+v, %v", s, err)
	}
	r.wantStates(client, "CLOSED SYN-SENT CLOSED")
}

func TestFollowTuple(t *testing.T) {
	t.Parallel()
	bothFamilies(t, func(t *testing.T, addr netip.AddrPort) {
		w, r := newWatcher(t)
		p := newPairAt(t, addr)
		peer, err := w.FollowTuple(p.listener.local(), p.client.local(), "peer")
		if err != nil {
			t.Fatal(err)
		}
		if s := peer.Last(); s.Source != SourceSockDiag || s.State != Established || s.Info == nil || peer.Cookie() != p.server.cookie() {
			t.Errorf("by its addresses: %+v", s)
		}
		if again, err := w.FollowTuple(p.listener.local(), p.client.local(), nil); again != peer || err != nil || again.Tag() != "peer" {
			t.Errorf("again: %v, %v", again, err)
		}
		if again := follow(t, w, p.server, nil); again != peer {
			t.Error("its descriptor is another watch")
		}
		none := netip.AddrPortFrom(addr.Addr(), 1)
		if _, err := w.FollowTuple(none, none, nil); !errors.Is(err, ErrNotFound) || !errors.Is(err, unix.ENOENT) {
			t.Errorf("following nobody: %v", err)
		}
		p.client.close()
		p.server.close()
		lookUntil(t, w, peer, Closed)
		r.wantStates(peer, "ESTABLISHED [CLOSE-WAIT] [LAST-ACK] gone")
	})
}

func TestFollowErrors(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	s := newSocket(t, loopback4.Addr())
	s.close()
	if _, err := w.Follow(s, nil); err == nil {
		t.Error("followed a closed descriptor")
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	udp := ownSocket(t, fd, "socket", err)
	if _, err := w.Follow(udp, nil); !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENOPROTOOPT) {
		t.Errorf("following UDP: %v", err)
	}
	file, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	null := ownSocket(t, file, "open", err)
	if _, err := w.Follow(null, nil); !errors.Is(err, unix.ENOTSOCK) {
		t.Errorf("following /dev/null: %v", err)
	}
	if got := r.changes(); len(got) != 0 || len(w.watches) != 0 {
		t.Errorf("reported %v", got)
	}
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	d, err := Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	l := listen(t, loopback4, 1)
	b, err := d.Backlog(l.local())
	if err != nil || b.Listener != l.local() || b.AcceptQueue != 0 || b.AcceptLimit != 1 || b.SynQueue != 0 || b.Full() {
		t.Errorf("at first: %+v, %v", b, err)
	}
	for range 2 {
		connect(t, l.local())
	}
	b, err = d.Backlog(l.local())
	if err != nil || b.AcceptQueue != 2 || !b.Full() {
		t.Errorf("backlog+1 connections: %+v, %v", b, err)
	}
	b, err = GetBacklog(l)
	if err != nil || b.Listener != l.local() || b.AcceptQueue != 2 || b.AcceptLimit != 1 || b.SynQueue != -1 || !b.Full() {
		t.Errorf("by the descriptor: %+v, %v", b, err)
	}

	deferred := listen(t, netip.MustParseAddrPort("[::]:0"), 4)
	deferred.setInt(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30)
	to := netip.AddrPortFrom(loopback4.Addr(), deferred.local().Port())
	c := connect(t, to)
	b, err = d.Backlog(to) // the wildcard listener is who would answer
	if err != nil || b.Listener != deferred.local() || b.SynQueue != 1 || len(b.HalfOpen) != 1 ||
		b.HalfOpen[0].State != SynReceived || b.HalfOpen[0].Remote.Port() != c.local().Port() {
		t.Errorf("half-open at a wildcard: %+v, %v", b, err)
	}

	at := l.local()
	l.close()
	if _, err := d.Backlog(at); !errors.Is(err, ErrNotFound) {
		t.Errorf("nobody listens: %v", err)
	}
	if _, err := GetBacklog(c); err == nil || err.Error() != "backlog: the socket is ESTABLISHED, not LISTEN" {
		t.Errorf("a connection's backlog: %v", err)
	}
	if _, err := GetBacklog(l); err == nil {
		t.Error("a closed descriptor has a backlog")
	}
}

// TestPickListener has no kernel in it: who would get a connection.
func TestPickListener(t *testing.T) {
	t.Parallel()
	yes := true
	listeners := []Socket{
		{State: Established, Family: unix.AF_INET, Local: netip.MustParseAddrPort("127.0.0.1:80")},
		{State: Listen, Family: unix.AF_INET6, Local: netip.MustParseAddrPort("[::]:80")},
		{State: Listen, Family: unix.AF_INET, Local: netip.MustParseAddrPort("0.0.0.0:80")},
		{State: Listen, Family: unix.AF_INET, Local: netip.MustParseAddrPort("127.0.0.2:80")},
		{State: Listen, Family: unix.AF_INET6, Local: netip.MustParseAddrPort("[::]:81"), V6Only: &yes},
		{State: Listen, Family: unix.AF_INET6, Local: netip.MustParseAddrPort("[::]:82")},
	}
	for to, want := range map[string]int{
		"127.0.0.2:80": 3, "127.0.0.1:80": 2, "0.0.0.0:80": 2, "[::1]:80": 1, "[::]:80": 1, "127.0.0.1:81": -1, "[::1]:81": 4,
		"127.0.0.1:82": 5, "[::ffff:127.0.0.1]:80": 2, "127.0.0.1:83": -1,
	} {
		got := pickListener(listeners, netip.MustParseAddrPort(to))
		if want < 0 && got != nil || want >= 0 && got != &listeners[want] {
			t.Errorf("%s: %+v", to, got)
		}
	}
}

// TestWatchRunEnds: no goroutine stays, and nothing is reported any more.
func TestWatchRunEnds(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx, 0) }()
	p := newPair(t)
	client := follow(t, w, p.client, "client")
	cancel()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("Run goes on")
	}
	p.client.close()
	r.wantStates(client, "ESTABLISHED")
}
