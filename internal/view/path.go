package view

import (
	"slices"
	"strings"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// life is what was told of one socket, from its first state to CLOSED.
type life struct {
	side   timeline.Side
	ends   timeline.Ends
	states []*timeline.State
}

// lives are the sockets of a run, in the order they were met.
type lives []*life

// add takes note of a state. What begins with CLOSED, or is seen for the first time, is another socket with these
// addresses, or another life of this one.
func (ls *lives) add(side timeline.Side, b *timeline.State) {
	if b.From == b.To {
		return
	}
	for _, l := range slices.Backward(*ls) {
		if l.side == side && l.ends == b.Ends() {
			if b.From == 0 || b.From == tcpinfo.Closed {
				break
			}
			l.states = append(l.states, b)
			return
		}
	}
	*ls = append(*ls, &life{side: side, ends: b.Ends(), states: []*timeline.State{b}})
}

// was tells whether the socket was seen in that state.
func (l *life) was(state tcpinfo.State) bool {
	return slices.ContainsFunc(l.states, func(b *timeline.State) bool { return b.From == state || b.To == state })
}

// knows is what is known of the other end of a connection: that it was in TIME-WAIT, so that it has had the FIN; that
// it was a listener.
func (ls lives) knows(of *life) knowledge {
	return knowledge{
		finArrived: slices.ContainsFunc(ls, func(l *life) bool { return l.ends == of.ends.Other() && l.was(tcpinfo.TimeWait) }),
		listened: slices.ContainsFunc(ls, func(l *life) bool {
			return l.was(tcpinfo.Listen) && l.ends.Local.Port() == of.ends.Remote.Port()
		}),
	}
}

// path is the way that a socket went: CLOSED → (SYN-SENT) → ESTABLISHED. What was passed unseen is in parentheses.
func (s symbols) path(l *life, known knowledge) text {
	arrow := " " + glued(s.arrow+" ")
	t := text(nil).add(plain, l.states[0].From.String())
	if l.states[0].From == 0 {
		t, arrow = text(nil).add(dim, "first seen"), " "
	}
	for _, b := range l.states {
		p := passed(b, known)
		if p.way != "" {
			way := strings.TrimSuffix(p.way, ",")
			if p.perhaps != "" {
				way += ", perhaps " + p.perhaps
			}
			t = t.add(dim, arrow+glued("("+s.clean(way)+")"))
		}
		t = t.add(dim, arrow).add(plain, b.To.String())
		if p.ended != "" {
			t = t.add(dim, ", "+s.clean(p.ended))
		}
		arrow = " " + glued(s.arrow+" ")
	}
	return t
}

// shown are those of one side that tell something: the connections, or, if there is none, the listeners.
func (ls lives) shown(side timeline.Side) (of lives) {
	var listeners lives
	for _, l := range ls {
		switch {
		case l.side != side:
		case l.was(tcpinfo.Listen):
			listeners = append(listeners, l)
		default:
			of = append(of, l)
		}
	}
	if len(of) == 0 {
		return listeners
	}
	return of
}

// mostPaths is how many different paths of a side are shown.
const mostPaths = 4

// paths shows the path of states of each side, and of each of its connections where they differ.
func (t *Terminal) paths() {
	unseen := false
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		var ways []text
		by := map[string][]string{} // who went this way
		for _, l := range t.lives.shown(side) {
			way := t.s.path(l, t.lives.knows(l))
			key := new(palette).paint(way)
			if by[key] == nil {
				ways = append(ways, way)
			}
			by[key] = append(by[key], nameOf(side, l.states[len(l.states)-1]))
		}
		for i, way := range ways {
			key := new(palette).paint(way)
			line := text(nil).add(strongHue(side), string(side))
			if i == mostPaths {
				t.lines(wrap(line.pad(sideWide+gap).add(dim, "and "+plural(len(ways)-i, "other way")), t.l.width, 2, 2))
				break
			}
			if len(ways) > 1 || len(by[key]) > 1 {
				line = line.pad(sideWide+gap).add(plain, who(by[key]))
			}
			unseen = unseen || strings.Contains(key, " (")
			t.lines(wrap(line.add(plain, glued("  ")).join("", way), t.l.width, 2, 2+sideWide+gap))
		}
	}
	if unseen {
		t.lines(wrap(text(nil).add(dim, "(in parentheses: passed between two looks, unseen)"), t.l.width, 2+sideWide+gap, 2+sideWide+gap))
	}
}

// nameOf is what a connection is called in the timeline: its name, or the client's port.
func nameOf(side timeline.Side, b *timeline.State) string {
	if b.Name != "" {
		return written(b.Name)
	}
	return port(b.Ends().Client(side))
}

// who are the connections that went one way.
func who(names []string) string {
	if len(names) > 3 {
		return glued(plural(len(names), "connection"))
	}
	return strings.Join(names, ", ")
}

// Paths are the ways that one side's connections went in a run, each once and in plain text: CLOSED → ESTABLISHED → ….
func Paths(events []timeline.Event, side timeline.Side, ascii bool) (ways []string) {
	var all lives
	for _, e := range events {
		if b, ok := e.Body.(*timeline.State); ok && !b.Aside {
			all.add(e.Side, b)
		}
	}
	s := newSymbols(ascii)
	for _, l := range all.shown(side) {
		if way := plainly(new(palette).paint(s.path(l, all.knows(l)))); !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	return ways
}

// plainly is a text that is to be wrapped again, without the marks of where its lines may end.
func plainly(s string) string {
	return strings.NewReplacer(string(nbsp), " ", string(zwsp), "").Replace(s)
}
