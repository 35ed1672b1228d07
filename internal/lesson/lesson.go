// Package lesson has the few sentences that frame a run: its question and what to watch, and afterwards what was seen,
// what that means in production, and what to try next. They stand in the scenario's page, under "In short".
package lesson

import (
	"strings"

	"socklife/docs"
)

// Words are a scenario's sentences, in the Markdown of its page; "" is one that the page does not have.
type Words struct {
	Question   string // one sentence, which the run answers
	Watch      string // what to look at meanwhile
	Seen       string // what is true of a run whose checks are all met
	Production string // where one meets it
	Next       string // a command, and what it shows
}

// The marks that the sentences have in a page.
const (
	heading    = "## In short"
	question   = "Question"
	watch      = "Watch"
	seen       = "Seen"
	production = "In production"
	next       = "Next"
)

// Of are the words of the scenario of that name.
func Of(scenario string) Words { return read(docs.Scenario(scenario)) }

// Before are those that come before a run: for a server, which the next client finds as this one did.
func (w Words) Before() Words { return Words{Question: w.Question, Watch: w.Watch} }

// After are those of a run that was started with these arguments: it is not the next one.
func (w Words) After(args []string) Words {
	if command, _, _ := strings.Cut(strings.TrimPrefix(w.Next, "`"), "`"); command == "echoc "+strings.Join(args, " ") {
		w.Next = ""
	}
	return w
}

// read finds them in a page.
func read(page string) (w Words) {
	_, list, _ := strings.Cut(page, heading+"\n")
	list, _, _ = strings.Cut(list, "\n#")
	for line := range strings.Lines(list) {
		mark, text, _ := strings.Cut(strings.TrimPrefix(line, "- "), ": ")
		text = strings.TrimSpace(text)
		switch mark {
		case question:
			w.Question = text
		case watch:
			w.Watch = text
		case seen:
			w.Seen = text
		case production:
			w.Production = text
		case next:
			w.Next = text
		}
	}
	return w
}
