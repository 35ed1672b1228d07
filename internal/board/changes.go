package board

import (
	"fmt"
	"slices"
	"time"

	"socklife/internal/diagnose"
	"socklife/internal/rfc9293"
	"socklife/internal/survey"
	"socklife/internal/view"
	"socklife/tcpinfo"
)

// foldFrom is how many changes of the same kind in one turn are told as one.
const foldFrom = 5

// Changes are the news of a turn; at is how long after the first that was. What happened to both ends of a connection
// stands side by side, and what is the matter with them below it.
func Changes(t *survey.Turn, at time.Duration) (lines []view.Line) {
	stamp := view.Part{Tone: view.Dim, Text: fmt.Sprintf("%6.1f s", at.Seconds())}
	changes := slices.DeleteFunc(slices.Clone(t.Changes), wasTold)
	told := map[*diagnose.Facts]bool{}
	by := map[*diagnose.Facts]survey.Change{}
	for _, c := range changes {
		by[c.Facts] = c
	}
	for _, same := range alike(changes) {
		if len(same) >= foldFrom {
			lines = append(lines, view.Line{Hang: indent + 4, Parts: []view.Part{stamp, {Text: fmt.Sprintf("%d × %s %s", len(same), moved(same[0]), same[0].Place())}, worsened(same[0], len(same))}})
			for _, c := range same {
				told[c.Facts] = true
			}
		}
	}
	for _, c := range changes {
		if told[c.Facts] {
			continue
		}
		told[c.Facts] = true
		line := view.Line{Hang: indent + 4}
		other, both := by[c.Other]
		if !both || c.Other == nil || told[c.Other] {
			line.Parts = []view.Part{stamp, {Text: ends(c.Socket) + " " + moved(c) + holding(c)}, worsened(c, 1)}
			lines = append(lines, line)
			continue
		}
		told[c.Other] = true
		client, server := c, other
		if c.Server {
			client, server = server, client
		}
		found := []view.Line{}
		for _, c := range []survey.Change{client, server} {
			if w := worsened(c, 1); w.Text != "" {
				found = append(found, view.Line{Indent: indent + 4, Hang: indent + 4, Parts: []view.Part{{Text: c.Local.String()}, w}})
			}
		}
		if len(found) > 0 && stays(client) && stays(server) { // that is all the news
			found[0].Indent, found[0].Parts = 0, append([]view.Part{stamp}, found[0].Parts...)
		} else {
			line.Parts = []view.Part{stamp, {Tone: view.Client, Text: client.Local.String() + " " + moved(client) + holding(client)}}
			line.Right = []view.Part{{Tone: view.Server, Text: server.Local.String() + " " + moved(server) + holding(server)}}
			lines = append(lines, line)
		}
		lines = append(lines, found...)
	}
	return lines
}

// alike are the changes by what they are.
func alike(list []survey.Change) (groups [][]survey.Change) {
	at := map[string]int{}
	for _, c := range list {
		k := fmt.Sprint(moved(c), c.Finding.Name, c.Finding.Grade, c.Finding.Common(), c.Was.Grade, c.Was.Name, c.Place())
		n, known := at[k]
		if !known {
			n = len(groups)
			at[k] = n
			groups = append(groups, nil)
		}
		groups[n] = append(groups[n], c)
	}
	return groups
}

// wasTold says whether all that a change would show has been shown as transitions.
func wasTold(c survey.Change) bool {
	switch {
	case !c.Told || worsened(c, 1).Text != "":
		return false
	case c.What == "new":
		return holding(c) == ""
	}
	return c.What == "gone" || c.From != c.State
}

// stays says whether a socket is in the state that it was in.
func stays(c survey.Change) bool { return c.What == "changed" && c.From == c.State }

// moved is what has become of a socket.
func moved(c survey.Change) string {
	switch {
	case c.Told && c.State != tcpinfo.Listen:
		return c.State.String()
	case c.What == "gone" && c.From != c.State && c.State != tcpinfo.Closed: // such are not asked for
		return fmt.Sprintf("%v → %s%v", c.From, unseen(c.From, c.State), c.State)
	case c.What == "gone":
		return "gone; it was " + c.From.String()
	case c.What == "new" && c.From == 0:
		return "new: " + c.State.String()
	case c.From != c.State:
		return fmt.Sprintf("%v → %s%v", c.From, unseen(c.From, c.State), c.State)
	case c.State == tcpinfo.Listen:
		return fmt.Sprintf("LISTEN, %s", facts(c.Facts))
	}
	return c.State.String()
}

// unseen stands for states between two looks: where no step of TCP leads from the one to the other.
func unseen(from, to tcpinfo.State) string {
	if t, is := rfc9293.Step(from, to); is && t.Linux {
		return ""
	}
	return "… → "
}

func holding(c survey.Change) string {
	if h := holders(c.Facts); h != "" && c.What != "gone" {
		return ", " + h
	}
	return ""
}

// worsened is what is the matter with a socket now, if it is news; or with so many.
func worsened(c survey.Change, many int) view.Part {
	switch f := c.Finding; {
	case c.What == "gone":
		return view.Part{}
	case f.Grade == diagnose.Stuck && many > 1 && (c.What == "new" || c.Was.Grade != f.Grade || c.Was.Name != f.Name):
		return view.Part{Tone: view.Bad, Text: "STUCK " + f.Name + ": " + f.Common()}
	case f.Grade == diagnose.Stuck && (c.What == "new" || c.Was.Grade != f.Grade || c.Was.Name != f.Name):
		return view.Part{Tone: view.Bad, Text: "STUCK " + f.Name + ": " + join("; ", f.Sentence(), f.Detail)}
	case c.What == "changed" && c.Was.Grade == diagnose.Stuck && f.Grade != diagnose.Stuck:
		return view.Part{Tone: view.Good, Text: "no longer " + c.Was.Name}
	}
	return view.Part{}
}

// Seen is what a survey has come to, for its end.
type Seen struct {
	Looks            int
	Came, Went       int
	Stuck            map[string]int // sockets that were, by what was the matter with them
	Last             survey.Tally
	Between          []string      // what is known of what lies between two looks; none: nothing
	For, Every, Took time.Duration // Took is the longest dump

	counted map[int][]string // of those that are there, by their number: with what they were stuck
}

// Add counts a turn.
func (s *Seen) Add(t *survey.Turn) {
	s.Looks++
	s.Took = max(s.Took, t.Took)
	if t.Same {
		return
	}
	s.Last = t.Tally()
	for _, c := range t.Changes {
		switch {
		case c.What == "gone":
			s.Went++
			delete(s.counted, c.Number)
			continue
		case c.What == "new" && !t.First:
			s.Came++
		}
		if name := c.Finding.Name; c.Finding.Grade == diagnose.Stuck && !slices.Contains(s.counted[c.Number], name) {
			if s.Stuck == nil {
				s.Stuck, s.counted = map[string]int{}, map[int][]string{}
			}
			s.Stuck[name]++
			s.counted[c.Number] = append(s.counted[c.Number], name)
		}
	}
}

func wasStuck(n int, with string) string {
	if n == 1 {
		return fmt.Sprintf("1 was stuck, or is, with %s:", with)
	}
	return fmt.Sprintf("%d were stuck, or are, with %s:", n, with)
}

// Summary says it.
func (s *Seen) Summary() []view.Line {
	every := max(s.Every, s.For/time.Duration(max(s.Looks, 1))) // looks may take longer
	lines := []view.Line{
		{Hang: 2, Parts: []view.Part{{Text: fmt.Sprintf("watched for %s, %s, one every %s: %d came, %d went", diagnose.Ago(s.For), Count(s.Looks, "look"), diagnose.Ago(every), s.Came, s.Went)}}},
		{Hang: 2, Parts: append([]view.Part{{Text: "now"}}, append(Grades(s.Last), view.Part{Tone: view.Dim, Text: States(s.Last)})...)},
	}
	var names []string
	for name := range s.Stuck {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		lines = append(lines, view.Line{Hang: 2, Parts: []view.Part{{Tone: view.Bad, Text: wasStuck(s.Stuck[name], name)}, {Tone: view.Dim, Text: "echoc --explain " + name}}})
	}
	between := s.Between
	if len(between) == 0 {
		between = []string{"What came and went between two looks was not seen."}
	}
	for _, text := range between {
		lines = append(lines, view.Line{Hang: 2, Parts: []view.Part{{Tone: view.Dim, Text: text}}})
	}
	return lines
}
