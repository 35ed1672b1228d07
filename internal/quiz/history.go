package quiz

import (
	"slices"

	"socklife/internal/timeline"
)

// history is what a run's calls say of the order that every run has.
type history struct {
	events []timeline.Event
	entry  []int               // of a call: where it was entered, if that has an event of its own; else the call itself
	known  []int               // the last event of the other side that came before it in every run; -1 is none
	socket []*socket           // of a call: what its descriptor leads to
	before []socket            // the same, as it was before the call
	made   []*socket           // the connections
	peer   map[*socket]*socket // their other ends, where there is one connection and no more
}

// socket is what a side's calls have done with one socket so far.
type socket struct {
	side  timeline.Side
	begun int    // the call that made the connection; -1 is none
	eof   bool   // read() has given 0
	shut  bool   // shutdown(SHUT_WR) was called
	wrote int    // calls of write() since read() gave 0
	err   string // what a call gave that shows that the connection is over
	ends  int    // the first call that ends the sending side; -1 is none
	stops int    // the first read() that gave 0 or failed; -1 is none
	sent  []sent
}

// sent says that so many bytes were written when a call had been made.
type sent struct{ bytes, at int }

// enter is the kind of an event that says that a call was entered, where something came between that and its return.
const enter timeline.Kind = "enter"

func newHistory(events []timeline.Event) *history {
	n := len(events)
	h := &history{events: events, entry: make([]int, n), known: make([]int, n), socket: make([]*socket, n), before: make([]socket, n),
		peer: map[*socket]*socket{}}
	open := map[timeline.Side]map[int]*socket{timeline.Client: {}, timeline.Server: {}}
	entered := map[timeline.Side]int{}
	for i, e := range events {
		h.entry[i] = i
		if e.Body.Kind() == enter {
			entered[e.Side] = i
		}
		c, is := e.Body.(*timeline.Call)
		if fds := open[e.Side]; is && fds != nil {
			if at, ok := entered[e.Side]; ok {
				h.entry[i] = at
				delete(entered, e.Side)
			}
			h.call(i, e.Side, c, fds)
		}
	}
	h.pair()
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
		h.made = append(h.made, fds[c.Ret])
	case c.Call == "connect" && (c.Errno == "" || c.Errno == "EINPROGRESS"):
		s.begun = h.entry[i]
		h.made = append(h.made, s)
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
		if s.ends < 0 {
			s.ends = entry
		}
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

// endsSending says whether a call is one that ends what its side sends.
func endsSending(c *timeline.Call) bool {
	return c.Errno == "" && (c.Call == "close" || c.Call == "shutdown" && len(c.Args) > 1 && c.Args[1] != "SHUT_RD")
}

// pair finds the two ends of the connection, where there is one and no more: descriptors do not say which of several a
// call is about.
func (h *history) pair() {
	if len(h.made) == 2 && h.made[0].side != h.made[1].side {
		h.peer[h.made[0]], h.peer[h.made[1]] = h.made[1], h.made[0]
	}
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

// learn follows what goes from one side to the other: what came before a write comes before the read that has its data.
func (h *history) learn() {
	known := map[timeline.Side]int{timeline.Client: -1, timeline.Server: -1}
	arrived := map[*socket]int{}
	for i, e := range h.events {
		c, is := e.Body.(*timeline.Call)
		if s := h.socket[i]; is && s != nil {
			known[e.Side] = max(known[e.Side], h.heard(c, s, arrived))
		}
		h.known[i] = known[e.Side]
	}
}

// heard is the other side's event that a call shows to have been; -1 is none.
func (h *history) heard(c *timeline.Call, s *socket, arrived map[*socket]int) int {
	if c.Call == "accept4" && c.Errno == "" {
		for end, peer := range h.peer {
			if end.side == s.side {
				return peer.begun
			}
		}
		return -1
	}
	peer := h.peer[s]
	if peer == nil || c.Call != "read" && c.Call != "recvfrom" {
		return -1
	}
	if c.Ret <= 0 {
		if c.Ret == 0 || c.Errno == "ECONNRESET" {
			return peer.ends
		}
		return -1
	}
	arrived[s] += c.Ret
	i, _ := slices.BinarySearchFunc(peer.sent, arrived[s], func(w sent, n int) int { return w.bytes - n })
	if i < len(peer.sent) {
		return peer.sent[i].at
	}
	return -1
}

// precedes says whether one event comes before another in every run, or is the same.
func (h *history) precedes(i, j int) bool {
	if h.events[i].Side == h.events[j].Side {
		return i <= j
	}
	return h.known[j] >= i
}

// calls are a side's calls between two events, in their order.
func (h *history) calls(side timeline.Side, from, to int, is func(*timeline.Call) bool) (list []int) {
	for i := max(from, 0); i < to; i++ {
		if c, ok := h.events[i].Body.(*timeline.Call); ok && h.events[i].Side == side && is(c) {
			list = append(list, i)
		}
	}
	return list
}
