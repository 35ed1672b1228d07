package trace

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
	"socklife/tcpinfo"
)

// stage is where a test plays a connection's life: a bound socket, whose port is traced.
type stage struct {
	*testing.T
	l    sock
	tr   *Trace
	seen []Event
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func newStage(t *testing.T, addr netip.AddrPort) *stage {
	l := bound(t, addr)
	return &stage{T: t, l: l, tr: open(t, l.local().Port())}
}

// expect waits until the trace has shown these lives, each by its states.
func (s *stage) expect(want ...string) {
	s.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; s.tr.await() {
		events, err := drain(s.tr)
		if err != nil {
			s.Fatal(err)
		}
		s.seen = append(s.seen, events...)
		got := lives(s.seen)
		if slices.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("got\n%s\nwant\n%s\nfrom\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), show(s.seen))
		}
	}
}

// diag waits until sock_diag has this state for a connection: what the tracepoint does not show.
func (s *stage) diag(local, remote netip.AddrPort, want tcpinfo.State) {
	s.Helper()
	conn, err := tcpinfo.Dial()
	s.must(err)
	defer conn.Close()
	for deadline := time.Now().Add(10 * time.Second); ; s.tr.await() {
		got, err := conn.Lookup(local, remote, 0)
		if err == nil && got.State == want {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("sock_diag has %v, %v; want %v", got.State, err, want)
		}
	}
}

// The usual lives.
const (
	listening  = "CLOSED LISTEN"
	active     = "CLOSED SYN-SENT ESTABLISHED"
	passive    = "LISTEN SYN-RECEIVED ESTABLISHED"
	closes     = " FIN-WAIT-1 FIN-WAIT-2 CLOSED" // first; TIME-WAIT is not shown
	isClosed   = " CLOSE-WAIT LAST-ACK CLOSED"   // by the peer
	isReset    = " CLOSED"
	bothClose  = " FIN-WAIT-1 CLOSING CLOSED" // TIME-WAIT is not shown
	leftClosed = " CLOSED"
)

var lifeTests = []struct {
	name string
	addr netip.AddrPort
	play func(s *stage)
	want []string
}{
	{"a socket that is only bound", loopback4, func(s *stage) {
		s.l.close()
	}, nil},
	{"a listener is closed", loopback4, func(s *stage) {
		s.l.listen(1)
		s.l.close()
	}, []string{listening + leftClosed}},
	{"a listener is shut down", loopback4, func(s *stage) {
		s.l.listen(1)
		s.l.shutdown(unix.SHUT_RD)
	}, []string{listening + leftClosed}},
	{"the client closes first", loopback4, orderly, []string{listening, active + closes, passive + isClosed}},
	{"the client closes first, IPv6", loopback6, orderly, []string{listening, active + closes, passive + isClosed}},
	{"the client closes first, IPv4 at an IPv6 listener", wildcard6, orderly, []string{listening, active + closes, passive + isClosed}},
	{"the server closes first", loopback4, func(s *stage) {
		s.l.listen(1)
		c, a := pair(s, s.l)
		a.close()
		c.end()
		c.close()
	}, []string{listening, active + isClosed, passive + closes}},
	{"half-close", loopback4, func(s *stage) {
		s.l.listen(1)
		c, a := pair(s, s.l)
		c.shutdown(unix.SHUT_WR)
		a.end()
		s.expect(listening, active+" FIN-WAIT-1 FIN-WAIT-2", passive+" CLOSE-WAIT")
		a.write("late")
		a.close()
		c.end()
	}, []string{listening, active + closes, passive + isClosed}},
	{"FIN-WAIT-2 that nobody holds", loopback4, func(s *stage) {
		s.l.listen(1)
		c, a := pair(s, s.l)
		c.close()
		s.expect(listening, active+closes, passive+" CLOSE-WAIT")
		s.diag(a.remote(), a.local(), tcpinfo.FinWait2)
	}, []string{listening, active + closes, passive + " CLOSE-WAIT"}},
	{"FIN-WAIT-2 held, then not", loopback4, func(s *stage) {
		s.l.listen(1)
		c, a := pair(s, s.l)
		c.shutdown(unix.SHUT_WR)
		s.expect(listening, active+" FIN-WAIT-1 FIN-WAIT-2", passive+" CLOSE-WAIT")
		c.close()
		s.expect(listening, active+closes, passive+" CLOSE-WAIT")
		s.diag(a.remote(), a.local(), tcpinfo.FinWait2)
	}, []string{listening, active + closes, passive + " CLOSE-WAIT"}},
	// The client's FIN waits behind data that the server does not read. The server's comes meanwhile.
	{"FINs cross", loopback4, func(s *stage) {
		s.l.listen(1)
		c, a := pair(s, s.l)
		client, server := c.local(), a.local()
		c.fill()
		c.shutdown(unix.SHUT_WR)
		s.expect(listening, active+" FIN-WAIT-1", passive)
		a.shutdown(unix.SHUT_WR)
		s.expect(listening, active+" FIN-WAIT-1 CLOSING", passive+" FIN-WAIT-1 FIN-WAIT-2")
		a.end()
		s.expect(listening, active+bothClose, passive+closes)
		s.diag(client, server, tcpinfo.TimeWait)
		s.diag(server, client, tcpinfo.TimeWait)
	}, []string{listening, active + bothClose, passive + closes}},
	{"SYNs cross", alone, simultaneousOpen, []string{listening + leftClosed, active + isReset, passive + isReset,
		"CLOSED SYN-SENT SYN-RECEIVED ESTABLISHED", active}},
	{"connected to itself", loopback4, func(s *stage) {
		s.l.must(s.l.Connect(s.l.local()))
		s.l.close()
	}, []string{"CLOSED SYN-SENT SYN-RECEIVED ESTABLISHED" + bothClose}},
	{"refused", loopback4, func(s *stage) {
		refused(s, s.l.local())
	}, []string{"CLOSED SYN-SENT CLOSED"}},
	{"nobody answers", loopback4, func(s *stage) {
		s.l.listen(0)
		dial(s, s.l.local())
		c := newSock(s, loopback4, 0)
		s.must(sockapi.TCP_USER_TIMEOUT.Set(c.Socket, 100*time.Millisecond))
		if err := c.Connect(s.l.local()); err == nil {
			s.Error("connected, with the accept queue full")
		}
	}, []string{listening, active, passive, "CLOSED SYN-SENT CLOSED"}},
	// connect(2) fails with EADDRNOTAVAIL, and has been in SYN-SENT all the same.
	{"no port to connect from", loopback4, func(s *stage) {
		s.l.listen(2)
		one := dial(s, s.l.local()).local().Port()
		c := newSock(s, loopback4, 0)
		s.must(sockapi.IP_LOCAL_PORT_RANGE.Set(c.Socket, sockapi.PortRange{Lo: one, Hi: one}))
		if err := c.Connect(s.l.local()); !errors.Is(err, unix.EADDRNOTAVAIL) {
			s.Errorf("connect from a port that is taken: %v", err)
		}
	}, []string{listening, active, passive, "CLOSED SYN-SENT CLOSED"}},
	{"given up in SYN-SENT", loopback4, func(s *stage) {
		s.l.listen(0)
		dial(s, s.l.local())
		c, _ := tryDial(s, s.l.local())
		s.expect(listening, active, passive, "CLOSED SYN-SENT")
		c.close()
	}, []string{listening, active, passive, "CLOSED SYN-SENT CLOSED"}},
	{"SYN-RECEIVED, deferred", loopback4, func(s *stage) {
		s.must(sockapi.TCP_DEFER_ACCEPT.Set(s.l.Socket, 30*time.Second))
		s.l.listen(1)
		c := dial(s, s.l.local())
		s.expect(listening, active)
		s.diag(s.l.local(), c.local(), tcpinfo.SynReceived)
		c.write("data")
		s.l.accept()
	}, []string{listening, active, passive}},
	{"SYN-RECEIVED, reset", loopback4, func(s *stage) {
		s.must(sockapi.TCP_DEFER_ACCEPT.Set(s.l.Socket, 30*time.Second))
		s.l.listen(1)
		dial(s, s.l.local()).reset()
	}, []string{listening, active + isReset}},
	{"reset", loopback4, func(s *stage) {
		s.l.listen(1)
		c, _ := pair(s, s.l)
		c.reset()
	}, []string{listening, active + isReset, passive + isReset}},
	{"reset in the accept queue", loopback4, func(s *stage) {
		s.l.listen(1)
		dial(s, s.l.local()).reset()
		s.l.accept()
	}, []string{listening, active + isReset, passive + isReset}},
	{"the listener closes on its accept queue", loopback4, func(s *stage) {
		s.l.listen(1)
		dial(s, s.l.local())
		s.l.close()
	}, []string{listening + leftClosed, active + isReset, passive + isReset}},
	{"reset in FIN-WAIT-2", loopback4, func(s *stage) {
		s.l.listen(1)
		c, a := pair(s, s.l)
		c.shutdown(unix.SHUT_WR)
		s.expect(listening, active+" FIN-WAIT-1 FIN-WAIT-2", passive+" CLOSE-WAIT")
		a.reset()
	}, []string{listening, active + " FIN-WAIT-1 FIN-WAIT-2" + isReset, passive + " CLOSE-WAIT" + isReset}},
	{"disconnected, and connected again", loopback4, func(s *stage) {
		s.l.listen(1)
		c, _ := pair(s, s.l)
		c.disconnect()
		c.must(c.Connect(s.l.local()))
	}, []string{listening, active + leftClosed, passive + isReset, active, passive}},
	// TIME-WAIT gives way to the new connection, which is the listener's.
	{"a SYN in TIME-WAIT", loopback4, func(s *stage) {
		s.l.listen(1)
		c := dialFrom(s, alone, s.l.local())
		a, from := s.l.accept(), c.local()
		a.close()
		c.end()
		c.close()
		s.expect(listening, active+isClosed, passive+closes)
		dialFrom(s, from, s.l.local())
	}, []string{listening, active + isClosed, passive + closes, active, passive}},
}

func orderly(s *stage) {
	s.l.listen(1)
	at := s.l.local()
	if at.Addr() == wildcard6.Addr() {
		at = netip.AddrPortFrom(loopback4.Addr(), at.Port())
	}
	c := dial(s, at)
	a := s.l.accept()
	client := c.local()
	c.close()
	a.end()
	a.close()
	s.expect(listening, active+closes, passive+isClosed)
	s.diag(client, at, tcpinfo.TimeWait)
}

// alone is an address that no other test uses: a port there that was free, or was ours, stays so.
var alone = netip.MustParseAddrPort("127.0.0.3:0")

// simultaneousOpen has a SYN dropped by a full accept queue, puts another socket in the listener's place, and has it
// send a SYN the other way.
func simultaneousOpen(s *stage) {
	s.l.must(sockapi.SO_REUSEADDR.Set(s.l.Socket, true))
	p := s.l.local()
	s.l.listen(0)
	filler := dial(s, p)
	a, _ := tryDial(s, p)
	s.expect(listening, active, passive, "CLOSED SYN-SENT")
	s.l.close()
	filler.end1()
	dialFrom(s, p, a.local())
}

// end1 reads until the connection is over, in whatever way.
func (s sock) end1() { s.Read(make([]byte, 1)) }

func refused(t testing.TB, at netip.AddrPort) sock {
	t.Helper()
	c := newSock(t, at, 0)
	if err := c.Connect(at); err == nil {
		t.Errorf("connected to %v where nobody listens", at)
	}
	return c
}

// Each way that a connection comes and goes shows as exactly these transitions.
func TestLives(t *testing.T) {
	needRoot(t)
	for _, c := range lifeTests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, c.addr)
			c.play(s)
			s.expect(c.want...)
			checkEnds(t, s.seen)
		})
	}
}

// checkEnds holds the addresses of each life to what is promised of them.
func checkEnds(t *testing.T, events []Event) {
	t.Helper()
	ends := map[int]Event{}
	for i, life := range numbered(events) {
		e := events[i]
		first, known := ends[life]
		switch {
		case e.Time.IsZero() || e.Lost != 0:
			t.Errorf("%v: incomplete: %+v", e, e)
		case e.From == tcpinfo.Listen || e.To == tcpinfo.Listen:
		case e.To == tcpinfo.SynSent || e.Local.Port() == 0 || e.Remote.Port() == 0:
			if neverPicked := e.From == tcpinfo.SynSent && e.To == tcpinfo.Closed; e.To != tcpinfo.SynSent && !neverPicked || e.Remote.Port() == 0 {
				t.Errorf("%v: no port", e)
			}
		case !known:
			ends[life] = e
		case first.Local != e.Local || first.Remote != e.Remote:
			t.Errorf("%v and %v are said to be one life", first, e)
		}
	}
}
