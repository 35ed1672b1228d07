package states

import (
	"fmt"
	"slices"
	"time"
)

// state is what the program told of a socket. Its time is of CLOCK_MONOTONIC.
type state struct {
	seq      int64
	at       time.Duration
	from, to string // from is "" at first sight
	source   string
}

func (s state) String() string {
	return fmt.Sprintf("event %d at %d µs: %s → %s (%s)", s.seq, s.at.Microseconds(), s.from, s.to, s.source)
}

// late is how late a state may be told that was true when the kernel was asked: whoever asked may lose the CPU before
// he looks at his clock, for more than a second where forty others want it. What this lets through is out of order.
const late = 10 * time.Second

// held holds what was told of one socket against the lives that the tracepoint has between its addresses. resets are
// the times at which an RST reached it; early is by how much the clocks may differ. It counts what the tracepoint
// itself confirmed, and tells what is wrong.
func held(told []state, lives []life, resets []time.Duration, early time.Duration) (confirmed int, wrong []string) {
	var at, in int    // where in the tracepoint's account the last confirmed state was: which life, which span
	var before string // what was told before
	for _, s := range told {
		if before != "" && s.from != before {
			wrong = append(wrong, fmt.Sprintf("%v: it was %s before", s, before))
		}
		before = s.to
		if l, i, ok := find(lives, at, in, s, early); ok {
			at, in = l, i
			confirmed++
		} else if why := small(s, told, lives, resets, early); why != "" {
			wrong = append(wrong, fmt.Sprintf("%v: %s", s, why))
		}
	}
	return confirmed, wrong
}

// find looks for a span that confirms a state, not before where the last one was found.
func find(lives []life, at, in int, s state, early time.Duration) (l, i int, ok bool) {
	for l = at; l < len(lives); l++ {
		for i = range lives[l] {
			sp := lives[l][i]
			if (l > at || i >= in) && sp.state == s.to && sp.from <= s.at+early && (sp.to == forever || s.at-late <= sp.to) {
				return l, i, true
			}
		}
	}
	return 0, 0, false
}

// handover is how long the small entry of a connection can be found before the tracepoint has the full socket gone:
// tcp_time_wait() makes the one, and ends the other after that.
const handover = time.Millisecond

// small judges a state of which there is no full socket; "" is right.
func small(s state, told []state, lives []life, resets []time.Duration, early time.Duration) (why string) {
	open := slices.ContainsFunc(lives, func(l life) bool { return l.begins() <= s.at && s.at+early < l.last().to })
	if s.to == "TIME-WAIT" || s.to == "FIN-WAIT-2" {
		early = max(early, handover)
	}
	before := slices.DeleteFunc(slices.Clone(lives), func(l life) bool { return l.last().to > s.at+early })
	after := slices.ContainsFunc(lives, func(l life) bool { return l.begins() > s.at })
	ended := ""
	if len(before) > 0 {
		ended = before[len(before)-1].last().state
	}
	closer := ended == "FIN-WAIT-1" || ended == "FIN-WAIT-2" || ended == "CLOSING"
	reset := slices.ContainsFunc(resets, func(at time.Duration) bool { return at <= s.at+late })
	switch s.to {
	case "SYN-RECEIVED":
		if !after && !open && len(before) > 0 {
			return "the connection is long over"
		}
		return "" // an entry of the listener
	case "TIME-WAIT":
		if !closer {
			return fmt.Sprintf("the socket has not closed first: its last state was %q", ended)
		}
		return ""
	case "FIN-WAIT-2":
		if ended != "FIN-WAIT-2" || slices.ContainsFunc(told, func(o state) bool { return o.to == "TIME-WAIT" && o.seq < s.seq }) {
			return fmt.Sprintf("the socket's last state was %q", ended)
		}
		return ""
	case "CLOSED":
		switch {
		case open:
			return "the kernel has the connection"
		case after && s.from == "SYN-RECEIVED":
			return "the kernel completes the connection later"
		case closer && !reset:
			return "the kernel keeps TIME-WAIT for a minute, and no RST has come"
		}
		return ""
	}
	return "the tracepoint never had this then"
}
