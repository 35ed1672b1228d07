package view

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// tcpInfo is the source that goes without saying: a terminal's head says so once, for all rows.
const tcpInfo = "tcp_info"

// transition is what a look found: ESTABLISHED → FIN-WAIT-2, or one state where nothing else is known or it did not
// change.
func (s symbols) transition(side timeline.Side, b *timeline.State) text {
	to := b.To.String()
	switch {
	case b.From == b.To || b.From == 0 && b.To == tcpinfo.Closed:
		return text(nil).add(strongHue(side), to)
	case b.From == 0:
		return text(nil).add(dim, "first seen ").add(strongHue(side), to)
	}
	return text(nil).add(hue(side), b.From.String()).add(dim, glued(" ")+s.arrow+" ").add(strongHue(side), to)
}

// details are what the source said beyond the state. What is at rest (an empty queue, no timer) is left out, unless
// that is the news: the state is the same as before and then it was not.
func (s symbols) details(b, before *timeline.State) (items []text) {
	say := func(format string, args ...any) {
		items = append(items, text(nil).add(plain, glued(fmt.Sprintf(format, args...))))
	}
	was := &timeline.State{}
	if before != nil && b.From == b.To {
		was = before
	}
	switch {
	case b.Timer != "":
		items = append(items, text(nil).add(plain, timerWords(s, b)))
	case was.Timer != "" && b.RecvQ != nil: // the source that knows timers and queues was asked
		say("timer off")
	}
	queue := func(name string, now, then *uint32) {
		if now != nil && (*now != 0 || then != nil && *then != 0) {
			say("%s %d", name, *now)
		}
	}
	if b.Retrans != nil && (*b.Retrans != 0 || was.Retrans != nil && *was.Retrans != 0) {
		say("retrans %d", *b.Retrans)
	}
	queue("Recv-Q", b.RecvQ, was.RecvQ)
	queue("Send-Q", b.SendQ, was.SendQ)
	for _, bit := range b.Shutdown {
		say("%s", s.clean(bit))
	}
	return items
}

// passage is how a socket came from one look's state to the next one's.
type passage struct {
	way     string // the states that it certainly passed, unseen
	perhaps string // and those that it may have
	ended   string // what is to be said where it may have been aborted instead, or was
}

// String is the passage in words.
func (p passage) String() string {
	switch {
	case p.ended != "":
		return p.ended
	case p.way == "":
		return ""
	case p.perhaps != "":
		return p.way + " passed unseen, perhaps " + p.perhaps
	}
	return p.way + " passed unseen"
}

// passed says which states the socket went through between two looks. Where it may have been aborted instead, that is
// said too, unless the peer has had its FIN, or the calls of this program tell. Between two
// transitions of the tracepoint's nothing is passed.
func passed(b *timeline.State, known knowledge) passage {
	if b.Source == "tracepoint" || b.From == 0 {
		return passage{}
	}
	ways := possibleWays(b, known)
	states, perhaps := inBetween(ways)
	aborts := rfc9293.MayAbort(b.From, b.To)
	if told := ending(b); aborts && states != "" && told != (passage{}) {
		return told
	}
	switch {
	case aborts && len(ways) > 1 && known.finArrived:
		return passage{ended: "closed unseen: its FIN came"}
	case aborts && len(ways) > 1:
		return passage{ended: "aborted, or closed unseen"}
	case aborts && !(b.From == tcpinfo.CloseWait && known.finArrived):
		return passage{ended: states + " unseen, or aborted"}
	}
	return passage{way: states, perhaps: perhaps}
}

// knowledge is what is known of the other end of a connection.
type knowledge struct {
	finArrived bool // it has had the FIN
	listened   bool // it was a listener: no SYNs have crossed
}

// possibleWays are those of the state machine, but for what is known of both ends: a listener answers with SYN-ACK, and
// who connects to himself gets his own SYN.
func possibleWays(b *timeline.State, known knowledge) [][]tcpinfo.State {
	if b.From != tcpinfo.Closed && b.From != tcpinfo.SynSent {
		return rfc9293.Ways(b.From, b.To)
	}
	itself := b.Local.Port() != 0 && b.Local == b.Remote
	if itself && b.From == tcpinfo.SynSent && b.To == tcpinfo.Established {
		return [][]tcpinfo.State{{tcpinfo.SynReceived}}
	}
	return slices.DeleteFunc(rfc9293.Ways(b.From, b.To), func(way []tcpinfo.State) bool {
		crossed := slices.Contains(way, tcpinfo.SynReceived)
		return crossed && known.listened || !crossed && itself
	})
}

// inBetween names the states of one way, or of several of the same length: FIN-WAIT-1, then FIN-WAIT-2 or CLOSING. Of
// ways of different lengths it names those that are in all of them, and apart from them those that are not.
func inBetween(ways [][]tcpinfo.State) (names, perhaps string) {
	if len(ways) == 0 || len(ways[0]) == 0 {
		return "", ""
	}
	if len(ways[len(ways)-1]) > len(ways[0]) {
		certainly, possibly := rfc9293.Passed(ways)
		if len(certainly) == 0 {
			return timeline.Joined(possibly, " or "), ""
		}
		return timeline.Joined(certainly, " and "), timeline.Joined(possibly, " or ")
	}
	if len(ways) == 1 {
		return timeline.Joined(ways[0], " and "), ""
	}
	steps := make([]string, len(ways[0]))
	for i := range steps {
		var here []tcpinfo.State
		for _, w := range ways {
			if !slices.Contains(here, w[i]) {
				here = append(here, w[i])
			}
		}
		steps[i] = timeline.Joined(here, " or ")
	}
	end := ""
	if len(steps) > 1 {
		end = ","
	}
	return strings.Join(steps, ", then ") + end, ""
}

// backlog is a listener's queues: accept queue 1/128, SYN queue 2. The accept queue is full when it holds one more than
// its limit.
func (s symbols) backlog(q *timeline.Queue) (items []text) {
	accept := fmt.Sprintf("accept queue %d/%d", q.AcceptQueue, q.AcceptLimit)
	if q.Full() {
		accept += " (full)"
	}
	items = append(items, text(nil).add(plain, glued(accept)))
	if q.SynQueue != nil && *q.SynQueue > 0 {
		items = append(items, text(nil).add(plain, glued("SYN queue "+strconv.Itoa(*q.SynQueue))))
	}
	return items
}

// port is the ":40112" of an address, "" where there is none.
func port(addr netip.AddrPort) string {
	if addr.Port() == 0 {
		return ""
	}
	return ":" + strconv.Itoa(int(addr.Port()))
}
