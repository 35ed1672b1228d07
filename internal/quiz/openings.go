package quiz

import (
	"fmt"
	"slices"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// opened are the questions who makes a connection: where there is one, which connect() makes and accept() fetches.
func opened(h *history) (list []candidate) {
	accepted := slices.ContainsFunc(h.fresh, func(s *socket) bool { return s != nil })
	if h.connections(timeline.Client) != 1 || h.connections(timeline.Server) != 1 || !accepted {
		return nil
	}
	there := false // the server's end was found in ESTABLISHED before any accept()
	for i, e := range h.events {
		switch b := e.Body.(type) {
		case *timeline.Check:
			state, _, one := expected(b)
			there = there || one && state == tcpinfo.Established && e.Side == timeline.Server
		case *timeline.Call:
			switch {
			case b.Call == "connect" && b.Errno == "" && e.Side == timeline.Client:
				list = append(list, h.who(i, "connect", "Which segment is the first, and who sends it?", begins, 0.8,
					"connect() is the active open: it goes from CLOSED to SYN-SENT with a SYN. The server's kernel answers by itself, as long as somebody listens."))
			case b.Call == "accept4" && b.Errno == "" && e.Side == timeline.Server && there:
				list = append(list, h.who(i, "accept", "What does its kernel send for it?", fetches, 2.5,
					"The server's end was in ESTABLISHED before: the two kernels made the connection, and accept() takes it out of the queue."))
			}
		}
	}
	return list
}

// What may begin a connection, and what accept() may do; the first is right.
var (
	begins = []Choice{
		{"a SYN, by the client's kernel", "the client asks, with its initial sequence number"},
		{"a SYN, by the server's kernel", "a server that listens waits; it sends nothing on its own account"},
		{"an ACK, by the client's kernel", "there is nothing yet that it could acknowledge: the ACK is the third segment"},
		{"a SYN-ACK, by the server's kernel", "that answers a SYN: it is the second segment"},
	}
	fetches = []Choice{
		{"nothing: the connection is there already", "accept() gives the application a descriptor for a connection that the kernel has completed"},
		{"the SYN-ACK", "the kernel answers a SYN as soon as somebody listens, and does not wait for accept()"},
		{"the ACK that completes the handshake", "that comes from the client's kernel, and the server's needs no accept() to take it"},
		{"a segment that tells the client that it was accepted", "TCP has none: a client does not know whether accept() was called"},
	}
)

// who is such a question.
func (h *history) who(i int, call, asks string, choices []Choice, weight float64, why string) candidate {
	side := h.events[i].Side
	return candidate{
		Question: Question{At: h.entry[i], Side: side, About: fmt.Sprintf("%s(%d, ...)", call, h.events[i].Body.(*timeline.Call).FD),
			Text: fmt.Sprintf("Now the %s calls %s(). %s", side, call, asks), Choices: choices[:1:1], Why: why},
		wrong: choices[1:], after: []int{h.entry[i]}, by: h.entry[i], spoils: -1, weight: weight,
	}
}
