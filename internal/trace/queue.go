package trace

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"socklife/tcpinfo"
)

// queue brings the records of all CPUs into one order.
type queue struct {
	records []record
	sockets map[uint64]socket // by the address of the struct sock
}

// socket is what is known of a struct sock. The kernel reuses their memory, so there are never more of them than there
// were sockets at one time.
type socket struct {
	port  uint16 // the local port in its last record
	picks bool   // which the kernel picked for it in connect(2) or listen(2)
}

func newQueue() queue { return queue{sockets: map[uint64]socket{}} }

func (q *queue) add(r record) { q.records = append(q.records, r) }

// birthTimeout is how long a record may wait for the next one of its socket, see birth.
const birthTimeout = uint64(100 * time.Millisecond)

// take hands over, in order, what happened up to horizon: nothing earlier can come any more. Now is for giving up on
// births, by the same clock.
func (q *queue) take(horizon, now uint64, f func(*record)) {
	// Of one socket's records that have the same time, and are of one CPU, the first read is the first: keep their
	// order.
	slices.SortStableFunc(q.records, func(a, b record) int { return cmp.Compare(a.stamp, b.stamp) })
	n := 0
	for n < len(q.records) && q.records[n].stamp <= horizon {
		r := &q.records[n]
		if birth(r) && !q.introduce(n) && r.stamp+birthTimeout > now {
			break
		}
		f(r)
		n++
	}
	q.records = slices.Delete(q.records, 0, n)
}

// holds says whether anything up to horizon still waits.
func (q *queue) holds(horizon uint64) bool {
	return len(q.records) > 0 && q.records[0].stamp <= horizon
}

// until is up to when everything has been handed over, if the horizon was the last that was asked for.
func (q *queue) until(horizon uint64) uint64 {
	if q.holds(horizon) {
		return q.records[0].stamp - 1
	}
	return horizon
}

// birth is the first transition of a connection that a listener's handshake made: the kernel copies the listener's
// socket, sets its state, and only then writes down who the peer is (inet_csk_clone_lock).
func birth(r *record) bool {
	return r.From == tcpinfo.Listen && r.To == tcpinfo.SynReceived && r.Remote.Port() == 0
}

// introduce fills in the peer of a birth from the next record of the same socket, which has it. That one follows within
// microseconds, but with TCP Fast Open, where it is the handshake's end.
func (q *queue) introduce(n int) bool {
	r := &q.records[n]
	for _, next := range q.records[n+1:] {
		if next.sock == r.sock && next.From == r.To {
			r.Local, r.Remote = next.Local, next.Remote
			return true
		}
	}
	return false
}

// settle takes away a port that is none. The kernel sets SYN-SENT, and LISTEN of a socket without a port, before it
// picks one, so that the port is 0; but where it has picked one for the socket before, in an earlier life, that one is
// still there.
func (q *queue) settle(r *record) {
	s, port := q.sockets[r.sock], r.Local.Port()
	if r.From == tcpinfo.Closed {
		s.picks = port == 0 || s.picks && port == s.port
		if s.picks {
			r.Local = netip.AddrPortFrom(r.Local.Addr(), 0)
		}
	}
	s.port = port
	q.sockets[r.sock] = s
}
