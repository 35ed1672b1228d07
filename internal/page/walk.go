package page

import (
	"slices"

	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// walk is how a socket came from one state to the next, in the diagram.
type walk struct {
	Way    []tcpinfo.State `json:"way"`              // from the state before to the one now
	Unseen bool            `json:"unseen,omitempty"` // what lies between was passed between two looks
	Says   string          `json:"says,omitempty"`   // what is to be said of that
}

// walk is nil where the state stayed, or is the first that was seen.
func (s *sockets) walk(b *timeline.State) *walk {
	direct := []tcpinfo.State{b.From, b.To}
	switch {
	case b.From == 0:
		return s.child(b)
	case b.From == b.To:
		return nil
	case b.Source == "tracepoint":
		return &walk{Way: direct}
	case rfc9293.MayAbort(b.From, b.To):
		return s.aborted(b)
	}
	ways := s.ways(b)
	switch {
	case len(ways) == 1 && len(ways[0]) == 0:
		return &walk{Way: direct}
	case len(ways) == 1:
		return &walk{Way: slices.Concat([]tcpinfo.State{b.From}, ways[0], []tcpinfo.State{b.To}), Unseen: true, Says: names(ways[0]) + " passed unseen"}
	}
	return &walk{Way: direct, Unseen: true, Says: "the states between them were passed unseen, and there are several ways"}
}

// child is what a listener's new connection has behind it where it is seen for the first time: a SYN that came. (The
// listener stays LISTEN.)
func (s *sockets) child(b *timeline.State) *walk {
	if !b.Remote.IsValid() || !s.listeners[b.Local.Port()] {
		return nil
	}
	switch b.To {
	case tcpinfo.SynReceived:
		return &walk{Way: []tcpinfo.State{tcpinfo.Listen, tcpinfo.SynReceived}}
	case tcpinfo.Established:
		return &walk{Way: []tcpinfo.State{tcpinfo.Listen, tcpinfo.SynReceived, tcpinfo.Established}, Unseen: true, Says: "SYN-RECEIVED passed unseen"}
	}
	return nil
}

// aborted: an abort leads there in one step, and so do closing and the states after it. The program's own calls may
// tell which it was.
func (s *sockets) aborted(b *timeline.State) *walk {
	direct := []tcpinfo.State{b.From, b.To}
	if b.How.Aborted() {
		return &walk{Way: direct}
	}
	ways := rfc9293.Ways(b.From, b.To)
	closed := slices.DeleteFunc(ways, func(way []tcpinfo.State) bool { return len(way) == 0 })
	if arrived := s.finArrived(b.Ends()); len(closed) == 1 && (arrived || b.How == timeline.EndedSecond) {
		says := names(closed[0]) + " passed unseen"
		if !arrived {
			says += ", or aborted"
		}
		return &walk{Way: slices.Concat([]tcpinfo.State{b.From}, closed[0], []tcpinfo.State{b.To}), Unseen: true, Says: says}
	}
	return &walk{Way: direct, Unseen: true, Says: "aborted, or closed with the states between them unseen"}
}

// finArrived: the other end was in TIME-WAIT, so it has had the FIN.
func (s *sockets) finArrived(of timeline.Ends) bool {
	return slices.ContainsFunc(s.all, func(o *socket) bool { return o.ends == of.Other() && o.states[tcpinfo.TimeWait] })
}

// ways are those of the state machine, but for what is known of the other end: a listener's answer is SYN-ACK, and
// never a SYN alone; who connects to himself gets his own SYN.
func (s *sockets) ways(b *timeline.State) [][]tcpinfo.State {
	ways := rfc9293.Ways(b.From, b.To)
	itself := b.Local.Port() != 0 && b.Local == b.Remote
	if itself && b.From == tcpinfo.SynSent && b.To == tcpinfo.Established {
		return [][]tcpinfo.State{{tcpinfo.SynReceived}}
	}
	if b.From != tcpinfo.Closed || !itself && !s.listeners[b.Remote.Port()] {
		return ways
	}
	return slices.DeleteFunc(ways, func(way []tcpinfo.State) bool { return slices.Contains(way, tcpinfo.SynReceived) != itself })
}

func names(states []tcpinfo.State) (s string) {
	for i, state := range states {
		if i > 0 {
			s += ", "
		}
		s += state.String()
	}
	return s
}
