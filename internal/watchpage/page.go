// Package watchpage draws what was seen of anybody's sockets as one page of HTML that needs nothing else, no script
// either: what was found, how many sockets there were, each of them over time, and all that happened.
package watchpage

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"socklife/internal/board"
	"socklife/internal/diagnose"
	"socklife/internal/survey"
	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/internal/watchlog"
)

//go:embed page.html
var markup string

//go:embed page.css
var style string

var page = template.Must(template.New("").Parse(markup))

// So much is on a page at most: no browser shows more well.
const (
	mostRows     = 5000
	mostLooks    = 500
	mostSockets  = 1000
	mostFindings = 200
	mostStates   = 20 // of a socket; no life has as many
	mostOwners   = 8  // of a socket
)

// Page is a sink that keeps what a page shows.
type Page struct {
	Title, Kernel, When string

	Summary  []string
	Findings []finding
	Looks    []look
	Sockets  []*socket
	Rows     []row

	FindingsLeft, LooksLeft, SocketsLeft, RowsLeft int

	lines watchlog.Lines
	turns watchlog.Turns
	by    map[int]*socket // nil of one that there is no room for
	kind  string          // of the events that lines makes rows of
	at    time.Duration
}

type finding struct{ Grade, Mark, Name, Which, Says, Who string }

type look struct {
	At                               string
	Sockets, Stuck, Waiting, Healthy int
	States                           string
}

type socket struct {
	Number                            int
	Grade, Ends, States, Whose, Found string
	StatesLeft                        int
	states                            int
	last                              string
}

type row struct{ At, Kind, Text string }

// New begins a page; kernel is what the sockets are of, "" where that is not known.
func New(title, kernel string) *Page {
	p := &Page{Title: visible(cmp.Or(title, "echoc watch")), Kernel: visible(kernel), by: map[int]*socket{}}
	p.lines.Table = func(*survey.Turn) {}
	p.lines.News = func(l view.Line) { p.row(l) }
	return p
}

// Event takes the next event.
func (p *Page) Event(e timeline.Event) {
	if p.When == "" {
		p.When = e.Time.Add(-e.At.Truncate(time.Microsecond)).Format("2006-01-02 15:04:05 MST")
	}
	p.at, p.kind = e.At.Truncate(time.Microsecond), string(e.Body.Kind())
	switch b := e.Body.(type) {
	case *timeline.Watched:
		p.turns.Event(e)
		p.watched(b)
	case *timeline.State:
		p.moved(b.Socket, timeline.Ends{Local: b.Local, Remote: b.Remote}, fmt.Sprintf("%.6f s %v", p.at.Seconds(), b.To), b.To.String())
		p.turns.Event(e)
	case *timeline.Look:
		p.turns.Event(e)
		p.look(b)
	case *timeline.Tally:
		p.kind = "tally"
	}
	p.lines.Event(e)
}

// look keeps how many there were.
func (p *Page) look(b *timeline.Look) {
	states := visible(board.States(survey.Tally{States: b.States}))
	p.Looks = append(p.Looks, look{fmt.Sprintf("%.1f s", p.at.Seconds()), b.Sockets, b.Stuck, b.Waiting, b.Healthy, states})
	if n := len(p.Looks) - mostLooks; n > 0 {
		p.Looks, p.LooksLeft = p.Looks[n:], p.LooksLeft+n
	}
}

// watched keeps what a look has found of a socket.
func (p *Page) watched(b *timeline.Watched) {
	state := b.To.String()
	if b.What == "gone" {
		state = "gone"
	}
	s := p.moved(b.Socket, timeline.Ends{Local: b.Local, Remote: b.Remote}, fmt.Sprintf("%.1f s %s", p.at.Seconds(), state), state)
	if s == nil && b.What == "gone" {
		delete(p.by, b.Socket) // it does not come again
	}
	if s == nil {
		return
	}
	var names []string
	for i, h := range b.Owners {
		if i == mostOwners {
			names = append(names, fmt.Sprintf("and %d more", len(b.Owners)-i))
			break
		}
		names = append(names, fmt.Sprintf("%s (pid %d, fd %d)", h.Process, h.PID, h.FD))
	}
	if len(names) > 0 {
		s.Whose = visible(strings.Join(names, ", "))
	}
	s.Grade, s.Found = b.Grade, visible(b.Finding)
}

// moved keeps that a socket has come into a state; nil: there is no room for it.
func (p *Page) moved(n int, ends timeline.Ends, says, state string) *socket {
	s, known := p.by[n]
	switch {
	case known:
	case len(p.Sockets) == mostSockets:
		p.SocketsLeft++
		p.by[n] = nil // it is counted once
	default:
		s = &socket{Number: n, Ends: visible(both(ends))}
		p.by[n], p.Sockets = s, append(p.Sockets, s)
	}
	switch {
	case s == nil || s.last == state:
	case s.states == mostStates:
		s.last = state
		s.StatesLeft++
	default:
		if s.last = state; s.States != "" {
			s.States += ", "
		}
		s.States += says
		s.states++
	}
	return s
}

// both are a socket's addresses, its own first.
func both(ends timeline.Ends) string {
	if ends.Remote.Port() == 0 {
		return ends.Local.String()
	}
	return ends.Local.String() + " ↔ " + ends.Remote.String()
}

// row keeps what was shown as a line.
func (p *Page) row(l view.Line) {
	var words []string
	for i, part := range append(slices.Clone(l.Parts), l.Right...) {
		if i > 0 || p.kind == "tally" || p.kind == "note" && len(l.Parts) == 1 { // the first is the time
			words = append(words, visible(part.Text))
		}
	}
	text := strings.TrimSpace(strings.Join(words, " "))
	if p.kind == "tally" {
		if text != "" {
			p.Summary = append(p.Summary, text)
		}
		return
	}
	name := map[string]string{"state": "transition"}
	p.Rows = append(p.Rows, row{fmt.Sprintf("%.6f s", p.at.Seconds()), cmp.Or(name[p.kind], p.kind), text})
	if n := len(p.Rows) - mostRows; n >= mostRows { // not at each one
		p.Rows, p.RowsLeft = slices.Clone(p.Rows[n:]), p.RowsLeft+n
	}
}

// visible has nothing in it that is not seen, or that turns what is around it.
func visible(text string) string {
	return strings.Join(view.Lines([]view.Line{{Parts: []view.Part{{Text: text}}}}, view.Options{Width: 1 << 16}), " ")
}

// Write writes the page, now that all has come.
func (p *Page) Write(w io.Writer) error {
	if n := len(p.Rows) - mostRows; n > 0 {
		p.Rows, p.RowsLeft = p.Rows[n:], p.RowsLeft+n
	}
	last := &survey.Turn{Sockets: p.turns.Sockets()}
	groups := survey.Fold(survey.Groups(last.Entries()), mostFindings)
	for _, g := range groups[:min(mostFindings, len(groups))] {
		p.Findings = append(p.Findings, findingOf(g))
	}
	p.FindingsLeft = len(groups) - len(p.Findings)
	sum := sha256.Sum256([]byte(style))
	return page.Execute(w, struct {
		*Page
		Style     template.CSS
		StyleHash string
	}{p, template.CSS(style), "sha256-" + base64.StdEncoding.EncodeToString(sum[:])})
}

var marks = map[diagnose.Grade]string{diagnose.Stuck: "STUCK", diagnose.Waiting: "WAITS", diagnose.Healthy: "ok"}

func findingOf(g *survey.Group) finding {
	f := finding{Grade: g.Grade.String(), Mark: marks[g.Grade], Name: visible(g.Name), Says: visible(g.Common()), Who: visible(g.Who)}
	f.Which = visible(fmt.Sprintf("%d × %s %s", len(g.Entries), cmp.Or(g.State, "connection"), g.Where))
	if len(g.Entries) == 1 {
		e := g.Entries[0]
		f.Which = visible(e.State.String() + " " + both(timeline.Ends{Local: e.Local, Remote: e.Remote}))
		f.Says = visible(strings.TrimSuffix(e.Finding.Sentence()+"; "+e.Finding.Detail, "; "))
	}
	return f
}
