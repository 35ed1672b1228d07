package watchlog

import (
	"fmt"
	"time"

	"socklife/internal/board"
	"socklife/internal/survey"
	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/tcpinfo"
)

// Lines makes what is shown of a watch of its events: the table of the first look, then a line for each thing that is
// news, and in the end a summary.
type Lines struct {
	Table func(*survey.Turn)
	News  func(view.Line)
	Note  func(text string) // of the watching itself; nil: it is news as everything else

	turns   Turns
	seen    board.Seen
	servers map[int]bool // by the numbers of the sockets, as far as that was told
}

// Event takes the next event.
func (l *Lines) Event(e timeline.Event) {
	at := e.At.Truncate(time.Microsecond) // as a record has it
	if t := l.turns.Event(e); t != nil {
		l.seen.Add(t)
		if t.First {
			l.Table(t)
			return
		}
		l.news(board.Changes(t, at)...)
		return
	}
	switch b := e.Body.(type) {
	case *timeline.Watched:
		if b.What == "gone" {
			delete(l.servers, b.Socket)
		} else {
			l.side(b.Socket, b.Server)
		}
	case *timeline.State:
		l.news(l.transition(at, b))
	case *timeline.Segment:
		l.news(line(at, view.Part{Tone: toneOf(b.From), Text: fmt.Sprintf("%v → %v", b.Src, b.Dst)}, view.Part{Text: b.Line()}))
	case *timeline.Note:
		switch {
		case e.Side != timeline.Host:
		case l.Note != nil:
			l.Note(b.Text)
			return
		default:
			l.news(board.Note(b.Text))
			return
		}
		l.news(line(at, view.Part{Tone: view.Bad, Text: b.Text}))
	case *timeline.Tally:
		if b.EveryUS > 0 {
			l.summary(at, b)
		}
	}
}

func (l *Lines) news(list ...view.Line) {
	for _, n := range list {
		l.News(n)
	}
}

// side remembers which end a socket is.
func (l *Lines) side(socket int, server bool) {
	if l.servers == nil {
		l.servers = map[int]bool{}
	}
	l.servers[socket] = server
}

// line is one of what the kernel told itself, to the microsecond; the point stands where it stands in a look's time.
func line(at time.Duration, parts ...view.Part) view.Line {
	stamp := view.Part{Tone: view.Dim, Text: fmt.Sprintf("%11.6f s", at.Seconds())}
	return view.Line{Hang: 10, Parts: append([]view.Part{stamp}, parts...)}
}

// transition is one that the tracepoint told.
func (l *Lines) transition(at time.Duration, b *timeline.State) view.Line {
	switch {
	case b.From == tcpinfo.Listen, b.To == tcpinfo.Listen:
		l.side(b.Socket, true)
	case b.From == tcpinfo.Closed:
		l.side(b.Socket, false)
	}
	tone := view.Plain
	if server, known := l.servers[b.Socket]; known && server {
		tone = view.Server
	} else if known {
		tone = view.Client
	}
	if b.To == tcpinfo.Closed {
		delete(l.servers, b.Socket)
	}
	ends := b.Local.String()
	if b.Remote.IsValid() {
		ends += " ↔ " + b.Remote.String()
	}
	return line(at, view.Part{Tone: tone, Text: fmt.Sprintf("%s %v → %v", ends, b.From, b.To)})
}

// toneOf is the colour of a side, where that is known.
func toneOf(side timeline.Side) view.Tone {
	switch side {
	case timeline.Client:
		return view.Client
	case timeline.Server:
		return view.Server
	}
	return view.Plain
}

// summary is what it came to.
func (l *Lines) summary(at time.Duration, b *timeline.Tally) {
	s := &l.seen
	s.Looks, s.Came, s.Went = b.Looks, b.Came, b.Went
	s.For, s.Every = at, time.Duration(b.EveryUS)*time.Microsecond
	s.Last = survey.Tally{Sockets: b.Sockets, Stuck: b.Stuck, Waiting: b.Waiting, Healthy: b.Healthy, States: b.States}
	if b.Transitions != nil {
		s.Between = append(s.Between, counted(*b.Transitions, b.LostTransitions, "transition"))
	}
	if b.Segments != nil {
		s.Between = append(s.Between, counted(*b.Segments, b.LostSegments, "segment"))
	}
	if b.Transitions == nil && b.Segments != nil {
		s.Between = append(s.Between, "States between two looks were not seen.")
	}
	if b.Unplaced > 0 {
		s.Between = append(s.Between, fmt.Sprintf("%s not told: of the sockets the kernel could not say whether they are in this network namespace.",
			number(b.Unplaced, "transition")))
	}
	l.news(view.Line{})
	l.news(s.Summary()...)
}

// counted is how many were seen, and how many are known to have been missed.
func counted(n, lost uint64, what string) string {
	text := number(n, what)
	if lost > 0 {
		return fmt.Sprintf("%s; at least %d more lost.", text, lost)
	}
	return text + ", none lost."
}

func number(n uint64, of string) string {
	if n == 1 {
		return board.Count(1, of)
	}
	return fmt.Sprintf("%d %ss", n, of)
}
