package view

import (
	"io"

	"socklife/internal/timeline"
)

// Words says what happened in an event, in one line without colour, as a [Narrator] does: for where there is a place
// for a line and none for a timeline.
type Words struct{ n *Narrator }

// NewWords returns one that has seen nothing yet.
func NewWords() Words { return Words{NewNarrator(io.Discard, Options{})} }

// Of is the line. What it says of a state also depends on the states of the same socket before.
func (w Words) Of(e timeline.Event) string { return new(palette).paint(w.n.says(e)) }
