package quiz

import (
	"fmt"
	"slices"
	"strings"

	"socklife/internal/explain"
	"socklife/internal/rfc9293"
	"socklife/tcpinfo"
)

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
	t, _ := rfc9293.Step(from, to)
	return t.When
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
