// Package board shows a turn of a survey: what is worst first, what is the same together, and no more lines than there
// is room for.
package board

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"socklife/internal/diagnose"
	"socklife/internal/survey"
	"socklife/internal/view"
	"socklife/tcpinfo"
)

// Options say how.
type Options struct {
	view.Options
	Height int    // lines; 0: as many as it takes
	Title  string // what is watched: echoc watch :8080
	Note   string // what there is to say of the watching itself
}

// detail is how much is shown of a group, from the most to the least.
type detail int

const (
	threeEach detail = iota // of its sockets
	oneEach
	noneEach
	oneLine
	nameOnly
)

// manyGroups is how many groups there may be where there is room for everything.
const manyGroups = 40

// Table shows a turn.
func Table(t *survey.Turn, o Options) []string {
	head := headLines(t, o)
	groups := survey.Fold(survey.Groups(t.Entries()), manyGroups)
	for d := threeEach; d <= oneLine; d++ {
		lines := view.Lines(append(slices.Clone(head), groupLines(groups, d)...), o.Options)
		if o.Height == 0 || len(lines) <= o.Height {
			return lines
		}
	}
	// Names alone, and where that is too much some become one; what has no room then is counted.
	above := view.Lines(append(head, view.Line{Hang: 2, Parts: []view.Part{{Tone: view.Dim, Text: "echoc --explain NAME says what each is"}}}), o.Options)
	room := max(o.Height-len(above), 1)
	groups = survey.Fold(groups, room)
	var lines []string
	for i, g := range groups {
		own := view.Lines(groupLines([]*survey.Group{g}, nameOnly), o.Options)
		if rest := i < len(groups)-1; len(lines)+len(own) > room || rest && len(lines)+len(own) > room-1 {
			lines = append(lines, view.Lines([]view.Line{more(groups[i:])}, o.Options)...)
			break
		}
		lines = append(lines, own...)
	}
	return append(above, lines...)
}

// more is what has no room.
func more(groups []*survey.Group) view.Line {
	all, of := 0, map[diagnose.Grade]int{}
	for _, g := range groups {
		for _, e := range g.Entries {
			all++
			of[e.Finding.Grade]++
			if e.Peer != nil {
				all++
				of[e.Peer.Finding.Grade]++
			}
		}
	}
	text := "and " + Count(all, "more socket")
	if n := of[diagnose.Stuck]; n > 0 {
		text += fmt.Sprintf(", %d of them stuck", n)
	}
	return view.Line{Hang: 2, Parts: []view.Part{{Tone: view.Dim, Text: text + ": --json has all of them"}}}
}

// headLines say what is watched, and how many there are of what.
func headLines(t *survey.Turn, o Options) []view.Line {
	c := t.Tally()
	title := view.Line{Hang: 2, Parts: []view.Part{{Tone: view.Strong, Text: o.Title},
		{Tone: view.Dim, Text: fmt.Sprintf("at %s: %s", t.At.Format(time.TimeOnly), Count(c.Sockets, "socket"))}}}
	lines := []view.Line{title}
	if o.Note != "" {
		lines = append(lines, Note(o.Note))
	}
	if c.Sockets == 0 {
		return append(lines, view.Line{Parts: []view.Part{{Text: "nothing there: no socket fits"}}})
	}
	return append(lines, view.Line{Hang: 2, Parts: append(Grades(c), view.Part{Tone: view.Dim, Text: States(c)})})
}

// Note is what there is to say of the watching itself.
func Note(text string) view.Line {
	return view.Line{Hang: 2, Parts: []view.Part{{Tone: view.Dim, Text: text}}}
}

// Grades are how many sockets are stuck, wait, and are healthy.
func Grades(c survey.Tally) []view.Part {
	tone := func(n int, t view.Tone) view.Tone {
		if n == 0 {
			return view.Dim
		}
		return t
	}
	return []view.Part{
		{Tone: tone(c.Stuck, view.Bad), Text: fmt.Sprintf("%d stuck,", c.Stuck)},
		{Tone: tone(c.Waiting, view.Strong), Text: fmt.Sprintf("%d waiting,", c.Waiting)},
		{Tone: tone(c.Healthy, view.Good), Text: fmt.Sprintf("%d healthy", c.Healthy)},
	}
}

// States are how many there are in each, the most first.
func States(c survey.Tally) string {
	names := slices.SortedFunc(maps.Keys(c.States), func(a, b string) int {
		return cmp.Or(c.States[b]-c.States[a], strings.Compare(a, b))
	})
	var list []string
	for _, name := range names {
		list = append(list, fmt.Sprintf("%d %s", c.States[name], name))
	}
	if len(list) == 0 {
		return ""
	}
	return "(in all " + strings.Join(list, ", ") + ")"
}

var marks = map[diagnose.Grade]view.Part{
	diagnose.Stuck:   {Tone: view.Bad, Text: "STUCK"},
	diagnose.Waiting: {Tone: view.Strong, Text: "WAITS"},
	diagnose.Healthy: {Tone: view.Good, Text: "ok"},
}

const indent = 6 // below a mark

func groupLines(groups []*survey.Group, d detail) (lines []view.Line) {
	for _, g := range groups {
		if d == nameOnly {
			lines = append(lines, brief(g))
			continue
		}
		if d == oneLine || g.Grade == diagnose.Healthy && (d > threeEach || len(g.Entries) > 1 || !paired(g)) {
			lines = append(lines, short(g))
			continue
		}
		lines = append(lines, full(g, d)...)
	}
	return lines
}

// paired says whether a single connection has both ends here: then both lanes are the point.
func paired(g *survey.Group) bool { return len(g.Entries) == 1 && g.Entries[0].Other != nil }

// short is a group on one line.
func short(g *survey.Group) view.Line {
	says := g.Common()
	if len(g.Entries) == 1 {
		says = join("; ", g.Entries[0].Finding.Sentence(), g.Entries[0].Finding.Detail)
	}
	l := view.Line{Hang: indent, Parts: []view.Part{marks[g.Grade], {Tone: view.Strong, Text: heading(g) + ":"}, {Text: says}}}
	if g.Grade != diagnose.Healthy {
		l.Parts = append(l.Parts, view.Part{Tone: view.Dim, Text: "(" + g.Name + ")"})
	}
	return l
}

// brief is what a screen has room for when there is much the matter: what, where, and who must act.
func brief(g *survey.Group) view.Line {
	if g.Grade == diagnose.Healthy { // the name alone may sound like a complaint
		return view.Line{Hang: indent, Parts: []view.Part{marks[g.Grade], {Tone: view.Strong, Text: heading(g)}, {Tone: view.Dim, Text: "(" + g.Name + ")"}}}
	}
	what := g.Name
	if n := len(g.Entries); n > 1 {
		what = fmt.Sprintf("%d × %s", n, g.Name)
	}
	return view.Line{Hang: indent, Parts: []view.Part{marks[g.Grade], {Tone: view.Strong, Text: what + ":"}, {Text: join(" ", g.State, g.Where) + ";"}, {Tone: view.Dim, Text: g.Who}}}
}

// full is a group with what is said of it, some of its sockets, and who must act.
func full(g *survey.Group, d detail) []view.Line {
	says, detail := g.Common(), ""
	if first := g.Entries[0]; len(g.Entries) == 1 {
		says, detail = first.Finding.Sentence(), first.Finding.Detail
	} else if g.Grade != diagnose.Healthy && age(first.Socket) == "" && first.Finding.Detail != "" {
		detail = "one of them: " + first.Finding.Detail
	}
	lines := []view.Line{
		{Hang: indent, Parts: []view.Part{marks[g.Grade], {Tone: view.Strong, Text: join(", ", heading(g), detail)}}},
		{Indent: indent, Hang: indent, Parts: []view.Part{{Text: says}}},
	}
	most := [...]int{threeEach: 3, oneEach: 1, noneEach: 0}[d]
	for i, e := range g.Entries[:min(most, len(g.Entries))] {
		lines = append(lines, entry(e, len(g.Entries) > 1))
		if rest := len(g.Entries) - i - 1; i == most-1 && rest > 0 {
			lines = append(lines, view.Line{Indent: indent, Hang: indent, Parts: []view.Part{{Tone: view.Dim, Text: fmt.Sprintf("and %d more", rest)}}})
		}
	}
	if g.Grade == diagnose.Healthy {
		return lines
	}
	return append(lines, view.Line{Indent: indent, Hang: indent, Parts: []view.Part{
		{Text: "who must act: " + g.Who + ";"}, {Tone: view.Dim, Text: "echoc --explain " + g.Name}}})
}

// heading is what they are, where, and for how long.
func heading(g *survey.Group) string {
	state, n := g.State, len(g.Entries)
	if state == "" {
		state = "connection"
	}
	what := state
	if n > 1 {
		what = fmt.Sprintf("%d × %s", n, join(" ↔ ", state, peers(g)))
	}
	if n == 1 {
		e := g.Entries[0]
		what += " " + ends(e.Socket)
		if age := age(e.Socket); age != "" && g.Grade != diagnose.Healthy {
			what += ", " + age
		}
		return what
	}
	if g.Where != "" {
		what += " " + g.Where
	}
	if age := age(g.Entries[0].Socket); age != "" && g.Grade != diagnose.Healthy {
		what += ", the oldest " + age
	}
	return what
}

// peers is the state of all the other ends, if these are of the group, too; "" if they differ.
func peers(g *survey.Group) (state string) {
	for _, e := range g.Entries {
		if e.Peer == nil || state != "" && state != e.Peer.State.String() {
			return ""
		}
		state = e.Peer.State.String()
	}
	return state
}

// ends are a socket's addresses, its own first.
func ends(s *survey.Socket) string {
	if s.Remote.Port() == 0 {
		return s.Local.String()
	}
	return fmt.Sprintf("%v ↔ %v", s.Local, s.Remote)
}

// age is for how long a socket has been in its state, or in an accept queue, as far as that is known.
func age(s *survey.Socket) string {
	switch {
	case s.Queue >= time.Second:
		return "for at least " + diagnose.Ago(s.Queue)
	case s.For < time.Second, s.State == tcpinfo.Established, s.State == tcpinfo.Listen:
		return ""
	case s.Exact:
		return "for " + diagnose.Ago(s.For)
	case s.State == tcpinfo.SynSent, s.State == tcpinfo.FinWait1, s.State == tcpinfo.Closing, s.State == tcpinfo.LastAck:
		return "" // since it was first looked at: how often it has sent again says more
	}
	return "for at least " + diagnose.Ago(s.For)
}

// entry is a socket of a group; of a connection with both ends here, the client's is on the left.
func entry(e survey.Entry, several bool) view.Line {
	if e.Other == nil {
		text := join(", ", ends(e.Socket), facts(e.Facts), holders(e.Facts), age(e.Socket))
		if !several { // the rest has been said
			text = ""
			if e.Finding.By == "" {
				text = holders(e.Facts)
			}
			if t := e.Timer; t.Kind != tcpinfo.TimerNone {
				text = join(", ", text, timer(t))
			}
		}
		return view.Line{Indent: indent, Hang: indent + 2, Parts: []view.Part{{Tone: view.Dim, Text: text}}}
	}
	client, server := e.Facts, e.Other
	if e.Server {
		client, server = server, client
	}
	return view.Line{Indent: indent, Hang: indent + 2,
		Parts: []view.Part{{Tone: view.Client, Text: lane(client)}},
		Right: []view.Part{{Tone: view.Server, Text: lane(server)}}}
}

// lane is one end.
func lane(f *diagnose.Facts) string {
	return join(", ", f.Local.String()+" "+f.State.String(), facts(f), holders(f))
}

// facts are a socket's queues and its timer.
func facts(f *diagnose.Facts) string {
	if f.State == tcpinfo.Listen {
		return fmt.Sprintf("accept queue %d/%d", f.RecvQ, f.SendQ)
	}
	var list []string
	if f.RecvQ > 0 {
		list = append(list, fmt.Sprintf("Recv-Q %d", f.RecvQ))
	}
	if f.SendQ > 0 {
		list = append(list, fmt.Sprintf("Send-Q %d", f.SendQ))
	}
	if f.Timer.Kind != tcpinfo.TimerNone {
		list = append(list, timer(f.Timer))
	}
	if i := f.Info; i != nil && i.TotalRetrans > 0 {
		if f.State == tcpinfo.SynSent {
			list = append(list, "the SYN sent again "+Count(int(i.TotalRetrans), "time"))
		} else {
			list = append(list, fmt.Sprintf("%s sent again", Count(int(i.TotalRetrans), "segment")))
		}
	}
	if i := f.Info; i != nil && i.Has("rcv_wnd") && f.State == tcpinfo.Established {
		list = append(list, fmt.Sprintf("peer's window %d, own %d", i.SndWnd, i.RcvWnd))
	}
	return strings.Join(list, ", ")
}

func timer(t tcpinfo.Timer) string {
	text := fmt.Sprintf("timer %v %s", t.Kind, diagnose.Ago(t.Expires))
	if t.Retrans > 0 {
		text += fmt.Sprintf(" (%d)", t.Retrans)
	}
	return text
}

// holders are who has a socket open, as far as that is seen.
func holders(f *diagnose.Facts) string {
	var list []string
	for i, h := range f.Owners {
		if i == 2 {
			list = append(list, fmt.Sprintf("and %d more", len(f.Owners)-i))
			break
		}
		list = append(list, h.String())
	}
	if len(list) == 0 && len(f.Had) > 0 {
		return "was " + f.Had[0].Name() + "'s"
	}
	return strings.Join(list, ", ")
}

// join leaves out what is empty.
func join(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}

// Count is a number of something.
func Count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
