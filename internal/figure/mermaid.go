package figure

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// mostMermaid is how long one of the diagrams may be, in bytes: Mermaid draws none of more than 50,000 characters.
const mostMermaid = 45_000

// mostText is how long a text in it may be before it is cut, and noteWide how wide a note: one that is wider hides the
// arrows beside it.
const (
	mostText = 96
	noteWide = 40
)

// Mermaid writes a run as two diagrams, fenced as GitHub wants them: who did and sent what, and the ways of both ends
// through the state diagram.
func Mermaid(w io.Writer, l *ladder.Ladder, o Options) error {
	_, err := io.WriteString(w, "```mermaid\n"+sequence(l, o)+"```\n\n```mermaid\n"+stateDiagram(PathsOf(l, o))+"```\n")
	return err
}

// sequence is a sequenceDiagram.
func sequence(l *ladder.Ladder, o Options) string {
	s := &sequencer{active: map[timeline.Side]int{}}
	s.line("sequenceDiagram")
	if title := view.Clean(l.Title); title != "" {
		s.line("    title %s", mermaidText(title, 2*mostText))
	}
	s.line("    participant client as %s", mermaidText(cmp.Or(view.Clean(l.ClientLabel), "client"), mostText))
	s.line("    participant server as %s", mermaidText(cmp.Or(view.Clean(l.ServerLabel), "server"), mostText))
	if view.Clean(l.Lesson) != "" {
		s.note("client,server", l.Lesson)
	}
	if l.Inferred {
		s.note("client,server", ladder.Dashed)
	}
	if l.IsBare() {
		s.note("client,server", ladder.Bare)
	}
	if l.HasOpen() {
		s.note("client,server", ladder.Unshown)
	}
	rows := rowsOf(l, o)
	for i, r := range rows {
		if s.b.Len() > mostMermaid {
			s.note("client,server", fmt.Sprintf("%d rows more: a diagram that is longer is not drawn. --svg has them all", len(rows)-i))
			break
		}
		s.row(r)
	}
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		for ; s.active[side] > 0; s.active[side]-- {
			s.line("    deactivate %s", side)
		}
	}
	return s.b.String()
}

// sequencer writes the lines of a sequenceDiagram.
type sequencer struct {
	b      strings.Builder
	active map[timeline.Side]int // calls that have not returned
}

func (s *sequencer) line(format string, args ...any) { fmt.Fprintf(&s.b, format+"\n", args...) }

func (s *sequencer) note(over string, texts ...string) {
	var lines []string
	for _, t := range texts {
		for _, l := range wrapped(cut(view.Clean(t), mostText), noteWide) {
			lines = append(lines, mermaidText(l, mostText))
		}
	}
	s.line("    Note over %s: %s", over, strings.Join(lines, "<br/>"))
}

// row writes what a diagram that is no wall has of a row: no queue or timer of a state that stayed.
func (s *sequencer) row(r row) {
	over := "client,server"
	if r.side == timeline.Client || r.side == timeline.Server {
		over = string(r.side)
	}
	switch r.kind {
	case arrow:
		s.arrow(r)
	case enters:
		s.note(over, r.says)
		if over == string(r.side) {
			s.active[r.side]++
			s.line("    activate %s", over)
		}
	case returns:
		s.note(over, r.says)
		if s.active[r.side] > 0 {
			s.active[r.side]--
			s.line("    deactivate %s", over)
		}
	case state:
		if r.turn {
			s.note(over, append([]string{r.says}, r.more[:r.unseen]...)...)
		}
	case backlog:
		if r.turn || len(r.more) > 0 {
			s.note(over, append([]string{r.says}, r.more...)...)
		}
	case heading, outcome:
		s.note("client,server", r.says)
	case call, check:
		s.note(over, r.says)
	}
}

// arrow: seen is a full line, inferred a dashed one; lost ends in a cross, and what may be, in an open head.
func (s *sequencer) arrow(r row) {
	a := r.arrow
	shaft, head := "-", ">>"
	if a.Inferred {
		shaft = "--"
	}
	says := r.says
	switch a.Fate {
	case "dropped":
		head, says = "x", says+" (dropped)"
	case "held", "duplicated":
		says += " (" + a.Fate + ")"
	}
	if a.Fate == "held" || a.Open {
		head = ")"
	}
	s.line("    %s%s%s%s: %s", a.From, shaft, head, a.From.Other(), mermaidText(says, mostText))
}

// stateDiagram is a stateDiagram-v2 with a part for each side that was in some state.
func stateDiagram(p *Paths) string {
	var b, classes strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		w := p.of(side)
		if len(w.Nodes) == 0 {
			continue
		}
		id := func(n *Node) string {
			return string(side) + "_" + strings.ReplaceAll(n.State.String(), "-", "_")
		}
		fmt.Fprintf(&b, "    state \"%s\" as %s {\n", side, side)
		for _, n := range w.Nodes {
			says := n.State.String()
			if n.Unseen {
				says += " (passed unseen)"
				fmt.Fprintf(&classes, "    class %s unseen\n", id(n))
			}
			fmt.Fprintf(&b, "        state \"%s\" as %s\n", says, id(n))
		}
		for _, e := range w.Edges {
			from := "[*]"
			if e.From != nil {
				from = id(e.From)
			}
			fmt.Fprintf(&b, "        %s --> %s", from, id(e.To))
			if says := e.Says(); says != "" {
				fmt.Fprintf(&b, " : %s", mermaidText(says, mostText))
			}
			b.WriteString("\n")
		}
		b.WriteString("    }\n")
	}
	if classes.Len() > 0 {
		b.WriteString("    classDef unseen stroke-dasharray: 5 5\n" + classes.String())
	}
	return b.String()
}

// mermaidText is a text of at most so many runes as Mermaid shows it: what could be read as its syntax, as HTML or as
// Markdown is written as an entity, which is # and the number of the character.
func mermaidText(s string, most int) string {
	var b strings.Builder
	for i, r := range cut(view.Clean(s), most) {
		switch {
		case r == ' ' || r == '(' || r == ')' || r == '.' || r == ',' || r == '/' || r == '_' || r == '=' || r == '|' || r == '+' || r == '→' || r == '-' && i > 0,
			r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return keyword.Replace(b.String())
}

// keyword has the words that Mermaid's lexers look for also where there is text.
var keyword = strings.NewReplacer("end", "e#110;d", "End", "E#110;d", "END", "E#78;D", "style", "styl#101;", "classDef", "classDe#102;")

// cut shortens a text that is longer, and says so with an ellipsis.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
