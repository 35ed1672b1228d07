package view

import (
	"net/netip"
	"strings"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// sockets has the latest state of each socket that is not closed.
type sockets map[timeline.Ends]*timeline.State

// remember takes the place of what was known before, and returns it; nil if nothing was.
func (m sockets) remember(b *timeline.State) *timeline.State {
	key := b.Ends()
	before := m[key]
	if m[key] = b; b.To == tcpinfo.Closed {
		delete(m, key)
	}
	return before
}

// hasPeerIn says whether the other end of a connection is known to be in a state.
func (m sockets) hasPeerIn(b *timeline.State, state tcpinfo.State) bool {
	peer := m[b.Ends().Other()]
	return peer != nil && peer.To == state
}

// knows is what is known of the other end of a connection.
func (m sockets) knows(b *timeline.State) knowledge {
	host, listens := b.Remote.Addr(), false
	for _, at := range []netip.Addr{host, netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		l := m[timeline.Ends{Local: netip.AddrPortFrom(at, b.Remote.Port())}]
		listens = listens || l != nil && l.To == tcpinfo.Listen
	}
	return knowledge{finArrived: m.hasPeerIn(b, tcpinfo.TimeWait), listened: listens}
}

// finding is a state, a listener's queues or a check, as wide as a lane.
func (t *Terminal) finding(f *finding) []text {
	if f.check != nil {
		return t.s.checkBlock(f.check, t.l.lane)
	}
	var here found
	if b := f.state; b != nil {
		here.state = t.s.transition(f.Side, b)
		if tag := t.tags.of(f.Side, b, t.o.ManyConns); tag != "" {
			here.state = text(nil).add(t.tags.hue(tag), glued(t.s.clean(tag))).join(string(nbsp), here.state)
		}
		if b.Source != "" && b.Source != t.source(f.Side) {
			here.source = text(nil).add(dim, "("+t.s.clean(b.Source)+")")
		}
		here.passed = text(nil).add(dim, t.s.clean(passed(b, t.sockets.knows(b)).String()))
		here.details = t.s.details(b, f.before)
		here.local = t.local(b)
	}
	if f.queue != nil {
		items := t.s.backlog(f.queue)
		if tag := t.tags.ofQueue(f.Side, f.queue); tag != "" && f.state == nil {
			items[0] = text(nil).add(t.tags.hue(tag), glued(t.s.clean(tag))).join(string(nbsp), items[0])
		}
		here.details = append(here.details, items...)
	}
	return findingBlock(here, t.l.lane)
}

// source is the one that a lane's rows need not name.
func (t *Terminal) source(side timeline.Side) string {
	s := t.o.ClientSource
	if side == timeline.Server {
		s = t.o.ServerSource
	}
	if s == "" {
		return tcpInfo
	}
	return s
}

// local says a socket's own address once, when it is first known, unless it was in a call or a label.
func (t *Terminal) local(b *timeline.State) text {
	if t.o.ManyConns || b.To == tcpinfo.Closed || b.Local.Port() == 0 || t.localShown[b.Local] {
		return nil
	}
	t.localShown[b.Local] = true
	addr := b.Local.String()
	if strings.Contains(t.o.ClientLabel+" "+t.o.ServerLabel, addr) {
		return nil
	}
	return text(nil).add(plain, glued("local "+t.s.clean(addr)))
}

// noteLocal keeps which local addresses a call has shown.
func (t *Terminal) noteLocal(c *timeline.Call) {
	if c.Errno == "" && (c.Call == "bind" || c.Call == "getsockname") {
		t.localShown[c.Arguments().Address()] = true
	}
}
