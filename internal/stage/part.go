package stage

import (
	"time"

	"socklife/internal/timeline"
)

// Part begins another part of the lesson, with a heading. Both sides say it, each in its terminal; where both are
// played here the client says it for both, so it is to come to it when the server has done with the part before.
func (s *Side) Part(heading string) {
	if s.run.both && s.Name == timeline.Server {
		return
	}
	s.run.log.Add(s.Name, time.Time{}, &timeline.Note{Text: heading, Heading: true})
}

// Table says in rows what the lesson has come to. Each has as many cells as head.
func (s *Side) Table(title string, head []string, rows ...[]string) {
	s.run.log.Add(s.Name, time.Time{}, &timeline.Table{Title: title, Head: head, Rows: rows})
}
