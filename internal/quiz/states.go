package quiz

import (
	"fmt"
	"net/netip"
	"slices"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// life is what is known of one socket's states so far.
type life struct {
	client netip.AddrPort // the client's address; invalid, of a listener
	state  tcpinfo.State  // 0: not seen yet
	held   tcpinfo.State  // the last that was checked; 0 is none
	since  int            // the event of that check; -1 is none
	rows   []int          // the changes of state since then
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
	early := map[*life]int{} // a check that a socket is gone, by somebody who knew it before the watcher did
	ask := func(check int, l *life) {
		state, says, _ := expected(h.events[check].Body.(*timeline.Check))
		if q, ok := h.which(check, l, state, says); ok {
			list = append(list, q)
		}
		l.state, l.held, l.since, l.rows = state, state, check, nil
	}
	for i, e := range h.events {
		if e.Side != side {
			continue
		}
		switch b := e.Body.(type) {
		case *timeline.State:
			l := follow(lives, side, b, i)
			if check, is := early[l]; is && b.To == tcpinfo.Closed {
				ask(check, l)
			}
		case *timeline.Check:
			state, _, one := expected(b)
			if !one {
				continue
			}
			if l := h.about(lives, side, i, state); l != nil && l.state == state {
				ask(i, l)
			} else if l != nil && state == tcpinfo.Closed {
				early[l] = i
			}
		}
	}
	return list
}

// about is the socket that a check is about, which it does not say itself: where a side has had several connections,
// that of its last call; nil where it is not known, or where the address has had two.
func (h *history) about(lives map[timeline.Ends]*life, side timeline.Side, check int, state tcpinfo.State) *life {
	among := func(ends timeline.Ends, _ *life) bool { return (state == tcpinfo.Listen) != ends.Remote.IsValid() }
	if h.connections(side) > 1 {
		s := h.last(side, check)
		among = func(_ timeline.Ends, l *life) bool {
			return s != nil && s.client.IsValid() && l.client == s.client && !(l.held == state && state == tcpinfo.Closed)
		}
	}
	var all, there []*life
	for ends, l := range lives {
		if !among(ends, l) {
			continue
		}
		if all = append(all, l); l.state == state {
			there = append(there, l)
		}
	}
	switch {
	case len(there) == 1:
		return there[0]
	case len(all) == 1:
		return all[0]
	}
	return nil
}

func follow(of map[timeline.Ends]*life, side timeline.Side, b *timeline.State, i int) *life {
	l := of[b.Ends()]
	if l == nil || l.state == tcpinfo.Closed && b.From == 0 {
		l = &life{since: -1, client: b.Ends().Client(side)}
		of[b.Ends()] = l
	}
	if b.To != l.state {
		l.rows = append(l.rows, i)
	}
	l.state = b.To
	return l
}

// expected is the state that a check is of, if it is of one and no other, and was met; and what the lesson says of it.
func expected(b *timeline.Check) (state tcpinfo.State, says string, ok bool) {
	states, says := b.States()
	if len(states) != 1 || !b.OK {
		return 0, "", false
	}
	return states[0], says, true
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
	q.Text, q.after = h.setting(side, base, state, l, check)
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
func (h *history) moves(i int, c *timeline.Call, base, state tcpinfo.State) bool {
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
	return h.endsSending(i)
}

// hasFIN says whether a connection in this state has received its peer's FIN.
func hasFIN(s tcpinfo.State) bool {
	return s == tcpinfo.CloseWait || s == tcpinfo.LastAck || s == tcpinfo.Closing || s == tcpinfo.TimeWait
}

// setting says where the question begins, and which events come before it in every run; none if that cannot be said.
func (h *history) setting(side timeline.Side, base, state tcpinfo.State, l *life, check int) (text string, after []int) {
	if l.since >= 0 {
		after = append(after, l.since)
	}
	own := h.calls(side, l.since+1, check, func(i int, c *timeline.Call) bool { return h.moves(i, c, base, state) })
	if base == tcpinfo.Closed {
		return h.opening(side, own, check)
	}
	peers := -1 // the call that has the FIN come
	if peer := h.other(side, l); peer != nil && hasFIN(state) && !hasFIN(base) {
		peers = peer.ends
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

// other is the other end of a connection, if it is known.
func (h *history) other(side timeline.Side, l *life) *socket {
	for end, peer := range h.peer {
		if end.side == side && (h.connections(side) == 1 || end.client == l.client) {
			return peer
		}
	}
	return nil
}

// opening is the setting of a socket that comes out of CLOSED.
func (h *history) opening(side timeline.Side, own []int, check int) (text string, after []int) {
	accepted := h.calls(side, 0, check, func(_ int, c *timeline.Call) bool { return c.Call == "accept4" })
	switch {
	case len(own) == 1 && len(h.calls(side, own[0]+1, check, func(int, *timeline.Call) bool { return true })) == 0:
		return fmt.Sprintf("The %s has called %s.", side, h.spoken(own[0])), []int{h.entry[own[0]]}
	case side == timeline.Server && len(own)+len(accepted) == 0:
		return "A client has called connect(), and the server has not called accept(). What of the server's end of the connection?", []int{0}
	}
	return "", nil
}

// spoken is a call without its descriptor, by its event or by that of its entry.
func (h *history) spoken(i int) string {
	if e, is := h.events[i].Body.(*timeline.Enter); is {
		return spoken(e.Call, e.Arguments())
	}
	c := h.events[i].Body.(*timeline.Call)
	return spoken(c.Call, c.Arguments())
}
