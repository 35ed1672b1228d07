package tcpinfo

import (
	"errors"
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
