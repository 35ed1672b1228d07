// Package figure draws a run, as a ladder, for documents: as Mermaid, which GitHub draws, and as SVG; and the state
// diagram with the ways that both ends went.
package figure

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// kind is what a row of a figure is.
type kind int

const (
	call kind = iota
	enters
	returns // of a call that has a row where it entered
	state
	backlog
	check // that was not met
	note
	heading
	outcome
	arrow
)

// row is what a figure has of a step: its texts have nothing in them that was not made for reading.
type row struct {
	kind
	at    time.Duration
	side  timeline.Side
	says  string
	more  []string
	arrow *ladder.Arrow

	turn   bool // a state that is another than before; a queue that is full
	unseen int  // of more: how a state was come to
}

// Options say what a figure shows.
type Options struct {
	All bool // also how both sides agree on the next step
}

// rowsOf are the rows of a run, in its order.
func rowsOf(l *ladder.Ladder, o Options) (rows []row) {
	words, many := view.NewWords(), connections(l) > 1
	for _, s := range l.Steps {
		r := row{at: s.At, side: s.Side}
		if s.Body != nil { // also of what is left out: what it says depends on those before
			r.says, r.more, r.unseen = words.Figure(s.Event)
		}
		if s.Arrow != nil {
			if !s.Arrow.Aside || o.All {
				rows = append(rows, arrowRow(r, s.Arrow, many))
			}
			continue
		}
		label := timeline.LabelOf(s.Body)
		if label != nil && label.Aside && !o.All {
			continue
		}
		if r.of(s.Body) {
			r.says = tag(s.Side, label, s.Body, many) + r.says
			rows = append(rows, r)
		}
	}
	return fold(rows)
}

// of says what kind of row an event is; false if it is none.
func (r *row) of(body timeline.Body) bool {
	switch b := body.(type) {
	case *timeline.Enter:
		r.kind = enters
	case *timeline.Call:
		r.kind = call
		if b.Split {
			r.kind = returns
		}
	case *timeline.State:
		r.kind, r.turn = state, b.From != 0 && b.From != b.To
	case *timeline.Queue:
		r.kind, r.turn = backlog, b.Full()
		if len(r.more) > 0 {
			r.says, r.more = r.more[0], r.more[1:]
		}
	case *timeline.Check:
		r.kind, r.says = check, "✗ expected "+view.Clean(b.Says())+", got "+view.Clean(b.Got)
		return !b.OK
	case *timeline.Note:
		r.kind, r.says = note, view.Clean(b.Text)
		if b.Heading {
			r.kind = heading
		}
	case *timeline.Summary:
		r.kind = outcome
	default:
		return false
	}
	return true
}

// arrowRow has on the arrow what the segment says, and below it what its marks and options add.
func arrowRow(r row, a *ladder.Arrow, many bool) row {
	r.kind, r.arrow, r.side = arrow, a, a.From
	r.says = view.Clean(a.Says)
	for _, m := range a.More {
		r.more = append(r.more, view.Clean(m))
	}
	r.says = named(a.Label, a.Ends.Client(a.From), many) + r.says
	return r
}

// tag is how the socket of a row is called, where a run has several. Of a call, only the lesson's word: its descriptor
// says the rest.
func tag(side timeline.Side, label *timeline.Label, body timeline.Body, many bool) string {
	client := netip.AddrPort{}
	if b, ok := body.(*timeline.State); ok && b.Remote.IsValid() {
		client = b.Ends().Client(side)
	}
	if label == nil {
		label = &timeline.Label{}
	}
	return named(*label, client, many)
}

// named is a connection's name or else its client's port.
func named(l timeline.Label, client netip.AddrPort, many bool) string {
	switch {
	case !many:
		return ""
	case l.Name != "":
		return view.Clean(l.Name) + ": "
	case client.Port() != 0:
		return fmt.Sprintf(":%d: ", client.Port())
	}
	return ""
}

// connections is how many the lesson has.
func connections(l *ladder.Ladder) int {
	var pairs []timeline.Ends
	for _, s := range l.Steps {
		b, ok := s.Body.(*timeline.State)
		if !ok || b.Aside || !b.Remote.IsValid() || b.Local.Port() == 0 {
			continue
		}
		if e := b.Ends(); !slices.Contains(pairs, e) && !slices.Contains(pairs, e.Other()) {
			pairs = append(pairs, e)
		}
	}
	return len(pairs)
}
