package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"socklife/internal/ladder"
	"socklife/internal/lesson"
	"socklife/internal/timeline"
)

// run is what the page's script is given.
type run struct {
	Title       string       `json:"title"`
	Lesson      string       `json:"lesson"`
	Ref         string       `json:"ref"`
	Client      string       `json:"client"` // what the lanes are called
	Server      string       `json:"server"`
	When        string       `json:"when"` // time 0
	Kernel      string       `json:"kernel"`
	Outcome     outcome      `json:"outcome"`
	Words       []word       `json:"words"`
	Inferred    bool         `json:"inferred"`
	Sockets     []*socket    `json:"sockets"`
	Connections []connection `json:"connections"`
	Main        int          `json:"main"` // which connection the page begins with
	Places      []place      `json:"places"`
	Edges       []edge       `json:"edges"`
	Steps       []step       `json:"steps"`
}

// outcome is how a run ended, in a line.
type outcome struct {
	OK   bool   `json:"ok"`
	Says string `json:"says"`
}

// word is a sentence of the lesson, and what it is about.
type word struct {
	Mark string `json:"mark"`
	Says string `json:"says"`
}

// step is a row of the ladder. An arrow that was inferred has no event.
type step struct {
	AtUS       int64           `json:"at_us"` // negative before the run began
	Event      *timeline.Event `json:"event,omitempty"`
	Says       string          `json:"says,omitempty"` // of a call: the call, in short
	Arrow      *arrow          `json:"arrow,omitempty"`
	Socket     *int            `json:"socket,omitempty"`     // which of the page's, if it is about one
	Connection *int            `json:"connection,omitempty"` // likewise, of a segment
	Walk       *walk           `json:"walk,omitempty"`       // of a state: the way in the diagram
}

type arrow struct {
	From     timeline.Side `json:"from"`
	Flags    []string      `json:"flags,omitempty"`
	Says     string        `json:"says"`
	More     []string      `json:"more,omitempty"`
	Fate     string        `json:"fate,omitempty"`
	Inferred bool          `json:"inferred,omitempty"`
	Why      string        `json:"why,omitempty"`
}

func newRun(l *ladder.Ladder, kernel string) *run {
	s := newSockets(l.Steps)
	r := &run{
		Title: l.Title, Lesson: l.Lesson, Ref: l.Ref, Kernel: kernel,
		Client: laneOf(timeline.Client, l.ClientLabel), Server: laneOf(timeline.Server, l.ServerLabel),
		Outcome: outcomeOf(l.Steps), Inferred: l.Inferred,
		Sockets: s.all, Connections: s.connections(),
		Places: places, Edges: edges(),
	}
	if !l.Zero.IsZero() {
		r.When = l.Zero.Format("2006-01-02 15:04:05.000 MST")
	}
	r.Words = wordsOf(l, r.Outcome.OK)
	r.Main = s.main(r.Connections)
	began := l.Zero.IsZero()
	for _, st := range l.Steps {
		if _, is := st.Body.(*timeline.Begin); is {
			began = true
			continue // it is time 0, and the head says so
		}
		r.Steps = append(r.Steps, s.step(st, r.Connections, began, l.Zero))
	}
	return r
}

func (s *sockets) step(of ladder.Step, connections []connection, began bool, zero time.Time) step {
	st := step{AtUS: of.At.Microseconds()}
	if !began {
		st.AtUS = of.Time.Sub(zero).Microseconds()
	}
	if a := of.Arrow; a != nil {
		st.Arrow = &arrow{a.From, a.Flags, a.Says, a.More, a.Fate, a.Inferred, a.Why}
	}
	if a := of.Arrow; a != nil {
		for i, c := range connections {
			if s.has(c, a.Ends) {
				st.Connection = &i // the last that is: the one before it is gone
			}
		}
	}
	if of.Body == nil {
		return st
	}
	st.Event = &of.Event
	if i, ok := s.of(of.Side, of.Body); ok {
		st.Socket = &i
	}
	switch b := of.Body.(type) {
	case *timeline.State:
		st.Walk = s.walk(b)
	case *timeline.Enter:
		st.Says = inShort(b.Call, b.Arguments())
	case *timeline.Call:
		st.Says = inShort(b.Call, b.Arguments())
	}
	return st
}

func inShort(call string, a timeline.Arguments) string {
	return call + "(" + strings.Join(a.Brief(), ", ") + ")"
}

func laneOf(side timeline.Side, label string) string {
	if label == "" {
		return string(side)
	}
	return label
}

// outcomeOf is what the run's last event says.
func outcomeOf(steps []ladder.Step) outcome {
	for i := len(steps) - 1; i >= 0; i-- {
		b, is := steps[i].Body.(*timeline.Summary)
		switch {
		case !is:
			continue
		case b.OK:
			return outcome{true, fmt.Sprintf("%s met", plural(b.Checks, "check"))}
		case b.Failed > 0:
			return outcome{false, fmt.Sprintf("%d of %s not met", b.Failed, plural(b.Checks, "check"))}
		}
		return outcome{false, "failed: " + b.Why}
	}
	return outcome{false, "the run did not come to its end"}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// wordsOf are the lesson's sentences. What is seen in a run whose checks are met was not seen in another, and a run is
// not its own next.
func wordsOf(l *ladder.Ladder, met bool) (list []word) {
	args := []string{l.Title}
	if slices.ContainsFunc(l.Steps, func(st ladder.Step) bool { return st.Arrow != nil && st.Arrow.Fate != "" }) {
		args = []string{"--wire", l.Title}
	}
	w := lesson.Of(l.Title).After(args)
	if !met {
		w.Seen = ""
	}
	for _, s := range []word{{"Question", w.Question}, {"Watch", w.Watch}, {"Seen", w.Seen}, {"In production", w.Production}, {"Next", w.Next}} {
		if s.Says != "" {
			list = append(list, s)
		}
	}
	return list
}

// visible has characters that are not seen, or that turn what is around them, written as what they are.
func visible(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if unseen(r) {
			fmt.Fprintf(&b, "\\u{%x}", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unseen is true of controls, and of what has a width of nothing or a direction; the page's script has the same.
func unseen(r rune) bool {
	return r < ' ' || r >= 0x7f && r <= 0x9f || r == 0xad || r == 0x61c || r >= 0x200b && r <= 0x200f ||
		r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff || r >= 0xe0000 && r <= 0xe007f
}
