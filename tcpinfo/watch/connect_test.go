package watch

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

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
		w.Sample()
		if s := client.Last(); s.State != tcpinfo.SynSent || s.Diag == nil || s.Diag.Timer.Kind != tcpinfo.TimerOn || client.Remote() != l.local() {
			t.Errorf("connecting to %v: %+v", client.Remote(), s)
		}
		sentAgain := func() bool { s := client.Last(); return s.Info != nil && s.Info.Retransmits > 0 }
		if err := w.WaitFor(patient(t), sentAgain); err != nil {
			t.Fatalf("%v: %v", err, r.of(client))
		}
		l.accept()
		if _, err := client.Wait(patient(t), tcpinfo.Established); err != nil {
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
	if _, err := client.Wait(patient(t), tcpinfo.SynSent); err != nil {
		t.Fatal(err)
	}
	s, err := client.Wait(patient(t), tcpinfo.Closed)
	if err != nil || s.Gone || s.Source != TCPInfo {
		t.Errorf("%+v, %v", s, err)
	}
	r.wantStates(client, "CLOSED SYN-SENT CLOSED")
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
	lookUntil(t, w, sideA, tcpinfo.Established)
	lookUntil(t, w, sideB, tcpinfo.Established)
	r.wantStates(sideA, "SYN-SENT [SYN-RECEIVED] ESTABLISHED")
	r.wantStates(sideB, "CLOSED [SYN-SENT] [SYN-RECEIVED] ESTABLISHED")
}
