// Package rfc9293 is TCP's state machine: the transitions of RFC 9293, with what Linux makes of each, and which states
// lie between two that were observed.
package rfc9293

import (
	"slices"

	"socklife/tcpinfo"
)

// States are the eleven, in the order of a connection's life.
var States = []tcpinfo.State{
	tcpinfo.Closed, tcpinfo.Listen, tcpinfo.SynSent, tcpinfo.SynReceived, tcpinfo.Established, tcpinfo.FinWait1,
	tcpinfo.FinWait2, tcpinfo.CloseWait, tcpinfo.Closing, tcpinfo.LastAck, tcpinfo.TimeWait,
}

// Transition is an arrow of RFC 9293's figure 5, of its notes, or of section 3.5.3 (reset processing).
type Transition struct {
	From, To tcpinfo.State
	Linux    bool          // Linux makes it
	When     string        // what brings it about
	Via      tcpinfo.State // the state that Linux passes on the way, within the handling of one segment; mostly none, 0
	Abort    bool          // only an abort makes it: a reset that came or went, or giving up
}

// Transitions are all of them. The figure leaves resets out "for legibility" (note 3); here they are, and marked.
var Transitions = []Transition{
	{From: tcpinfo.Closed, To: tcpinfo.Listen, Linux: true, When: "listen()"},
	{From: tcpinfo.Listen, To: tcpinfo.Closed, Linux: true, When: "close(), or shutdown(SHUT_RD)"},
	{From: tcpinfo.Listen, To: tcpinfo.SynSent, When: "in the figure and not in Linux: connect() on a listener is refused with EISCONN"},
	{From: tcpinfo.Closed, To: tcpinfo.SynSent, Linux: true, When: "connect()"},
	{From: tcpinfo.SynSent, To: tcpinfo.Closed, Linux: true, When: "RST (nobody listens), no answer, or close()"},
	{From: tcpinfo.Listen, To: tcpinfo.SynReceived, Linux: true, When: "a SYN comes; on Linux the listener stays LISTEN and an entry of its own is made"},
	{From: tcpinfo.SynSent, To: tcpinfo.SynReceived, Linux: true, When: "a SYN comes without ACK: simultaneous open"},
	{From: tcpinfo.SynReceived, To: tcpinfo.Established, Linux: true, When: "the ACK of our SYN comes"},
	{From: tcpinfo.SynSent, To: tcpinfo.Established, Linux: true, When: "SYN-ACK comes"},
	{From: tcpinfo.SynReceived, To: tcpinfo.Closed, Linux: true, When: "RST, or no ACK after the last SYN-ACK: the entry is dropped, the listener stays (note 1)"},
	{From: tcpinfo.SynReceived, To: tcpinfo.FinWait1, Linux: true, When: "close() before the ACK of our SYN (simultaneous open); on Linux not shutdown(SHUT_WR)"},
	{From: tcpinfo.Established, To: tcpinfo.FinWait1, Linux: true, When: "close() or shutdown(SHUT_WR)"},
	{From: tcpinfo.Established, To: tcpinfo.CloseWait, Linux: true, When: "FIN comes"},
	{From: tcpinfo.FinWait1, To: tcpinfo.FinWait2, Linux: true, When: "the ACK of our FIN comes"},
	{From: tcpinfo.FinWait1, To: tcpinfo.Closing, Linux: true, When: "FIN comes before the ACK of ours: simultaneous close"},
	{From: tcpinfo.FinWait1, To: tcpinfo.TimeWait, Linux: true, Via: tcpinfo.FinWait2, When: "one segment with FIN and the ACK of ours (note 2)"},
	{From: tcpinfo.FinWait2, To: tcpinfo.TimeWait, Linux: true, When: "FIN comes"},
	{From: tcpinfo.Closing, To: tcpinfo.TimeWait, Linux: true, When: "the ACK of our FIN comes"},
	{From: tcpinfo.CloseWait, To: tcpinfo.LastAck, Linux: true, When: "close() or shutdown(SHUT_WR)"},
	{From: tcpinfo.LastAck, To: tcpinfo.Closed, Linux: true, When: "the ACK of our FIN comes; or RST, or giving up"},
	{From: tcpinfo.TimeWait, To: tcpinfo.Closed, Linux: true, When: "60 s later; or RST, unless tcp_rfc1337 is set"},
	{From: tcpinfo.TimeWait, To: tcpinfo.SynReceived, Linux: true, When: "a new SYN that cannot be an old duplicate (RFC 6191)"},
	{From: tcpinfo.Established, To: tcpinfo.Closed, Linux: true, Abort: true, When: "RST comes or is sent, or giving up (ETIMEDOUT)"},
	{From: tcpinfo.FinWait1, To: tcpinfo.Closed, Linux: true, Abort: true, When: "RST comes or is sent, or giving up"},
	{From: tcpinfo.FinWait2, To: tcpinfo.Closed, Linux: true, When: "RST; or nobody holds it any more and tcp_fin_timeout (TCP_LINGER2) is over"},
	{From: tcpinfo.CloseWait, To: tcpinfo.Closed, Linux: true, Abort: true, When: "RST comes or is sent, or giving up"},
	{From: tcpinfo.Closing, To: tcpinfo.Closed, Linux: true, Abort: true, When: "RST comes, or giving up"},
}

// MayAbort says whether an abort leads from one state to the other in one step, and nothing else does: it cannot be
// known whether the socket was aborted or passed the states of [Ways].
func MayAbort(from, to tcpinfo.State) bool {
	t, _ := Step(from, to)
	return t.Abort
}

// Step is the transition that leads from one state to the other, if there is one.
func Step(from, to tcpinfo.State) (Transition, bool) {
	i := slices.IndexFunc(Transitions, func(t Transition) bool { return t.From == from && t.To == to })
	if i < 0 {
		return Transition{}, false
	}
	return Transitions[i], true
}

// Reachable says whether a connection in one state may still come to another on Linux, aborted or not: a life goes on
// to CLOSED, and what begins there, or over TIME-WAIT, is another one.
func Reachable(from, to tcpinfo.State) bool {
	seen := map[tcpinfo.State]bool{from: true}
	for next := []tcpinfo.State{from}; len(next) > 0; next = next[1:] {
		for _, t := range Transitions {
			if t.From != next[0] || !t.Linux || t.From == tcpinfo.TimeWait && t.To == tcpinfo.SynReceived {
				continue
			}
			if t.To == to {
				return true
			}
			if t.To != tcpinfo.Closed && !seen[t.To] {
				seen[t.To] = true
				next = append(next, t.To)
			}
		}
	}
	return false
}

// Ways are all the ways from one state to another on Linux, within one life and without aborts: for each, the states in
// between, the shorter ones first. Where one step leads there, that is the only way, with nothing in between.
func Ways(from, to tcpinfo.State) (ways [][]tcpinfo.State) {
	if from == to {
		return nil
	}
	for next := [][]tcpinfo.State{{from}}; len(next) > 0; next = next[1:] {
		way := next[0]
		for _, state := range steps(way[len(way)-1], len(way) == 1) {
			switch {
			case state == to:
				ways = append(ways, append([]tcpinfo.State{}, way[1:]...))
			case state != tcpinfo.Closed && !slices.Contains(way, state):
				next = append(next, append(slices.Clip(way), state))
			}
		}
		if len(way) == 1 && len(ways) > 0 {
			return ways
		}
	}
	return ways
}

// Passed sorts the states of several ways: those that are in all of them, and those that are not, each in the order of
// a connection's life.
func Passed(ways [][]tcpinfo.State) (certainly, possibly []tcpinfo.State) {
	for _, state := range States {
		n := 0
		for _, way := range ways {
			if slices.Contains(way, state) {
				n++
			}
		}
		switch {
		case n > 0 && n == len(ways):
			certainly = append(certainly, state)
		case n > 0:
			possibly = append(possibly, state)
		}
	}
	return certainly, possibly
}

// steps are the states that a socket in this one can be in next. A listener's way to SYN-RECEIVED is that of a new
// socket, so it is a beginning and never in the middle of a way.
func steps(state tcpinfo.State, first bool) (next []tcpinfo.State) {
	for _, t := range Transitions {
		listeners := t.From == tcpinfo.Listen && t.To == tcpinfo.SynReceived && !first
		if t.From == state && t.Linux && !t.Abort && t.Via == 0 && !listeners {
			next = append(next, t.To)
		}
	}
	return next
}
