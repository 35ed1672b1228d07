package tcpinfo

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWatchReset resets a connection by SO_LINGER: one end is gone, the other is CLOSED with its descriptor open.
func TestWatchReset(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	p := newPair(t)
	client, server := follow(t, w, p.client, "client"), follow(t, w, p.server, "server")
	p.server.lingerZero()
	p.server.close()
	lookUntil(t, w, client, Closed)
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
	child := lookUntilChild(t, w, r, Established)
	c.lingerZero()
	c.close()
	lookUntil(t, w, child, Closed)
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

// TestWatchWhileClosing looks all the time while connections end: an entry that the kernel is just taking apart, which has
// no port any more or reads CLOSED, is not taken for what comes of it.
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
		lookFor(t, w, func() bool { return client.Last().State == TimeWait && server.Last().Gone },
			func() string { return fmt.Sprint(r.of(client), r.of(server)) })
		<-done
		r.wantStates(client, "ESTABLISHED [FIN-WAIT-1] [FIN-WAIT-2] [CLOSING] TIME-WAIT")
		r.wantStates(server, "ESTABLISHED [CLOSE-WAIT] [LAST-ACK] gone")
		if client.Local() == (netip.AddrPort{}) || client.Local().Port() == 0 || client.Remote() != l.local() {
			t.Fatalf("%v > %v", client.Local(), client.Remote())
		}
	}
}

// TestWatchTornDown: the kernel describes a socket while it takes it apart, first to a lookup and then to a dump. What is
// there then is what the next dump says.
func TestWatchTornDown(t *testing.T) {
	t.Parallel()
	noPort, closed, timeWait := body(unix.AF_INET, 5, 0, 0), body(unix.AF_INET, 7, 0, 0), body(unix.AF_INET, 6, 3, 0)
	noPort[4], noPort[5] = 0, 0
	for name, c := range map[string]struct {
		lookup, dumps [][]byte
		want          string
	}{
		"no port, then TIME-WAIT":    {[][]byte{noPort}, [][]byte{noPort, timeWait}, "ESTABLISHED TIME-WAIT"},
		"CLOSED, then TIME-WAIT":     {[][]byte{closed}, [][]byte{closed, closed, timeWait}, "ESTABLISHED TIME-WAIT"},
		"CLOSED, then TIME-WAIT too": {[][]byte{closed}, [][]byte{timeWait}, "ESTABLISHED TIME-WAIT"},
		"CLOSED, then nothing":       {[][]byte{closed}, [][]byte{closed, nil}, "ESTABLISHED gone"},
		"nothing":                    {[][]byte{nil}, [][]byte{nil}, "ESTABLISHED gone"},
	} {
		next := func(from *[][]byte) []byte { b := (*from)[0]; *from = (*from)[1:]; return b }
		d, _ := fakeConn(func(seq uint32, request []byte) []datagram {
			if flags := native.Uint16(request[6:]); flags&unix.NLM_F_DUMP == unix.NLM_F_DUMP {
				if b := next(&c.dumps); b != nil {
					return []datagram{one(found(seq, unix.NLM_F_MULTI, b), done(seq, 0, 0))}
				}
				return []datagram{one(done(seq, 0, 0))}
			}
			if b := next(&c.lookup); b != nil {
				return []datagram{one(found(seq, 0, b))}
			}
			return []datagram{one(failed(seq, unix.ENOENT))}
		})
		r := &recorder{t: t}
		w := NewWatcher(d, r.report)
		wt := w.add(fakeCookie, name)
		wt.setTuple(fakeLocal, fakeRemote)
		wt.connected = true
		w.observe(wt, Sample{State: Established, Source: SourceTCPInfo}, look)
		w.Look()
		r.wantStates(wt, c.want)
		if len(c.lookup)+len(c.dumps) > 0 || w.Err() != nil {
			t.Errorf("%s: %d lookups and %d dumps were not asked for; %v", name, len(c.lookup), len(c.dumps), w.Err())
		}
	}
}
