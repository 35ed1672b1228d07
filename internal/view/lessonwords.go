package view

import (
	"strings"

	"socklife/internal/lesson"
	"socklife/internal/timeline"
)

// Begin shows the title before anything has happened, where it asks a question: the reader has it in mind when the
// first call is made.
func (t *Terminal) Begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.o.Words != (lesson.Words{}) {
		t.title()
		t.write()
	}
}

// intro is the question and what to watch, below the title of the first run.
func (t *Terminal) intro() {
	if t.introduced {
		return
	}
	t.introduced = true
	t.sentence("", "Question", t.o.Words.Question)
	t.sentence("", "Watch", t.o.Words.Watch)
}

// takeaway is below the summary: the states that each side went through, and of a run in which all came as it should,
// what it has shown.
func (t *Terminal) takeaway(b *timeline.Summary) {
	w := t.o.Words
	if w == (lesson.Words{}) {
		return
	}
	t.paths()
	if w.Seen == "" { // that is the other terminal's
		return
	}
	if b.OK {
		t.sentence("  ", "Seen", w.Seen)
		t.sentence("  ", "In production", w.Production)
	}
	t.sentence("  ", "Next", w.Next)
	t.sentence("  ", "The whole page", "`echoc --explain "+b.Scenario+"`")
}

// sentence is one of them, with what it is before it.
func (t *Terminal) sentence(indent, mark, says string) {
	if says == "" {
		return
	}
	line := text(nil).add(strong, mark+":").add(plain, " ")
	for i, part := range strings.Split(t.s.clean(says), "`") {
		if i%2 == 1 { // a command
			line = line.add(strong, part)
		} else {
			line = line.add(plain, part)
		}
	}
	t.lines(wrap(line, min(t.l.width, 80), len(indent), len(indent)+2))
}
