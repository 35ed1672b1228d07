package watch

import (
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

func queueOf(sk *Socket) [3]int {
	s := sk.Last()
	return [3]int{int(s.AcceptQueue), int(s.AcceptLimit), s.SynQueue}
}

// lookUntilQueues looks until the listener's accept queue, its limit and its SYN queue are these.
func lookUntilQueues(t *testing.T, w *Watcher, listener *Socket, accept, limit, syn int) {
	t.Helper()
	want := [3]int{accept, limit, syn}
	lookFor(t, w, func() bool { return queueOf(listener) == want }, func() string {
		return fmt.Sprintf("accept queue, limit, SYN queue: %v, want %v", queueOf(listener), want)
	})
}

// lookUntilChild looks until a child of the only listener is there that was not among the changes before, and is in a
// state.
func lookUntilChild(t *testing.T, w *Watcher, r *recorder, state tcpinfo.State) (child *Socket) {
	t.Helper()
	old := len(r.changes())
	lookFor(t, w, func() bool {
		for _, c := range r.changes()[old:] {
			if c.First {
				child = c.Socket
			}
		}
		return child != nil && child.Last().State == state
	}, func() string { return fmt.Sprintf("no child in %v: %v", state, r.changes()[old:]) })
	return child
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
			lookUntilQueues(t, w, listener, n, 2, 0)
		}
		l.accept()
		w.Sample()
		l.listen(7) // again: a new limit
		w.Sample()
		if got := queueOf(listener); got != [3]int{2, 7, 0} {
			t.Errorf("after accept, and listen(7): %v", got)
		}
		for _, c := range r.of(listener)[1:] {
			if c.What != QueueChanged {
				t.Errorf("%v", c)
			}
		}
		l.shutdown(unix.SHUT_RD) // a listener becomes CLOSED
		w.Sample()
		r.wantStates(listener, "LISTEN CLOSED")
		l.close()
		w.Sample()
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
		byAddr, err := other.FollowAddrs(l.local(), netip.AddrPort{}, "address")
		if err != nil {
			t.Fatal(err)
		}
		if byFD.Cookie() != byAddr.Cookie() {
			t.Errorf("cookies %d and %d", byFD.Cookie(), byAddr.Cookie())
		}
		connect(t, l.local())
		lookUntilQueues(t, w, byFD, 1, 5, 0)
		lookUntilQueues(t, other, byAddr, 1, 5, 0)
		l.close()
		w.Sample()
		other.Sample()
		r.wantStates(byFD, "LISTEN gone")
		r2.wantStates(byAddr, "LISTEN gone")
	})
}

// TestWatchSynReceived follows a half-open connection, held by TCP_DEFER_ACCEPT, through the accept queue into accept
// and out again: all that time it is one socket with one cookie.
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
			child := lookUntilChild(t, w, r, tcpinfo.SynReceived)
			if got := queueOf(listener); got != [3]int{0, 5, 1} {
				t.Errorf("half-open: the queues are %v", got)
			}
			first := child.Last()
			if child.Tag() != "child" || first.State != tcpinfo.SynReceived || first.Info != nil || first.Diag.Timer.Kind != tcpinfo.TimerOn {
				t.Fatalf("the child %v: %+v", child.Tag(), first)
			}
			if got := child.Remote(); netip.AddrPortFrom(got.Addr().Unmap(), got.Port()) != client.local() {
				t.Errorf("the child's remote is %v, the client is at %v", got, client.local())
			}
			client.write("data")
			lookUntilQueues(t, w, listener, 1, 5, 0) // it waits for accept
			s := l.accept()
			if s.cookie() != child.Cookie() {
				t.Errorf("accepted cookie %d, half-open %d", s.cookie(), child.Cookie())
			}
			if sk := follow(t, w, s, "accepted"); sk != child || sk.Tag() != "accepted" {
				t.Errorf("the accepted descriptor is another watch: %v", sk.Tag())
			}
			if src := child.Last().Source; src != TCPInfo {
				t.Errorf("with a descriptor, the source is %v", src)
			}
			client.close()
			lookUntil(t, w, child, tcpinfo.CloseWait)
			s.read()
			s.close()
			lookUntil(t, w, child, tcpinfo.Closed)
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
	var children []*Socket
	var clients []*fdSocket
	for range 2 {
		clients = append(clients, connect(t, l.local()))
		children = append(children, lookUntilChild(t, w, r, tcpinfo.SynReceived))
	}
	clients[0].lingerZero()
	clients[0].close()
	lookUntil(t, w, children[0], tcpinfo.Closed)
	r.wantStates(children[0], "SYN-RECEIVED gone")
	lookUntilQueues(t, w, listener, 0, 5, 1)
	l.close()
	w.Sample()
	r.wantStates(listener, "LISTEN gone")
	clients[1].write("to nobody")
	lookUntil(t, w, children[1], tcpinfo.Closed)
	r.wantStates(children[1], "SYN-RECEIVED gone")
	clients[1].waitState(tcpinfo.Closed)
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
			if c.Socket.Tag() == "child" && c.To == tcpinfo.Established {
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Errorf("%v: %v", err, r.changes())
	}
}
