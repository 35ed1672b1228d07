package quiz

import (
	"net/netip"
	"slices"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// history is what a run's calls say of the order that every run has.
type history struct {
	events []timeline.Event
	entry  []int               // of a call: where it was entered, if that has an event of its own; else the call itself
	whole  []int               // of a call's entry: the call; else the event itself
	known  []int               // the last event of the other side that came before it in every run; -1 is none
	socket []*socket           // of a call: what its descriptor leads to
	before []socket            // the same, as it was before the call
	fresh  []*socket           // of a call that made one: the new socket
	made   []*socket           // the connections
	peer   map[*socket]*socket // their other ends, as far as they are known
}

// socket is what a side's calls have done with one socket so far.
type socket struct {
	side   timeline.Side
	client netip.AddrPort // the client's address, which is the connection's name; invalid: not known
	begun  int            // the call that made the connection; -1 is none
	eof    bool           // read() has given 0
	shut   bool           // shutdown(SHUT_WR) was called
	wrote  int            // calls of write() since read() gave 0
	err    string         // what a call gave that shows that the connection is over
	ends   int            // the first call that ends the sending side; -1 is none
	stops  int            // the first read() that gave 0 or failed; -1 is none
	sent   []sent
}

// sent says that so many bytes were written when a call had been made.
type sent struct{ bytes, at int }

func newHistory(events []timeline.Event) *history {
	n := len(events)
	h := &history{events: events, entry: make([]int, n), whole: make([]int, n), known: make([]int, n), socket: make([]*socket, n), fresh: make([]*socket, n), before: make([]socket, n),
		peer: map[*socket]*socket{}}
	open := map[timeline.Side]map[int]*socket{timeline.Client: {}, timeline.Server: {}}
	entered := map[int64]int{}
	for i, e := range events {
		h.entry[i], h.whole[i] = i, i
		if b, is := e.Body.(*timeline.Enter); is {
			entered[b.ID] = i
		}
		c, is := e.Body.(*timeline.Call)
		if fds := open[e.Side]; is && fds != nil {
			if at, ok := entered[c.ID]; ok {
				h.entry[i], h.whole[at] = at, i
			}
			h.call(i, e.Side, c, fds)
		}
	}
	h.pair()
	for i, s := range h.socket {
		if s != nil && s.ends < 0 && h.endsSending(i) {
			s.ends = h.entry[i]
		}
	}
	h.learn()
	return h
}

func newSocket(side timeline.Side, begun int) *socket {
	return &socket{side: side, begun: begun, ends: -1, stops: -1}
}

// call takes a call into account.
func (h *history) call(i int, side timeline.Side, c *timeline.Call, fds map[int]*socket) {
	s := fds[c.FD]
	if s == nil || c.Call == "socket" {
		s = newSocket(side, -1)
		fds[c.FD] = s
	}
	h.socket[i], h.before[i] = s, *s
	switch {
	case c.Call == "accept4" && c.Errno == "":
		fds[c.Ret] = newSocket(side, i)
		h.fresh[i] = fds[c.Ret]
		h.made = append(h.made, fds[c.Ret])
		fds[c.Ret].client = c.Arguments().Address()
	case c.Call == "connect" && (c.Errno == "" || c.Errno == "EINPROGRESS"):
		s.begun = h.entry[i]
		h.made = append(h.made, s)
		if to := c.Arguments().Address(); to.IsValid() {
			s.client = h.connected(i, side, to)
		}
	case c.Call == "close":
		delete(fds, c.FD)
	}
	s.called(c, h.entry[i], i)
}

// called takes a call on the socket into account.
func (s *socket) called(c *timeline.Call, entry, at int) {
	switch c.Call {
	case "write", "sendto":
		if c.Ret > 0 {
			s.sent = append(s.sent, sent{s.written() + c.Ret, entry})
		}
		if s.eof {
			s.wrote++
		}
	case "read", "recvfrom":
		s.eof = s.eof || c.Ret == 0
		if c.Ret <= 0 && s.stops < 0 && c.Errno != "EAGAIN" {
			s.stops = at
		}
	}
	if endsSending(c) {
		s.shut = s.shut || c.Call == "shutdown"
	}
	switch c.Errno {
	case "ECONNRESET", "ECONNABORTED", "ETIMEDOUT", "ENOTCONN", "EPIPE":
		if !s.shut {
			s.err = c.Errno
		}
	}
}

func (s *socket) written() int {
	if n := len(s.sent); n > 0 {
		return s.sent[n-1].bytes
	}
	return 0
}

// endsSending says whether a call is one that may end what its side sends.
func endsSending(c *timeline.Call) bool {
	return c.Errno == "" && c.Arguments().EndsSending()
}

// endsSending says whether a call has ended what its side sends: the look that follows every call has found it. A
// close() does not where the socket has another descriptor, which may be another process's.
func (h *history) endsSending(i int) bool {
	c, is := h.events[i].Body.(*timeline.Call)
	if !is || !endsSending(c) {
		return false
	}
	side := h.events[i].Side
	from, to := h.around(i)
	for _, e := range h.events[from:to] {
		b, is := e.Body.(*timeline.State)
		if !is || e.Side != side || !b.Remote.IsValid() || h.connections(side) > 1 && b.Ends().Client(side) != h.socket[i].client {
			continue
		}
		if b.From != b.To && ends(b.To) && b.To != tcpinfo.CloseWait {
			return true
		}
	}
	return false
}

// around are the events from the call of the same side before it to what that side does next: a call, a note, a check,
// but for one that finds a connection ended. That may stand above the state which it is of.
func (h *history) around(i int) (from, to int) {
	side := h.events[i].Side
	for from = i; from > 0 && !h.isCall(from-1, side); {
		from--
	}
	for to = i + 1; to < len(h.events); to++ {
		if h.events[to].Side != side {
			continue
		}
		switch b := h.events[to].Body.(type) {
		case *timeline.Enter, *timeline.Call, *timeline.Note:
			return from, to
		case *timeline.Check:
			if states, _ := b.States(); len(states) == 0 || !ends(states[0]) || states[0] == tcpinfo.CloseWait {
				return from, to
			}
		}
	}
	return from, to
}

// connected is the address of a socket that has called connect(): it is found by the look that follows every call.
func (h *history) connected(i int, side timeline.Side, to netip.AddrPort) netip.AddrPort {
	from, next := h.around(i)
	for _, e := range h.events[from:next] {
		if b, is := e.Body.(*timeline.State); is && e.Side == side && b.Remote == to {
			taken := slices.ContainsFunc(h.made, func(s *socket) bool { return s.side == side && s.client == b.Local })
			if !taken || b.From == 0 {
				return b.Local
			}
		}
	}
	return netip.AddrPort{}
}

func (h *history) isCall(i int, side timeline.Side) bool {
	_, is := h.events[i].Body.(*timeline.Call)
	return is && h.events[i].Side == side
}

// pair finds the two ends of each connection. Where there is one and no more, no address is needed.
func (h *history) pair() {
	if len(h.made) == 2 && h.made[0].side != h.made[1].side {
		h.peer[h.made[0]], h.peer[h.made[1]] = h.made[1], h.made[0]
		return
	}
	for _, s := range h.made {
		if s.side != timeline.Server || !s.client.IsValid() {
			continue
		}
		for _, c := range h.made { // the first, where the same addresses were used again
			if c.side == timeline.Client && c.client == s.client && h.peer[c] == nil {
				h.peer[c], h.peer[s] = s, c
				break
			}
		}
	}
}

// last is the socket of a side's last call before an event; nil is none.
func (h *history) last(side timeline.Side, before int) *socket {
	for i := before - 1; i >= 0; i-- {
		if h.isCall(i, side) {
			if h.fresh[i] != nil {
				return h.fresh[i]
			}
			return h.socket[i]
		}
	}
	return nil
}

// connections are how many a side has made.
func (h *history) connections(side timeline.Side) (n int) {
	for _, s := range h.made {
		if s.side == side {
			n++
		}
	}
	return n
}

// calls are a side's calls between two events, in their order.
func (h *history) calls(side timeline.Side, from, to int, is func(i int, c *timeline.Call) bool) (list []int) {
	for i := max(from, 0); i < to; i++ {
		if c, ok := h.events[i].Body.(*timeline.Call); ok && h.events[i].Side == side && is(i, c) {
			list = append(list, i)
		}
	}
	return list
}
