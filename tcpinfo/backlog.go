package tcpinfo

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Backlog is what waits at a listener.
//
// Linux keeps two queues. A SYN makes an entry in the SYN queue, which is SYN-RECEIVED; the handshake's last segment
// turns it into a connection in the accept queue, ESTABLISHED, from which accept(2) takes it. The backlog given to
// listen(2), cut to net.core.somaxconn, limits both: while the accept queue is full new SYNs, and the last segments of
// handshakes, are dropped (counter ListenOverflows); while the SYN queue holds as many entries as the backlog, SYNs are
// answered with cookies or dropped (TCPReqQFullDoCookies, TCPReqQFullDrop).
type Backlog struct {
	Listener    netip.AddrPort // the address it is bound to
	AcceptQueue uint32         // connections that wait for accept
	AcceptLimit uint32         // the backlog; one more than this fits: see Full
	SynQueue    int            // entries that wait for the handshake's last segment
	HalfOpen    []Socket       // those entries
}

// Full says whether the accept queue is full. The kernel finds it full when it holds more than the limit, so
// backlog+1 connections fit, and one fits a backlog of 0 (sk_acceptq_is_full, include/net/sock.h).
func (b Backlog) Full() bool { return b.AcceptQueue > b.AcceptLimit }

// Backlog asks sock_diag for what waits at the listener that a connection to this address and port would reach: the one
// bound to the very address, or else to any. Where several share it (SO_REUSEPORT) it is the first that the kernel
// names, with the half-open connections of all; [Get] tells their accept queues apart: Unacked, and Sacked for the
// limit.
//
// It costs a dump. The error is ErrNotFound if nobody listens there, or Dump's.
func (c *Conn) Backlog(listener netip.AddrPort) (Backlog, error) {
	list, err := c.Dump(Filter{States: MaskOf(Listen, SynReceived), LocalPort: listener.Port()})
	if err != nil {
		return Backlog{}, err
	}
	l := pickListener(list, listener)
	if l == nil {
		return Backlog{}, &Error{Op: "backlog", Local: listener, Errno: unix.ENOENT, kind: ErrNotFound, Detail: "nobody listens there"}
	}
	half, _ := Unaccepted(list, l.Local, l.Family)
	return Backlog{Listener: l.Local, AcceptQueue: l.RecvQ, AcceptLimit: l.SendQ, SynQueue: len(half), HalfOpen: half}, nil
}

// pickListener finds who would get a connection to the address: the kernel prefers a bound address to a wildcard, and
// an IPv4 socket to an IPv6 one (compute_score, net/ipv4/inet_hashtables.c).
func pickListener(list []Socket, to netip.AddrPort) *Socket {
	var best *Socket
	bestScore := 0
	for i := range list {
		l := &list[i]
		if l.State != Listen || l.Local.Port() != to.Port() {
			continue
		}
		if score := listenerScore(l, to.Addr()); score > bestScore {
			best, bestScore = l, score
		}
	}
	return best
}

func listenerScore(l *Socket, to netip.Addr) int {
	bound, v4 := l.Local.Addr(), to.Unmap().Is4()
	switch {
	case bare(bound) == bare(to):
		return 3
	case !bound.Unmap().IsUnspecified():
		return 0
	case v4 && l.Family == unix.AF_INET, !v4 && l.Family == unix.AF_INET6:
		return 2
	case v4 && (l.V6Only == nil || !*l.V6Only):
		return 1
	}
	return 0
}

// Unaccepted picks, of a dump's sockets, those that came in through the listener of this address and family
// (unix.AF_INET or AF_INET6) and that nobody accepted: the half-open ones, and those that wait for accept. No
// descriptor leads to either, so their inode is 0; nor does one to an orphan, but an orphan has sent its FIN and is in
// none of these states. Where the list has a listener on the same port that the kernel prefers for a connection's
// address, the connection came in through that one.
func Unaccepted(list []Socket, listener netip.AddrPort, family uint8) (half, waiting []Socket) {
	var listeners []Socket
	for _, s := range list {
		if s.State == Listen && s.Local.Port() == listener.Port() {
			listeners = append(listeners, s)
		}
	}
	for _, s := range list {
		if s.Inode != 0 || s.Family != family || s.Local.Port() != listener.Port() {
			continue
		}
		if a := bare(listener.Addr()); !a.IsUnspecified() && a != bare(s.Local.Addr()) {
			continue
		}
		if l := pickListener(listeners, s.Local); l != nil && (bare(l.Local.Addr()) != bare(listener.Addr()) || l.Family != family) {
			continue
		}
		switch {
		case s.State == SynReceived && s.Info == nil:
			half = append(half, s)
		case s.State == Established || s.State == CloseWait || s.State == SynReceived:
			waiting = append(waiting, s) // SYN-RECEIVED with a TCP_INFO came by TCP Fast Open: accept takes it already
		}
	}
	return half, waiting
}
