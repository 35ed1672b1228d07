package watch

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// TestWatchReset resets a connection by SO_LINGER: one end is gone, the other is CLOSED with its descriptor open.
func TestWatchReset(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	p := newPair(t)
	client, server := follow(t, w, p.client, "client"), follow(t, w, p.server, "server")
	p.server.lingerZero()
	p.server.close()
	lookUntil(t, w, client, tcpinfo.Closed)
	r.wantStates(server, "ESTABLISHED gone")
	r.wantStates(client, "ESTABLISHED CLOSED")
	if s := client.Last(); s.Gone || s.Source != TCPInfo || s.Diag != nil {
		t.Errorf("reset with the descriptor open: %+v", s)
	}
	if client.Remote() != p.listener.local() {
		t.Errorf("the address of the peer that was: %v", client.Remote())
	}
	before := len(r.changes())
	p.client.close()
	w.Sample()
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
	child := lookUntilChild(t, w, r, tcpinfo.Established)
	c.lingerZero()
	c.close()
	lookUntil(t, w, child, tcpinfo.Closed)
	r.wantStates(child, "[SYN-RECEIVED] ESTABLISHED gone")
	s := l.accept()
	again := follow(t, w, s, "accepted")
	r.wantStates(again, "CLOSED")
	if again.Cookie() != child.Cookie() {
		t.Errorf("cookie %d, the child had %d", again.Cookie(), child.Cookie())
	}
}

// TestWatchWithoutSockDiag: when sock_diag fails, nothing is made up.
func TestWatchWithoutSockDiag(t *testing.T) {
	t.Parallel()
	r := &recorder{t: t}
	d, err := tcpinfo.Dial()
	if err != nil {
		t.Fatal(err)
	}
	w := New(d, r.report)
	p, q := newPair(t), newPair(t)
	client, server, open := follow(t, w, p.client, "client"), follow(t, w, p.server, "server"), follow(t, w, q.client, "open")
	p.client.shutdown(unix.SHUT_WR)
	lookUntil(t, w, client, tcpinfo.FinWait2)
	p.server.close()
	lookUntil(t, w, client, tcpinfo.TimeWait)
	lookUntil(t, w, server, tcpinfo.Closed)
	q.server.close()
	lookUntil(t, w, open, tcpinfo.CloseWait)
	if err := w.Err(); err != nil {
		t.Errorf("so far: %v", err)
	}
	d.Close()
	q.client.shutdown(unix.SHUT_WR)
	q.client.waitState(tcpinfo.LastAck, tcpinfo.Closed)
	w.Sample()
	p.client.close()
	w.Sample()
	if !errors.Is(w.Err(), os.ErrClosed) {
		t.Errorf("the error is %v", w.Err())
	}
	r.wantStates(client, "ESTABLISHED [FIN-WAIT-1] FIN-WAIT-2 TIME-WAIT") // and not CLOSED, which nobody saw
	r.wantStates(open, "ESTABLISHED CLOSE-WAIT [LAST-ACK]")
}

// TestWatchWhileClosing looks all the time while connections end: an entry that the kernel is just taking apart, which
// has no port any more or reads CLOSED, is not taken for what comes of it.
func TestWatchWhileClosing(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	l := listen(t, loopback4, 3)
	for range 100 {
		c := newSocket(t, loopback4.Addr())
		c.bind(loopback4)
		c.connect(l.local())
		s := l.accept()
		client, server := follow(t, w, c, "client"), follow(t, w, s, "server")
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.close()
			s.close()
		}()
		lookFor(t, w, func() bool { return client.Last().State == tcpinfo.TimeWait && server.Last().Gone },
			func() string { return fmt.Sprint(r.of(client), r.of(server)) })
		<-done
		r.wantStates(client, "ESTABLISHED [FIN-WAIT-1] [FIN-WAIT-2] [CLOSING] TIME-WAIT")
		r.wantStates(server, "ESTABLISHED [CLOSE-WAIT] [LAST-ACK] gone")
		if client.Local() == (netip.AddrPort{}) || client.Local().Port() == 0 || client.Remote() != l.local() {
			t.Fatalf("%v > %v", client.Local(), client.Remote())
		}
	}
}

// tearing answers as a kernel does that takes a socket apart while it describes it: each question has its own answer,
// and a socket without a state is none.
type tearing struct{ lookup, dumps []tcpinfo.Socket }

func (k *tearing) Lookup(netip.AddrPort, netip.AddrPort, uint64) (s tcpinfo.Socket, err error) {
	if s, k.lookup = k.lookup[0], k.lookup[1:]; s.State == 0 {
		return s, tcpinfo.ErrNotFound
	}
	return s, nil
}

func (k *tearing) Dump(tcpinfo.Filter) (list []tcpinfo.Socket, err error) {
	if k.dumps[0].State != 0 {
		list = k.dumps[:1:1]
	}
	k.dumps = k.dumps[1:]
	return list, nil
}

// TestWatchTornDown: the kernel describes a socket while it takes it apart, first to a lookup and then to a dump. What
// is there then is what the next dump says.
func TestWatchTornDown(t *testing.T) {
	t.Parallel()
	const cookie = 7
	local, remote := netip.MustParseAddrPort("192.0.2.1:7007"), netip.MustParseAddrPort("198.51.100.2:54321")
	socket := func(s tcpinfo.State, timer tcpinfo.TimerKind) tcpinfo.Socket {
		return tcpinfo.Socket{State: s, Local: local, Remote: remote, Cookie: cookie, Timer: tcpinfo.Timer{Kind: timer}}
	}
	closed, timeWait := socket(tcpinfo.Closed, tcpinfo.TimerNone), socket(tcpinfo.TimeWait, tcpinfo.TimerTimeWait)
	noPort, nothing := socket(tcpinfo.FinWait2, tcpinfo.TimerNone), tcpinfo.Socket{}
	noPort.Local = netip.AddrPortFrom(local.Addr(), 0)
	type answers []tcpinfo.Socket
	for name, c := range map[string]struct {
		lookup, dumps answers
		want          string
	}{
		// Without a port it is not what was looked up.
		"no port, then TIME-WAIT":    {answers{nothing}, answers{noPort, timeWait}, "ESTABLISHED TIME-WAIT"},
		"CLOSED, then TIME-WAIT":     {answers{closed}, answers{closed, closed, timeWait}, "ESTABLISHED TIME-WAIT"},
		"CLOSED, then TIME-WAIT too": {answers{closed}, answers{timeWait}, "ESTABLISHED TIME-WAIT"},
		"CLOSED, then nothing":       {answers{closed}, answers{closed, nothing}, "ESTABLISHED gone"},
		"nothing":                    {answers{nothing}, answers{nothing}, "ESTABLISHED gone"},
	} {
		r, k := &recorder{t: t}, &tearing{c.lookup, c.dumps}
		w := New(nil, r.report)
		w.diag = k
		sk := w.add(cookie, name)
		sk.setAddrs(local, remote)
		sk.connected = true
		w.observe(sk, Sample{State: tcpinfo.Established, Source: TCPInfo}, look)
		w.Sample()
		r.wantStates(sk, c.want)
		if len(k.lookup)+len(k.dumps) > 0 || w.Err() != nil {
			t.Errorf("%s: %d lookups and %d dumps were not asked for; %v", name, len(k.lookup), len(k.dumps), w.Err())
		}
	}
}
