package quiz

import (
	"fmt"
	"slices"
	"strings"

	"socklife/internal/explain"
	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// life is what is known of one socket's states so far.
type life struct {
	state tcpinfo.State // 0: not seen yet
	held  tcpinfo.State // the last that was checked; 0 is none
	since int           // the event of that check; -1 is none
	rows  []int         // the changes of state since then
}

// states are the questions which state comes: those that the lesson expects, and that were checked.
func states(h *history) (list []candidate) {
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		list = append(list, h.states(side)...)
	}
	return list
}

func (h *history) states(side timeline.Side) (list []candidate) {
	lives := map[timeline.Ends]*life{}
	early := -1 // a check that a socket is gone, by somebody who knew it before the watcher did
	ask := func(check int, l *life) {
		state, says, _ := expected(h.events[check].Body.(*timeline.Check))
		if q, ok := h.which(check, l, state, says); ok {
			list = append(list, q)
		}
		*l = life{state: state, held: state, since: check}
	}
	for i, e := range h.events {
		if e.Side != side {
			continue
		}
		switch b := e.Body.(type) {
		case *timeline.State:
			l := follow(lives, b, i)
			if early >= 0 && b.To == tcpinfo.Closed && b.Remote.IsValid() {
				ask(early, l)
				early = -1
			}
		case *timeline.Check:
			state, _, one := expected(b)
			if one && (state == tcpinfo.Closed || state == tcpinfo.TimeWait) && h.connections(side) > 1 {
				continue // which of several have come there by now depends on how fast all goes
			}
			if l, n := only(lives, state); one && n == 1 {
				ask(i, l)
			} else if one && n == 0 && state == tcpinfo.Closed {
				early = i
			}
		}
	}
	return list
}

func follow(of map[timeline.Ends]*life, b *timeline.State, i int) *life {
	l := of[b.Ends()]
	if l == nil || l.state == tcpinfo.Closed && b.From == 0 {
		l = &life{since: -1}
		of[b.Ends()] = l
	}
	if b.To != l.state {
		l.rows = append(l.rows, i)
	}
	l.state = b.To
	return l
}

// only is the socket of a side that is in the state, if there is no other: a check does not say which it is about.
// Those that were CLOSED at a check before do not count.
func only(of map[timeline.Ends]*life, state tcpinfo.State) (found *life, n int) {
	for _, l := range of {
		if l.state == state && (state != tcpinfo.Closed || l.held != state) {
			found = l
			n++
		}
	}
	return found, n
}

// expected is the state that a check is of, if it is of one and no other, and was met; and what the lesson says of it.
func expected(b *timeline.Check) (state tcpinfo.State, says string, ok bool) {
	name, says, ok := strings.Cut(b.Expect, ": ")
	state, err := tcpinfo.ParseState(name)
	met := strings.HasPrefix(b.Got, name) || state == tcpinfo.Closed && strings.HasPrefix(b.Got, "gone")
	return state, says, ok && b.OK && err == nil && met && name == strings.ToUpper(name)
}

// which is the question which state a socket is in at a check.
func (h *history) which(check int, l *life, state tcpinfo.State, says string) (q candidate, ok bool) {
	base := l.held
	if base == 0 && ends(state) {
		base = tcpinfo.Established // nothing ends that was not there
	}
	if base == 0 {
		base = tcpinfo.Closed
	}
	at := h.leaves(l, base)
	if at < 0 || base == state {
		return q, false
	}
	side := h.events[check].Side
	row := h.events[at].Body.(*timeline.State)
	q.Question = Question{At: min(at, check), Side: side, About: "the socket " + row.Local.String(), Choices: []Choice{stateChoice(state)}}
	q.by, q.spoils, q.weight = check, -1, 2
	if base == tcpinfo.Closed {
		q.weight = 0.5 // that is easy
	}
	q.Text, q.after = h.setting(side, base, state, l.since, check)
	if cause := slices.Max(append(q.after, -1)); cause >= at { // the other side's: not before it is seen
		q.At = max(q.At, min(cause+1, l.rows[len(l.rows)-1], check))
	}
	q.Text += " In which state is it once nothing is under way any more?"
	q.Why = reason(base, state, says)
	for _, s := range others(base, state) {
		q.wrong = append(q.wrong, stateChoice(s))
	}
	return q, len(q.after) > 0 && len(q.wrong) >= 3
}

// leaves is the first change that leads away from the state that a socket was in; -1 is none.
func (h *history) leaves(l *life, base tcpinfo.State) int {
	for _, i := range l.rows {
		to := h.events[i].Body.(*timeline.State).To
		opens := to == tcpinfo.SynSent || to == tcpinfo.SynReceived || to == tcpinfo.Established
		if to != base && !(base == tcpinfo.Established && opens) {
			return i
		}
	}
	return -1
}

// ends says whether a state belongs to a connection's end.
func ends(s tcpinfo.State) bool {
	return s != tcpinfo.Listen && s != tcpinfo.SynSent && s != tcpinfo.SynReceived && s != tcpinfo.Established
}

// moves says whether a call of the side itself may be the beginning of the way from one state to the other.
func moves(c *timeline.Call, base, state tcpinfo.State) bool {
	switch {
	case state == tcpinfo.Listen:
		return c.Call == "listen"
	case base == tcpinfo.Closed:
		return c.Call == "connect"
	case !ends(state):
		return false
	case base == tcpinfo.Established && state == tcpinfo.CloseWait, base == tcpinfo.FinWait1, base == tcpinfo.FinWait2, base == tcpinfo.Closing:
		return false
	}
	return endsSending(c)
}

// hasFIN says whether a connection in this state has received its peer's FIN.
func hasFIN(s tcpinfo.State) bool {
	return s == tcpinfo.CloseWait || s == tcpinfo.LastAck || s == tcpinfo.Closing || s == tcpinfo.TimeWait
}

// setting says where the question begins, and which events come before it in every run; none if that cannot be said.
func (h *history) setting(side timeline.Side, base, state tcpinfo.State, since, check int) (text string, after []int) {
	if since >= 0 {
		after = append(after, since)
	}
	own := h.calls(side, since+1, check, func(c *timeline.Call) bool { return moves(c, base, state) })
	if base == tcpinfo.Closed {
		return h.opening(side, own, check)
	}
	peers := -1 // the call that has the FIN come
	for end, peer := range h.peer {
		if end.side == side && hasFIN(state) && !hasFIN(base) {
			peers = peer.ends
		}
	}
	was := fmt.Sprintf("The %s's end was in %s", side, base)
	switch {
	case len(own) == 1:
		after = append(after, h.entry[own[0]])
		text = fmt.Sprintf("%s when the %s called %s.", was, side, h.spoken(own[0]))
	case peers >= 0:
		text = fmt.Sprintf("%s when the %s called %s.", was, side.Other(), h.spoken(peers))
	default:
		text = fmt.Sprintf("The %s's end is in %s.", side, base)
	}
	if peers >= 0 {
		after = append(after, peers)
	}
	if len(after) == 0 { // the beginning of everything is before it
		after = append(after, 0)
	}
	return text, after
}

// opening is the setting of a socket that comes out of CLOSED.
func (h *history) opening(side timeline.Side, own []int, check int) (text string, after []int) {
	accepted := h.calls(side, 0, check, func(c *timeline.Call) bool { return c.Call == "accept4" })
	switch {
	case len(own) == 1 && len(h.calls(side, own[0]+1, check, func(*timeline.Call) bool { return true })) == 0:
		return fmt.Sprintf("The %s has called %s.", side, h.spoken(own[0])), []int{h.entry[own[0]]}
	case side == timeline.Server && len(own)+len(accepted) == 0:
		return "A client has called connect(), and the server has not called accept(). What of the server's end of the connection?", []int{0}
	}
	return "", nil
}

func (h *history) spoken(i int) string {
	for ; ; i++ { // a call stands behind its entry
		if c, is := h.events[i].Body.(*timeline.Call); is {
			return spoken(c)
		}
	}
}

// others are the states that are wrong: not on the way, nor what comes of it when the other side goes on.
func others(base, state tcpinfo.State) (list []tcpinfo.State) {
	if state == tcpinfo.Listen {
		return []tcpinfo.State{tcpinfo.Closed, tcpinfo.SynReceived, tcpinfo.Established, tcpinfo.SynSent}
	}
	if state == tcpinfo.Closed {
		list = []tcpinfo.State{base, tcpinfo.TimeWait, tcpinfo.FinWait2, tcpinfo.Closing}
		if base == tcpinfo.SynSent || base == tcpinfo.SynReceived {
			list = []tcpinfo.State{base, tcpinfo.Listen, tcpinfo.Established, tcpinfo.TimeWait}
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	for _, s := range []tcpinfo.State{base, tcpinfo.Listen, tcpinfo.SynReceived, tcpinfo.Established, tcpinfo.FinWait1, tcpinfo.FinWait2,
		tcpinfo.CloseWait, tcpinfo.Closing, tcpinfo.LastAck, tcpinfo.TimeWait, tcpinfo.Closed} {
		between := s != base && s != tcpinfo.Closed && rfc9293.Reachable(base, s) && rfc9293.Reachable(s, state)
		later := s != tcpinfo.Closed && state != s && rfc9293.Reachable(state, s) || s == tcpinfo.Closed && state == tcpinfo.LastAck
		early := ends(state) && (s == tcpinfo.Listen || s == tcpinfo.SynReceived) // nobody would think so
		if state == tcpinfo.Established {
			between, later = false, ends(s) && s != tcpinfo.Closed
		}
		if s != state && !between && !later && !early && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func stateChoice(s tcpinfo.State) Choice {
	if s == tcpinfo.Closed {
		return Choice{"CLOSED", "nothing is left: there is no connection any more"}
	}
	return Choice{s.String(), explain.State(s).Waits}
}

// reason is why it is that state: what the lesson says, and the state machine's words for the way, where there is one.
func reason(base, state tcpinfo.State, says string) string {
	text := sentence(says)
	if base == tcpinfo.Closed { // which way depends on the side
		return text + " " + explain.State(state).Waits
	}
	if ways := rfc9293.Ways(base, state); len(ways) == 1 && state != tcpinfo.Closed {
		from := base
		var steps []string
		for _, to := range append(slices.Clone(ways[0]), state) {
			steps = append(steps, fmt.Sprintf("%s to %s: %s", from, to, when(from, to)))
			from = to
		}
		text += " " + strings.Join(steps, "; ") + "."
	}
	return text
}

func when(from, to tcpinfo.State) string {
	for _, t := range rfc9293.Transitions {
		if t.From == from && t.To == to {
			return t.When
		}
	}
	return ""
}

// sentence is a clause with a capital letter and a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	if word, _, _ := strings.Cut(s, " "); !strings.Contains(word, "(") { // a call is written as it is
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	return strings.TrimSuffix(s, ".") + "."
}
