package merge

import (
	"fmt"
	"net/netip"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// matched is what of the server's record belongs to the client's.
type matched struct {
	run    []timeline.Event // the server's
	ends   timeline.Ends    // of the first connection that both have, as the client has them; invalid: it is by the time
	conns  int              // how many there are
	calls  int              // how many the server made on them in this run: the next may be seen to come while one ends
	server netip.AddrPort
}

// says how the two were found to belong together.
func (m *matched) says(c, s *half) string {
	how := fmt.Sprintf("matched by the server's address %s and the time", m.server)
	if m.ends.Local.IsValid() {
		how = fmt.Sprintf("matched by the addresses of a connection, client %s and server %s", m.ends.Local, m.ends.Remote)
		if m.conns > 1 {
			how = fmt.Sprintf("matched by the addresses of %d connections, the first of client %s and server %s", m.conns, m.ends.Local, m.ends.Remote)
		}
	}
	return fmt.Sprintf("one timeline of two records, %s (client) and %s (server), %s", c.name, s.name, how)
}

// connections are the addresses of a side's own connections, in the order in which they were first seen.
func connections(events []timeline.Event, side timeline.Side) (list []timeline.Ends) {
	seen := map[timeline.Ends]bool{}
	for _, e := range events {
		b, ok := e.Body.(*timeline.State)
		if !ok || e.Side != side || !b.Remote.IsValid() || b.Local.Port() == 0 {
			continue
		}
		if ends := b.Ends(); !seen[ends] {
			seen[ends] = true
			list = append(list, ends)
		}
	}
	return list
}

// match finds the server's run whose connections have the client's addresses.
func match(c, s *half) (*matched, error) {
	var best *matched
	of := connections(c.events, timeline.Client)
	for _, run := range runs(s) {
		m := &matched{run: run}
		theirs := map[timeline.Ends]bool{}
		for _, e := range connections(run, timeline.Server) {
			theirs[e.Other()] = true
		}
		for _, e := range of {
			if theirs[e] {
				if m.conns++; m.conns == 1 {
					m.ends, m.server = e, e.Remote
				}
			}
		}
		m.calls = callsOn(run, of)
		if m.conns > 0 && (best == nil || m.calls > best.calls || m.calls == best.calls && m.conns > best.conns) {
			best = m
		}
	}
	if best == nil {
		best = byTime(c, s)
	}
	if best == nil {
		return nil, fmt.Errorf("%s and %s do not belong together: no connection in one has the addresses of a connection in the other", c.name, s.name)
	}
	if s.about.Title == "" {
		best.run = ofConnections(best.run, of)
	}
	return best, nil
}

// byTime is for a run in which no connection came about: with one clock it is enough that the client asked for the
// address at which the server was at that time.
func byTime(c, s *half) *matched {
	if !sameBoot(c, s) || s.about.Title == "" || len(c.events) == 0 {
		return nil
	}
	asked := map[netip.AddrPort]bool{}
	for _, e := range c.events {
		if b, ok := e.Body.(*timeline.Call); ok && b.Call == "connect" {
			asked[tcpinfo.Canonical(b.Arguments().Address())] = true
		}
	}
	for _, run := range runs(s) {
		if len(run) == 0 || run[0].Time.After(c.events[len(c.events)-1].Time) || run[len(run)-1].Time.Before(c.events[0].Time) {
			continue
		}
		for _, e := range run {
			if b, ok := e.Body.(*timeline.Call); ok && b.Call == "bind" && asked[tcpinfo.Canonical(b.Arguments().Address())] {
				return &matched{run: run, server: b.Arguments().Address()}
			}
		}
	}
	return nil
}

// callsOn counts a run's calls on the other ends of the client's connections.
func callsOn(run []timeline.Event, client []timeline.Ends) (n int) {
	theirs, socks := map[timeline.Ends]bool{}, map[int]bool{}
	for _, e := range client {
		theirs[e.Other()] = true
	}
	for _, e := range run {
		if b, ok := e.Body.(*timeline.State); ok && theirs[b.Ends()] {
			socks[b.Socket] = true
		}
	}
	for _, e := range run {
		if b, ok := e.Body.(*timeline.Call); ok && (socks[b.Socket] || socks[b.NewSocket]) {
			n++
		}
	}
	return n
}
