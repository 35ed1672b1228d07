package timeline

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"socklife/tcpinfo"
)

// Sockets numbers the sockets of a run: 1, 2, … in the order in which they were first heard of. Who tells of a socket
// knows it by what he has: its descriptor, its cookie, or its addresses. A life has one number, also where its cookie
// changes (a half-open entry's, when the connection is made) and where no descriptor leads to it any more. The zero
// Sockets knows none.
type Sockets struct {
	mu       sync.Mutex
	last     int
	followed map[any]*numbered
	cookies  map[uint64]*numbered
	ends     map[whose]*numbered
	peers    map[whose]*numbered   // by the remote address alone, of the last that had it
	coming   map[whose][]*numbered // about to begin, in this order
	limit    int                   // so many are kept before those that are gone are forgotten
}

// whose are addresses as a side's socket has them.
type whose struct {
	side Side
	ends Ends
}

type numbered struct {
	n      int
	key    any      // what it is followed by
	known  []uint64 // cookies
	state  tcpinfo.State
	gone   bool
	nobody bool      // told of by addresses alone
	called bool      // a call returned it
	open   time.Time // when it was first seen beyond SYN-RECEIVED; zero: not yet
}

// Follow is the number of a socket that somebody follows, by whatever he knows it by, and what he says of it at that
// moment.
func (s *Sockets) Follow(at time.Time, key any, cookie uint64, side Side, ends Ends, state tcpinfo.State, gone bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.make()
	e := s.followed[key]
	if e == nil {
		e = s.cookies[cookie]
	}
	if e == nil {
		e = s.ends[whose{side, ends}]
	}
	if e == nil || e.key != nil && e.key != key {
		e = s.add()
	}
	e.key, e.state, e.nobody = key, state, false
	if e.open.IsZero() && state != tcpinfo.SynReceived {
		e.open = at
	}
	s.followed[key] = e
	s.knowBy(e, cookie, side, ends)
	if gone {
		s.forget(e)
	}
	return e.n
}

// Made says whether a socket is one that a call of this program's has made: by its cookie, or by its addresses where it
// is not there any more. A connect() that fails leaves no addresses: so where none is known that goes there, it is.
func (s *Sockets) Made(cookie uint64, side Side, ends Ends) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cookie != 0 {
		e := s.cookies[cookie]
		return e != nil && e.called
	}
	if e := s.ends[whose{side, ends}]; e != nil {
		return e.called
	}
	connected := s.peers[whose{side, Ends{Remote: ends.Remote}}]
	return connected == nil || !connected.called
}

// Connects says whether a socket of that side is about to connect there, and was not told of by the kernel.
func (s *Sockets) Connects(side Side, to netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.coming[whose{side, Ends{netip.AddrPortFrom(unspecified(to), 0), to}}]) > 0
}

// Call is the number of the socket that a call returned, by its cookie, or, where that is another than the half-open
// entry's, by the address that it was accepted from; invalid: it is a new one.
func (s *Sockets) Call(cookie uint64, side Side, from netip.AddrPort) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.make()
	e := s.cookies[cookie]
	if e == nil && from.IsValid() {
		e = s.peers[whose{side, Ends{Remote: from}}]
		if e != nil && (e.gone || !e.nobody && e.state != tcpinfo.SynReceived) {
			e = nil
		}
	}
	if e == nil {
		e = s.add()
	}
	e.nobody, e.called = false, true
	s.knowBy(e, cookie, side, Ends{Remote: from})
	return e.n
}

// Transition is the number of a socket of which only the addresses are known (without a port of its own it is the last
// that was about to connect there); cookie asks for more, and is 0 where
// nobody knows.
func (s *Sockets) Transition(at time.Time, side Side, ends Ends, from, to tcpinfo.State, cookie func() uint64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.make()
	if ends.Local.Port() == 0 {
		ends.Local = netip.AddrPortFrom(unspecified(ends.Remote), 0)
	}
	here := whose{side, ends}
	e := s.ends[here]
	if e != nil && former(e, at, from, to, cookie) {
		e = nil
	}
	if next := s.coming[here]; from == tcpinfo.Closed && len(next) > 0 {
		e = next[0]
		s.ends[here] = e
		s.came(e)
	}
	if nameless := (whose{side, Ends{netip.AddrPortFrom(unspecified(ends.Remote), 0), ends.Remote}}); e == nil && from == tcpinfo.SynSent && s.ends[nameless] != nil {
		e = s.ends[nameless] // connect() has chosen a port
		delete(s.ends, nameless)
	}
	if c := uint64(0); e == nil {
		if c = cookie(); c != 0 {
			e = s.cookies[c]
		}
		if e == nil {
			e = s.add()
			e.nobody = true
		}
		s.knowBy(e, c, side, ends)
	}
	if e.key == nil { // else who follows it knows better
		e.state = to
		s.ends[here] = e
		if to == tcpinfo.Closed {
			e.gone = true
		}
	}
	return e.n
}

// Ended says that the life of the socket with this number is over: the next with its addresses is another.
func (s *Sockets) Ended(n int, side Side, ends Ends) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.ends[whose{side, ends}]; e != nil && e.n == n {
		s.forget(e)
	}
}

// clocks is how far the tracepoint's clock may be from this program's.
const clocks = 100 * time.Microsecond

// former tells whether a transition that begins a life is not of the socket that is known by these addresses: that one
// has had its life. A socket that is CLOSED may connect again; what comes in through a listener was never CLOSED, and
// may have been seen in a later state already, since the tracepoint is heard of late: then the time of that tells, or
// else the cookie, which a half-open entry and its connection need not have in common.
func former(e *numbered, at time.Time, from, to tcpinfo.State, cookie func() uint64) bool {
	switch child := from == tcpinfo.Listen && to == tcpinfo.SynReceived; {
	case from == tcpinfo.Closed:
		return e.gone || e.state != 0 && e.state != tcpinfo.Closed && e.state != to
	case !child || !e.open.IsZero() && at.Before(e.open.Add(clocks)):
		return false
	case e.gone || e.state == tcpinfo.Closed || e.state == tcpinfo.TimeWait:
		return true
	case e.state == 0 || e.state == to:
		return false
	}
	c := cookie()
	return c != 0 && !slices.Contains(e.known, c)
}

// Begins says that the socket with this number is about to listen, or to connect: the kernel tells of that by its
// address, or, while it has no port, by the one it connects to.
func (s *Sockets) Begins(n int, side Side, ends Ends) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.make()
	told := []Ends{ends}
	if ends.Remote.IsValid() { // a port that the kernel chose for an attempt before is told as none
		told = append(told, Ends{netip.AddrPortFrom(unspecified(ends.Remote), 0), ends.Remote})
	}
	for _, e := range s.cookies {
		if e.n != n {
			continue
		}
		s.came(e)
		for _, ends := range told {
			here := whose{side, ends}
			s.coming[here] = append(s.coming[here], e)
		}
		return
	}
}

// came forgets that a socket is about to be told of.
func (s *Sockets) came(e *numbered) {
	for here, next := range s.coming {
		if next = slices.DeleteFunc(next, func(o *numbered) bool { return o == e }); len(next) == 0 {
			delete(s.coming, here)
		} else {
			s.coming[here] = next
		}
	}
}

// Another is the number of a socket that nothing else is known of.
func (s *Sockets) Another() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add().n
}

func (s *Sockets) make() {
	if s.followed == nil {
		s.followed, s.cookies, s.limit = map[any]*numbered{}, map[uint64]*numbered{}, 4096
		s.ends, s.peers, s.coming = map[whose]*numbered{}, map[whose]*numbered{}, map[whose][]*numbered{}
	}
}

func (s *Sockets) add() *numbered {
	s.last++
	return &numbered{n: s.last}
}

func (s *Sockets) knowBy(e *numbered, cookie uint64, side Side, ends Ends) {
	if cookie != 0 && s.cookies[cookie] != e {
		s.cookies[cookie] = e
		e.known = append(e.known, cookie)
	}
	if ends.Local.Port() != 0 {
		s.ends[whose{side, ends}] = e
	}
	if ends.Remote.IsValid() {
		s.peers[whose{side, Ends{Remote: ends.Remote}}] = e
	}
	if len(s.ends)+len(s.peers) > s.limit {
		s.sweep()
	}
}

// forget leaves only the addresses: who hears of them late still means this one.
func (s *Sockets) forget(e *numbered) {
	e.gone = true
	delete(s.followed, e.key)
	for _, c := range e.known {
		delete(s.cookies, c)
	}
}

// sweep forgets the addresses of those that are gone. A server sees very many.
func (s *Sockets) sweep() {
	for _, m := range []map[whose]*numbered{s.ends, s.peers} {
		for k, e := range m {
			if e.gone {
				delete(m, k)
			}
		}
	}
	clear(s.coming)
	s.limit = max(4096, 2*(len(s.ends)+len(s.peers)))
}

// unspecified is the address of a socket that has none yet, of the family of the one that it connects to.
func unspecified(to netip.AddrPort) netip.Addr {
	if to.Addr().Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}
