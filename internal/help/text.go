package help

import (
	"fmt"
	"io"
	"strings"

	"socklife/internal/view"
)

// Columns between which the help looks as it is meant to; narrower, what a flag does stands below it.
const (
	widest   = 100
	narrow   = 64
	short    = 14 // a first column that a narrow page has room for, too
	leftmost = 2  // where a flag begins
	letter   = 4  // the width of "-q, "
	farthest = 33 // where the second column begins at most
)

// Text writes the help, no line wider than width columns.
func (c *Command) Text(w io.Writer, width int) {
	t := &page{w, max(min(width, widest), 20)}
	t.line(c.Name+" - "+c.What, 2)
	fmt.Fprintln(w)
	var modes []Word
	for _, m := range c.Modes {
		modes = append(modes, Word{c.call(m), m.Does})
	}
	t.table(modes)
	fmt.Fprintln(w)
	t.line(anywhere, 0)
	for _, g := range c.Groups {
		var rows []Word
		for _, f := range g.Flags {
			name := names(f)
			if f.Shorthand == "" {
				name = strings.Repeat(" ", letter) + name
			}
			rows = append(rows, Word{name, does(f)})
		}
		t.titled(g.Title, rows)
	}
	t.titled("How it is written", c.Terms)
	t.titled("Examples", c.Examples)
	t.titled("Exit status", c.Exits)
}

// page is where a help is written to.
type page struct {
	w     io.Writer
	width int
}

func (p *page) titled(title string, rows []Word) {
	if len(rows) > 0 {
		fmt.Fprintln(p.w)
		p.line(title+":", 0)
		p.table(rows)
	}
}

// table writes words and what they mean in two columns; what a word too long for the first means, and all on a narrow
// page, stands below it.
func (p *page) table(rows []Word) {
	column := 0
	for _, r := range rows {
		if n := leftmost + len(r.Word) + 2; n <= farthest {
			column = max(column, n)
		}
	}
	for _, r := range rows {
		word := strings.Repeat(" ", leftmost) + r.Word
		if p.width < narrow && column > short {
			below := leftmost + letter + 2
			p.line(strings.TrimRight(word, " "), below)
			p.line(strings.Repeat(" ", below)+r.Means, below)
			continue
		}
		if len(word)+2 > column {
			p.line(word, column)
			word = ""
		}
		p.line(fmt.Sprintf("%-*s%s", column, word, r.Means), column)
	}
}

// line writes one, wrapped.
func (p *page) line(s string, hang int) {
	fmt.Fprintln(p.w, strings.Join(view.Wrap(s, p.width, hang), "\n"))
}
