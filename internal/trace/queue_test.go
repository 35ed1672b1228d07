package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"socklife/tcpinfo"
)

// rec is a record of socket sock.
func rec(stamp, sock uint64, local, remote string, from, to tcpinfo.State) record {
	return record{stamp: stamp, Event: Event{From: from, To: to, sock: sock,
		Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote)}}
}

const (
	server = "192.0.2.1:7"
	client = "192.0.2.2:40000"
	nobody = "0.0.0.0:0"
)

// takes lets a queue hand over what it would, as texts that begin with the socket.
func takes(q *queue, horizon, now uint64) (got []string) {
	q.take(horizon, now, func(r *record) {
		got = append(got, fmt.Sprint(r.sock, " ", r.Event))
	})
	return got
}

func wantTaken(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestQueueMergesCPUs(t *testing.T) {
	q := newQueue()
	for _, r := range []record{
		// One CPU, then another.
		rec(20, 1, client, server, tcpinfo.SynSent, tcpinfo.Established),
		rec(40, 1, client, server, tcpinfo.FinWait1, tcpinfo.FinWait2),
		rec(40, 1, client, server, tcpinfo.FinWait2, tcpinfo.Closed),
		rec(10, 1, "192.0.2.2:0", server, tcpinfo.Closed, tcpinfo.SynSent),
		rec(30, 1, client, server, tcpinfo.Established, tcpinfo.FinWait1),
	} {
		q.add(r)
	}
	wantTaken(t, takes(&q, 5, 5))
	wantTaken(t, takes(&q, 20, 20),
		"1 192.0.2.2:0 > 192.0.2.1:7: CLOSED to SYN-SENT",
		"1 192.0.2.2:40000 > 192.0.2.1:7: SYN-SENT to ESTABLISHED")
	if !q.holds(30) || q.holds(29) {
		t.Error("the next is at 30")
	}
	wantTaken(t, takes(&q, 100, 100),
		"1 192.0.2.2:40000 > 192.0.2.1:7: ESTABLISHED to FIN-WAIT-1",
		"1 192.0.2.2:40000 > 192.0.2.1:7: FIN-WAIT-1 to FIN-WAIT-2",
		"1 192.0.2.2:40000 > 192.0.2.1:7: FIN-WAIT-2 to CLOSED")
	if q.holds(1000) {
		t.Error("it is empty")
	}
}

// The peer's address comes with the second record of a listener's connection, and the first one waits for it, in front
// of everything after it; but not for ever.
func TestQueueIntroducesPeers(t *testing.T) {
	born := rec(10, 1, "0.0.0.0:7", nobody, tcpinfo.Listen, tcpinfo.SynReceived)
	other := rec(11, 2, server, nobody, tcpinfo.Closed, tcpinfo.Listen)
	next := rec(12, 1, server, client, tcpinfo.SynReceived, tcpinfo.Established)

	q := newQueue()
	q.add(born)
	q.add(other)
	wantTaken(t, takes(&q, 11, 11))
	q.add(next)
	wantTaken(t, takes(&q, 11, 12), // what is behind the horizon counts too
		"1 192.0.2.1:7 > 192.0.2.2:40000: LISTEN to SYN-RECEIVED",
		"2 192.0.2.1:7 > 0.0.0.0:0: CLOSED to LISTEN")
	wantTaken(t, takes(&q, 12, 12), "1 192.0.2.1:7 > 192.0.2.2:40000: SYN-RECEIVED to ESTABLISHED")

	q = newQueue()
	q.add(born)
	q.add(other)
	wantTaken(t, takes(&q, birthTimeout, 9+birthTimeout))
	wantTaken(t, takes(&q, birthTimeout, 10+birthTimeout),
		"1 0.0.0.0:7 > 0.0.0.0:0: LISTEN to SYN-RECEIVED",
		"2 192.0.2.1:7 > 0.0.0.0:0: CLOSED to LISTEN")
}

// The port that is still there from the last connection is not the one that the next will have.
func TestQueueTakesOldPortsAway(t *testing.T) {
	q := newQueue()
	for i, c := range []struct {
		record
		want uint16
	}{
		{rec(0, 1, "192.0.2.2:0", server, tcpinfo.Closed, tcpinfo.SynSent), 0},
		{rec(0, 1, "192.0.2.2:40000", server, tcpinfo.SynSent, tcpinfo.Closed), 40000},
		{rec(0, 1, "192.0.2.2:40000", server, tcpinfo.Closed, tcpinfo.SynSent), 0},
		{rec(0, 1, "192.0.2.2:40002", server, tcpinfo.SynSent, tcpinfo.Established), 40002},
		{rec(0, 1, "192.0.2.2:40002", server, tcpinfo.Established, tcpinfo.Closed), 40002},
		{rec(0, 1, "192.0.2.2:40002", server, tcpinfo.Closed, tcpinfo.SynSent), 0},
		{rec(0, 1, "192.0.2.2:40004", server, tcpinfo.SynSent, tcpinfo.Closed), 40004},
		{rec(0, 1, "192.0.2.2:40000", server, tcpinfo.Closed, tcpinfo.SynSent), 40000}, // bound
		{rec(0, 1, "192.0.2.2:40000", server, tcpinfo.SynSent, tcpinfo.Closed), 40000},
		{rec(0, 1, "192.0.2.2:40000", server, tcpinfo.Closed, tcpinfo.SynSent), 40000},
		{rec(0, 1, "192.0.2.2:40000", server, tcpinfo.SynSent, tcpinfo.Closed), 40000},
		{rec(0, 1, server, nobody, tcpinfo.Closed, tcpinfo.Listen), 7},
	} {
		if q.settle(&c.record); c.Local.Port() != c.want {
			t.Errorf("%d: %v, want port %d", i, c.Event, c.want)
		}
	}
}
