package tcpinfo

import (
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// A mix is one socket in each state, and in some states several: held there by recipes that need no privilege.

// ends says between which addresses a mix is made. They differ where an IPv6 socket speaks IPv4.
type ends struct {
	name           string
	listen, dial   netip.Addr
	serverFamily   uint8
	clientFamily   uint8
	mappedOnServer bool
}

var mixEnds = []ends{
	{"IPv4", netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.1"), unix.AF_INET, unix.AF_INET, false},
	{"IPv6", netip.MustParseAddr("::1"), netip.MustParseAddr("::1"), unix.AF_INET6, unix.AF_INET6, false},
	{"IPv4-mapped", netip.MustParseAddr("::"), netip.MustParseAddr("127.0.0.1"), unix.AF_INET6, unix.AF_INET, true},
}

// specimen is one socket, the state and the timer it is held in.
type specimen struct {
	name          string
	local, remote netip.AddrPort // as sock_diag has them
	state         State
	timer         TimerKind
	fd            *fdSocket // nil where no descriptor leads to it
	check         func(testing.TB, Socket)
}

// mix makes specimens.
type mix struct {
	testing.TB
	ends
	list  []specimen
	ports map[uint16]bool // of the listeners, and of the bound-only socket
}

func newMix(t testing.TB, e ends) *mix {
	t.Helper()
	m := &mix{TB: t, ends: e, ports: map[uint16]bool{}}
	m.listener()
	m.synSent()
	m.synReceived()
	m.established()
	m.keepalive()
	m.finWait1()
	m.finWait2()
	m.orphan()
	m.lastAck()
	m.closing()
	m.timeWait()
	m.bound()
	return m
}

func (m *mix) add(s specimen) { m.list = append(m.list, s) }

// newListener makes a listener on a port of its own. A small receive buffer, inherited, is soon full.
func (m *mix) newListener(backlog int, prepare ...func(*fdSocket)) (l *fdSocket, to netip.AddrPort) {
	m.Helper()
	l = newSocket(m, m.listen)
	l.setInt(unix.SOL_SOCKET, unix.SO_RCVBUF, 16<<10)
	for _, f := range prepare {
		f(l)
	}
	l.bind(netip.AddrPortFrom(m.listen, 0))
	l.listen(backlog)
	to = netip.AddrPortFrom(m.dial, l.local().Port())
	m.ports[to.Port()] = true
	return l, to
}

// newPair makes a connection and closes its listener.
func (m *mix) newPair() (c, s *fdSocket) {
	m.Helper()
	l, to := m.newListener(4)
	c = newSocket(m, m.dial)
	c.setInt(unix.SOL_SOCKET, unix.SO_RCVBUF, 16<<10)
	c.connect(to)
	s = l.accept()
	l.close()
	return c, s
}

// server is how sock_diag names the server's end of a client's connection.
func (m *mix) server(c *fdSocket, to netip.AddrPort) (local, remote netip.AddrPort) {
	return m.onServer(to), m.onServer(c.local())
}

func (m *mix) onServer(a netip.AddrPort) netip.AddrPort {
	if m.mappedOnServer {
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
	}
	return a
}

// both adds the two ends of a connection.
func (m *mix) both(what string, c, s *fdSocket, to netip.AddrPort, client, server specimen) {
	client.name, client.local, client.remote, client.fd = what+", client", c.local(), to, c
	server.name, server.fd = what+", server", s
	server.local, server.remote = m.server(c, to)
	m.add(client)
	m.add(server)
}

func (m *mix) listener() {
	l, to := m.newListener(8)
	for range 2 {
		c := connect(m, to)
		local, remote := m.server(c, to)
		m.add(specimen{name: "ESTABLISHED, not accepted", local: local, remote: remote, state: Established,
			check: func(t testing.TB, s Socket) {
				if s.Inode != 0 {
					t.Errorf("a connection that nobody accepted has inode %d", s.Inode)
				}
			}})
	}
	m.add(specimen{name: "LISTEN", local: l.local(), remote: netip.AddrPortFrom(unspecified(m.listen), 0), state: Listen, fd: l,
		check: func(t testing.TB, s Socket) {
			if s.RecvQ != 2 || s.SendQ != 8 || s.Info.Unacked != 2 || s.Info.Sacked != 8 {
				t.Errorf("accept queue %d of %d, in TCP_INFO %d of %d; want 2 of 8", s.RecvQ, s.SendQ, s.Info.Unacked, s.Info.Sacked)
			}
		}})
}

func unspecified(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

func (m *mix) synSent() {
	_, to := m.newListener(0)
	connect(m, to) // fills the accept queue
	c := startConnect(m, to)
	m.add(specimen{name: "SYN-SENT", local: c.local(), remote: to, state: SynSent, timer: TimerOn, fd: c})
}

func (m *mix) synReceived() {
	_, to := m.newListener(8, func(l *fdSocket) { l.setInt(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 60) })
	c := connect(m, to)
	m.both("TCP_DEFER_ACCEPT", c, nil, to,
		specimen{state: Established},
		specimen{state: SynReceived, timer: TimerOn, check: small})
}

// small checks what is absent of the entries that take the place of a socket.
func small(t testing.TB, s Socket) {
	if s.Info != nil || s.Mem != nil || s.Shutdown != nil || s.Cong != "" || s.UID != 0 || s.Inode != 0 {
		t.Errorf("a small entry comes with %+v", s)
	}
}

// established holds unread and unsent data, behind windows of different scale.
func (m *mix) established() {
	l, to := m.newListener(8)
	c := newSocket(m, m.dial)
	c.setInt(unix.SOL_SOCKET, unix.SO_RCVBUF, 200<<10) // before connect: it decides the scale
	c.connect(to)
	s := l.accept()
	l.close()
	c.fill()
	m.both("ESTABLISHED, peer does not read", c, s, to,
		specimen{state: Established, timer: TimerPersist, check: func(t testing.TB, s Socket) {
			if s.SendQ == 0 || s.Info.NotsentBytes == 0 || s.Info.SndWscale == s.Info.RcvWscale {
				t.Errorf("send queue %d, not sent %d, window scales %d and %d", s.SendQ, s.Info.NotsentBytes, s.Info.SndWscale, s.Info.RcvWscale)
			}
		}},
		specimen{state: Established, check: func(t testing.TB, s Socket) {
			if s.RecvQ == 0 {
				t.Error("nothing in the receive queue")
			}
		}})
}

func (m *mix) keepalive() {
	c, s := m.newPair()
	c.setInt(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	c.setInt(unix.IPPROTO_IP, unix.IP_TOS, 0x10)
	m.both("ESTABLISHED with keepalive", c, s, m.peer(c), specimen{state: Established, timer: TimerKeepalive}, specimen{state: Established})
}

// peer is the address that a client is connected to.
func (m *mix) peer(c *fdSocket) netip.AddrPort {
	m.Helper()
	sa, err := unix.Getpeername(c.fd)
	c.must("getpeername", err)
	return addrPortOf(sa)
}

func (m *mix) finWait1() {
	c, s := m.newPair()
	to := m.peer(c)
	c.fill()
	c.shutdown(unix.SHUT_WR)
	m.both("FIN behind a full window", c, s, to,
		specimen{state: FinWait1, timer: TimerPersist, check: shut(SendShutdown)}, specimen{state: Established, check: shut(0)})
}

func shut(want Shutdown) func(testing.TB, Socket) {
	return func(t testing.TB, s Socket) {
		if s.Shutdown == nil || *s.Shutdown != want {
			t.Errorf("shutdown bits %v, want %d", s.Shutdown, want)
		}
	}
}

func (m *mix) finWait2() {
	c, s := m.newPair()
	to := m.peer(c)
	c.shutdown(unix.SHUT_WR)
	m.both("half-closed", c, s, to,
		specimen{state: FinWait2, check: shut(SendShutdown)}, specimen{state: CloseWait, check: shut(RcvShutdown)})
}

func (m *mix) orphan() {
	c, s := m.newPair()
	to, local := m.peer(c), c.local()
	there, here := m.server(c, to)
	c.close()
	m.add(specimen{name: "orphan", local: local, remote: to, state: FinWait2, timer: TimerTimeWait, check: small})
	m.add(specimen{name: "peer of an orphan", local: there, remote: here, state: CloseWait, fd: s})
}

func (m *mix) lastAck() {
	c, s := m.newPair()
	to := m.peer(c)
	s.fill()
	c.shutdown(unix.SHUT_WR)
	s.waitState(CloseWait)
	s.shutdown(unix.SHUT_WR)
	m.both("passive close behind a full window", c, s, to,
		specimen{state: FinWait2}, specimen{state: LastAck, timer: TimerPersist, check: shut(RcvShutdown | SendShutdown)})
}

func (m *mix) closing() {
	c, s := m.newPair()
	to := m.peer(c)
	c.fill()
	c.shutdown(unix.SHUT_WR)
	s.shutdown(unix.SHUT_WR)
	m.both("both close behind a full window", c, s, to,
		specimen{state: Closing, timer: TimerPersist}, specimen{state: FinWait2})
}

func (m *mix) timeWait() {
	c, s := m.newPair()
	to, local := m.peer(c), c.local()
	c.close()
	s.waitState(CloseWait)
	s.close()
	m.add(specimen{name: "TIME-WAIT", local: local, remote: to, state: TimeWait, timer: TimerTimeWait, check: small})
}

func (m *mix) bound() {
	if !listsBound(dial(m)) {
		return
	}
	s := newSocket(m, m.listen)
	s.bind(netip.AddrPortFrom(m.listen, 0))
	m.ports[s.local().Port()] = true
	m.add(specimen{name: "bound only", local: s.local(), remote: netip.AddrPortFrom(unspecified(m.listen), 0), state: Closed, fd: s})
}

// settle waits until every specimen is where it is to be held.
func (m *mix) settle(c *Conn) {
	m.Helper()
	for _, s := range m.list {
		var got Socket
		var err error
		eventually(m, func() bool {
			got, err = c.Lookup(s.local, s.remote, 0)
			return err == nil && got.State == s.state && got.Timer.Kind == s.timer
		}, func() {
			m.Fatalf("%s: %v timer %v (%v), want %v timer %v", s.name, got.State, got.Timer, err, s.state, s.timer)
		})
	}
}

// dump lists every socket of the mix; others that use the same ports between other addresses may be among them.
func (m *mix) dump(c *Conn) []Socket {
	m.Helper()
	var all []Socket
	for port := range m.ports {
		for _, f := range []Filter{{LocalPort: port}, {RemotePort: port}} {
			list, err := c.Dump(f)
			if err != nil {
				m.Fatal(err)
			}
			all = append(all, list...)
		}
	}
	return dedupe(all) // a socket connected to itself is in both
}

func (s specimen) String() string { return fmt.Sprintf("%s (%v > %v)", s.name, s.local, s.remote) }
