package view

import (
	"bytes"
	"strings"
	"testing"

	"socklife/internal/lesson"
	"socklife/internal/timeline"
)

var someWords = lesson.Words{
	Question: "How does a client say that it has sent everything, and still get its answer?", Watch: "After shutdown(): FIN-WAIT-2 at the client.",
	Seen: "The client read all of it.", Production: "A proxy cuts the answer off.", Next: "`echoc --wire half-close` (the segments)",
}

// framed are the lines of a run that stand above the lanes, and below the summary.
func framed(t *testing.T, words lesson.Words, o Options, run *script) string {
	t.Helper()
	var b bytes.Buffer
	o.Title, o.Lesson, o.Words = "half-close", "the client has finished sending", words
	terminal := newTerminal(&b, o)
	terminal.Begin()
	run.show(terminal)
	before, rest, _ := strings.Cut(b.String(), "States are from")
	_, after, _ := strings.Cut(rest, "\nhalf-close: ")
	return before + "…\nhalf-close: " + after
}

// ended is a run of one connection, met or not.
func ended(ok bool) *script {
	failed := 1
	if ok {
		failed = 0
	}
	s := new(script).at(1, C, &timeline.Note{Text: "begins"})
	for i, b := range []struct {
		side timeline.Side
		path string
	}{
		{S, "CLOSED LISTEN"}, {C, "CLOSED ESTABLISHED FIN-WAIT-1 FIN-WAIT-1 TIME-WAIT"}, {S, "- ESTABLISHED CLOSE-WAIT CLOSED"}, {S, "LISTEN CLOSED"},
	} {
		ends := timeline.Ends{Local: addr(clientAddr), Remote: addr(serverAddr)}
		switch i {
		case 0, 3:
			ends = timeline.Ends{Local: addr(serverAddr)}
		case 2:
			ends = ends.Other()
		}
		for _, st := range states(b.path) {
			s.at(int64(100*i+10), b.side, &timeline.State{Local: ends.Local, Remote: ends.Remote, From: st[0], To: st[1], Source: "sock_diag"})
		}
	}
	return s.at(900, W, &timeline.Summary{Scenario: "half-close", OK: ok, Checks: 2, Failed: failed})
}

func TestIntroAndTakeaway(t *testing.T) {
	t.Parallel()
	const intro = `half-close: the client has finished sending
Question: How does a client say that it has sent everything, and still get its
  answer?
Watch: After shutdown(): FIN-WAIT-2 at the client.
…
`
	const paths = `  client  CLOSED → (SYN-SENT) → ESTABLISHED → FIN-WAIT-1
          → (FIN-WAIT-2 or CLOSING) → TIME-WAIT
  server  first seen ESTABLISHED → CLOSE-WAIT → (LAST-ACK) → CLOSED
          (in parentheses: passed between two looks, unseen)
`
	const page = "  The whole page: echoc --explain half-close\n"
	for name, c := range map[string]struct {
		words lesson.Words
		ok    bool
		want  string
	}{
		"met": {someWords, true, intro + "half-close: 2 checks, all met\n" + paths +
			"  Seen: The client read all of it.\n  In production: A proxy cuts the answer off.\n  Next: echoc --wire half-close (the segments)\n" + page},
		"not met":                      {someWords, false, intro + "half-close: 1 of 2 checks FAILED\n" + paths + "  Next: echoc --wire half-close (the segments)\n" + page},
		"the server of two terminals":  {someWords.Before(), true, intro + "half-close: 2 checks, all met\n" + paths},
		"not a terminal, or no lesson": {lesson.Words{}, true, "half-close: the client has finished sending\n…\nhalf-close: 2 checks, all met\n"},
	} {
		if got := framed(t, c.words, Options{Width: 80}, ended(c.ok)); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, c.want)
		}
	}
}

// Nothing is wider than the terminal, and ASCII is ASCII.
func TestIntroAndTakeawayFit(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{Width: 40}, {Width: 60}, {Width: 120}, {Width: 40, ASCII: true}} {
		for line := range strings.Lines(framed(t, someWords, o, ended(true))) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > o.Width {
				t.Errorf("%d columns: %q", o.Width, line)
			}
			if o.ASCII && strings.Trim(line, "…\n") != "" && verbatim(strings.TrimSuffix(line, "\n")) != strings.TrimSuffix(line, "\n") {
				t.Errorf("not ASCII: %q", line)
			}
		}
	}
}

// The question is asked before the first call, once, however many runs follow; and a run's path is its own.
func TestTheQuestionIsAskedOnce(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	terminal := newTerminal(&b, Options{Title: "half-close", Words: someWords.Before()})
	terminal.Begin()
	if !strings.Contains(b.String(), "Question: How") {
		t.Errorf("before the first event:\n%s", b.String())
	}
	ended(true).show(terminal)
	ended(true).show(terminal)
	if got := b.String(); strings.Count(got, "Question:") != 1 || strings.Count(got, "  client  CLOSED") != 2 {
		t.Error(got)
	}
}
