package view

import (
	"io"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Words says what happened in an event, in one line without colour, as a [Narrator] does: for where there is a place
// for a line and none for a timeline.
type Words struct{ n *Narrator }

// NewWords returns one that has seen nothing yet.
func NewWords() Words { return Words{NewNarrator(io.Discard, Options{})} }

// Of is the line. What it says of a state also depends on the states of the same socket before.
func (w Words) Of(e timeline.Event) string { return new(palette).paint(w.n.says(e)) }

// Figure is what stands in a figure: what happened, without the time, and what was seen beside it; so many of that say
// how a state was come to, unseen. A state's source is named unless it goes without saying (tcp_info). What it says of
// a state also depends on those of the same socket before.
func (w Words) Figure(e timeline.Event) (says string, more []string, unseen int) {
	line := func(t text) string { return new(palette).paint(t) }
	switch b := e.Body.(type) {
	case *timeline.Enter:
		return line(enterText(b)), nil, 0
	case *timeline.State:
		says = line(w.n.s.transition(e.Side, b))
		if b.Source != tcpInfo {
			says += " (" + w.n.s.clean(b.Source) + ")"
		}
		if way := passed(b, w.n.sockets.knows(b)).String(); way != "" {
			more, unseen = append(more, w.n.s.clean(way)), 1
		}
		for _, t := range w.n.s.details(b, w.n.sockets.remember(b)) {
			more = append(more, line(t))
		}
		return says, more, unseen
	case *timeline.Queue:
		for _, t := range w.n.s.backlog(b) {
			more = append(more, line(t))
		}
		return "", more, 0
	}
	return line(w.n.says(e)), nil, 0
}

// Clean is a string from outside in which nothing can do harm: every rune is one that prose is written with.
func Clean(s string) string { return symbols{}.clean(s) }

// Passed are the states that a socket went through unseen on the way to this one, if there is only one way; else words
// say what is known of it. It is to be asked before Figure, which remembers the state.
func (w Words) Passed(b *timeline.State) (states []tcpinfo.State, says string) {
	known := w.n.sockets.knows(b)
	p := passed(b, known)
	if ways := possibleWays(b, known); p.ended == "" && len(ways) == 1 {
		return ways[0], ""
	}
	return nil, w.n.s.clean(p.String())
}
