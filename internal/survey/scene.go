package survey

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"socklife/internal/diagnose"
	"socklife/tcpinfo"
)

// scene is how the sockets of one dump belong together.
type scene struct {
	all       []*diagnose.Facts
	limits    Limits
	waiting   int                          // in TIME-WAIT, if that is more than are here
	listeners map[uint16][]*diagnose.Facts // by port
	ends      map[ends]*diagnose.Facts
}

type ends struct{ local, remote netip.AddrPort }

func endsOf(f *diagnose.Facts) ends {
	return ends{tcpinfo.Canonical(f.Local), tcpinfo.Canonical(f.Remote)}
}

// portless are the ends of which all connections have the same that share their local ports.
func (e ends) portless() ends { return ends{netip.AddrPortFrom(e.local.Addr(), 0), e.remote} }

func newScene(all []*diagnose.Facts, limits Limits) *scene {
	s := &scene{all: all, limits: limits, listeners: map[uint16][]*diagnose.Facts{}, ends: make(map[ends]*diagnose.Facts, len(all))}
	for _, f := range all {
		if f.State == tcpinfo.Listen {
			s.listeners[f.Local.Port()] = append(s.listeners[f.Local.Port()], f)
		} else {
			s.ends[endsOf(f)] = f
		}
	}
	return s
}

// join tells each socket what of the others matters to it.
func (s *scene) join() {
	to, waiting := map[ends]int{}, 0
	for _, f := range s.all {
		if f.State == tcpinfo.Listen || f.State == tcpinfo.Closed {
			continue
		}
		e := endsOf(f)
		if other := s.ends[ends{e.remote, e.local}]; other != f {
			f.Other = other
		}
		if f.State == tcpinfo.SynSent {
			f.Reaches = s.reached(f)
			continue
		}
		f.Listener = s.listener(f)
		if f.Listener != nil && f.Inode == 0 {
			queue(f.Listener, f)
		}
		if f.State == tcpinfo.TimeWait {
			waiting++
			if !s.server(f) {
				to[e.portless()]++
			}
		}
	}
	for _, f := range s.all {
		if f.State == tcpinfo.TimeWait {
			f.All = diagnose.Share{N: max(waiting, s.waiting), Of: s.limits.TimeWaits}
			if !s.server(f) {
				f.Alike = diagnose.Share{N: to[endsOf(f).portless()], Of: s.limits.Ports}
				f.Reused = s.limits.reuses(f)
			}
		}
	}
}

// reuses says whether connect() may take over the port of a connection that is in TIME-WAIT, a second after its last
// segment: as tcp_twsk_unique (net/ipv4/tcp_ipv4.c) has it.
func (l Limits) reuses(f *diagnose.Facts) bool {
	loopback := f.Local.Addr().Unmap().IsLoopback() || f.Remote.Addr().Unmap().IsLoopback()
	return l.Reuse == 1 || l.Reuse == 2 && loopback
}

// queue counts a connection that nobody has accepted.
func queue(l, f *diagnose.Facts) {
	switch {
	case f.State == tcpinfo.SynReceived && f.Info == nil:
		l.Half++
	case f.Unaccepted():
		l.Waiting = max(l.Waiting, f.Queue)
	}
}

// listener is the one that a connection came in through; nil: none, or one of several.
func (s *scene) listener(f *diagnose.Facts) *diagnose.Facts {
	return only(s.listeners[f.Local.Port()], func(l *diagnose.Facts) int {
		return born(l, f)
	})
}

// server says whether a socket listens, or came in through a listener, as far as that shows: there may be several.
func (s *scene) server(f *diagnose.Facts) bool {
	if f.State == tcpinfo.Listen || f.State == tcpinfo.SynReceived && f.Info == nil {
		return true
	}
	if f.State == tcpinfo.Closed {
		return false
	}
	for _, l := range s.listeners[f.Local.Port()] {
		if born(l, f) > 0 {
			return true
		}
	}
	return false
}

// born is how well a listener fits as the one that made a connection: it is of the same family, always.
func born(l, f *diagnose.Facts) int {
	if l.Family != f.Family {
		return 0
	}
	return fits(l, f.Local.Addr(), true)
}

// reached is the listener on this host that a SYN is for, if it goes to this host.
func (s *scene) reached(f *diagnose.Facts) *diagnose.Facts {
	to := f.Remote.Addr().Unmap().WithZone("")
	here := to.IsLoopback() || to == f.Local.Addr().Unmap().WithZone("")
	return only(s.listeners[f.Remote.Port()], func(l *diagnose.Facts) int {
		if !here && l.Local.Addr().Unmap().IsUnspecified() {
			return 0
		}
		return fits(l, to, to.Is6() == (l.Family == unix.AF_INET6))
	})
}

// fits is how well a listener's address fits: 0 is not at all. An IPv6 wildcard may take IPv4, too.
func fits(l *diagnose.Facts, to netip.Addr, family bool) int {
	bound, to := l.Local.Addr().Unmap().WithZone(""), to.Unmap().WithZone("")
	switch {
	case bound == to:
		return 3
	case bound.IsUnspecified() && family:
		return 2
	case bound.IsUnspecified() && to.Is4() && l.Family == unix.AF_INET6:
		return 1
	}
	return 0
}

// only is the one that fits best, if there is one and not several.
func only(list []*diagnose.Facts, fit func(*diagnose.Facts) int) (best *diagnose.Facts) {
	most, many := 0, false
	for _, l := range list {
		switch n := fit(l); {
		case n > most:
			best, most, many = l, n, false
		case n == most && n > 0:
			many = true
		}
	}
	if many {
		return nil
	}
	return best
}
