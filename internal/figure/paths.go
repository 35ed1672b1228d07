package figure

import (
	"slices"
	"strings"

	"socklife/internal/ladder"
	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/tcpinfo"
)

// Paths are the ways of both ends of a run through the state diagram.
type Paths struct{ Client, Server Way }

// Way is what the sockets of one side went through.
type Way struct {
	Nodes []*Node
	Edges []*Edge
}

// Node is a state.
type Node struct {
	State  tcpinfo.State
	Unseen bool // it was certainly passed, between two looks
}

// Edge is a step from one state to another.
type Edge struct {
	From  *Node // nil: the socket was first seen in To
	To    *Node
	Cause string // the call that made it, or the segment that came; "" where that is not known
	Words string // what is known of a step that was not seen as one, and may have been several
}

// Says is what stands at an edge.
func (e *Edge) Says() string {
	switch {
	case e.From == nil:
		return "first seen"
	case e.Words != "":
		return e.Words
	}
	return e.Cause
}

func (p *Paths) of(side timeline.Side) *Way {
	if side == timeline.Server {
		return &p.Server
	}
	return &p.Client
}

// PathsOf are the paths of a run.
func PathsOf(l *ladder.Ladder, o Options) *Paths {
	p, words := &Paths{}, view.NewWords()
	ended := map[socketID]string{} // the call that ended what a socket sends
	for _, s := range l.Steps {
		switch b := s.Body.(type) {
		case *timeline.Enter:
			takeNote(ended, socketID{s.Side, b.Socket}, b.Call, b.Arguments().How())
		case *timeline.Call:
			takeNote(ended, socketID{s.Side, b.Socket}, b.Call, b.Arguments().How())
		case *timeline.State:
			way, says := words.Passed(b)
			words.Figure(s.Event)
			if b.From == b.To || b.From == 0 && b.To == tcpinfo.Closed || b.Aside && !o.All || !drawable(b) {
				continue
			}
			p.of(s.Side).walk(b, way, says, ended[socketID{s.Side, b.Socket}])
		}
	}
	return p
}

// drawable says whether both states are among the eleven: a record may have others.
func drawable(b *timeline.State) bool {
	_, to := Places[b.To]
	_, from := Places[b.From]
	return to && (from || b.From == 0)
}

// socketID tells sockets apart: a number is one of its side.
type socketID struct {
	side timeline.Side
	n    int
}

// takeNote remembers the first shutdown() or, if there was none, the last close().
func takeNote(ended map[socketID]string, id socketID, call, how string) {
	switch {
	case how != "":
		ended[id] = "shutdown(" + view.Clean(how) + ")"
	case call == "close" && ended[id] == "":
		ended[id] = "close()"
	}
}

// walk goes to a state.
func (w *Way) walk(b *timeline.State, way []tcpinfo.State, says, ended string) {
	if b.From == 0 {
		w.edge(Edge{To: w.node(b.To, false)})
		return
	}
	from := w.node(b.From, false)
	for _, unseen := range way {
		to := w.node(unseen, true)
		w.edge(Edge{From: from, To: to, Cause: cause(from.State, unseen, "", ended)})
		from = to
	}
	e := Edge{From: from, To: w.node(b.To, false), Words: says}
	e.Cause = cause(from.State, b.To, b.How, ended)
	if b.To == tcpinfo.Closed && e.Cause != "" {
		e.Words = "" // it is known how it ended
	}
	w.edge(e)
}

// node is that of a state; it stays seen once it was.
func (w *Way) node(state tcpinfo.State, unseen bool) *Node {
	i := slices.IndexFunc(w.Nodes, func(n *Node) bool { return n.State == state })
	if i < 0 {
		w.Nodes = append(w.Nodes, &Node{state, unseen})
		return w.Nodes[len(w.Nodes)-1]
	}
	w.Nodes[i].Unseen = w.Nodes[i].Unseen && unseen
	return w.Nodes[i]
}

// edge has each step once, however many sockets make it for the same cause.
func (w *Way) edge(e Edge) {
	if !slices.ContainsFunc(w.Edges, func(o *Edge) bool { return *o == e }) {
		w.Edges = append(w.Edges, &e)
	}
}

// comes is the segment that brings a transition about, where nothing else does.
func comes(from, to tcpinfo.State) string {
	if causes := rfc9293.Causes(from, to); len(causes) == 1 {
		return strings.Join(causes[0].Arrives, " ")
	}
	return ""
}

// cause is what brought a transition about: a call of the end itself, or a segment that came to it.
func cause(from, to tcpinfo.State, how timeline.How, ended string) string {
	switch {
	case from == tcpinfo.Closed && to == tcpinfo.SynSent:
		return "connect()"
	case from == tcpinfo.Closed && to == tcpinfo.Listen:
		return "listen()"
	case to == tcpinfo.FinWait1 || to == tcpinfo.LastAck, from == tcpinfo.Listen && to == tcpinfo.Closed:
		return ended
	case from == tcpinfo.LastAck && (how == timeline.EndedSecond || how == timeline.EndedSent):
		return "ACK"
	case to == tcpinfo.Closed && how == timeline.EndedAbort:
		return "close() sends RST"
	case to == tcpinfo.Closed && (how == timeline.EndedTold || how == timeline.EndedByOther):
		return "RST"
	}
	return comes(from, to)
}
