package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// shownPlain is what a terminal shows, as one line.
func (term *terminal) shownPlain() string {
	return strings.Join(strings.Fields(regexp.MustCompile(`\x1b\[[0-9;]*[mK]`).ReplaceAllString(term.shown(), "")), " ")
}

// Somebody who looks on is told the question before the run, and after it what it has shown; a failed run claims
// nothing.
func TestTheLessonIsOnTheTerminal(t *testing.T) {
	beside(t)
	const question, watch, path = "Question: Which states does each side go through", "Watch: The client closes first", "client CLOSED → "
	const seen, production, next = "Seen: The client closed first", "In production: What lasts", "Next: echoc --wire close"
	for line, want := range map[string]map[string]bool{
		"close":            {question: true, watch: true, path: true, seen: true, production: true, next: true, "The whole page: echoc --explain close": true},
		"--linger 0 close": {question: true, path: true, seen: false, production: false, next: true},
		"--quiet close":    {question: false, path: false, seen: false},
		"--json close":     {question: false, path: false, seen: false},
		"--explain close":  {question: true, watch: true, seen: true, production: true, next: true},
	} {
		term := inTerminal(t, 80, "echoc", strings.Fields(line)...)
		term.end()
		for text, is := range want {
			if strings.Contains(term.shownPlain(), text) != is {
				t.Errorf("echoc %s: %q: %v\n%s", line, text, !is, term.shown())
			}
		}
		if at := strings.Index(term.shown(), "Question:"); want[path] && (at < 0 || at > strings.Index(term.shown(), "socket(")) {
			t.Errorf("echoc %s: the question does not come before the first call\n%s", line, term.shown())
		}
	}
}

// Who reads the run through a pipe has it as it was.
func TestTheLessonIsNotInAPipe(t *testing.T) {
	beside(t)
	status, out, errs := run(t, "echoc", "close")
	if status != 0 || errs != "" || strings.Contains(out, "Question:") || strings.Contains(out, "Seen:") || !strings.HasSuffix(out, "all met\n") {
		t.Errorf("status %d, %s\n%s", status, errs, out)
	}
}

// With two terminals both have the question and the states of each side; what it means is in the client's.
func TestTheLessonInTwoTerminals(t *testing.T) {
	beside(t)
	server := inTerminal(t, 80, "echod", "--color=never", "--runs", "1", "--listen", "127.0.0.1:0", "close")
	var addr []string
	eventually(t, "an address", func() bool {
		addr = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)\s`).FindStringSubmatch(server.shown())
		return addr != nil
	})
	client := inTerminal(t, 80, "echoc", "--color=never", "close", addr[1])
	if status := client.end(); status != 0 {
		t.Fatalf("status %d\n%s", status, client.shown())
	}
	server.end()
	for _, term := range []*terminal{server, client} {
		for _, want := range []string{"Question: Which states", "all met client ", " server first seen "} {
			if !strings.Contains(term.shownPlain(), want) {
				t.Errorf("no %q in\n%s", want, term.shown())
			}
		}
	}
	if strings.Contains(server.shown(), "Seen:") || !strings.Contains(client.shown(), "Seen:") {
		t.Errorf("what was seen:\n%s\n%s", server.shown(), client.shown())
	}
}

// Without a word, --explain says which there are; a page is as wide as the terminal.
func TestExplainOnATerminal(t *testing.T) {
	beside(t)
	if status, out, _ := run(t, "echoc", "--explain"); status != 0 || !strings.Contains(out, "half-close") || !strings.Contains(out, "ECONNRESET") {
		t.Errorf("status %d\n%s", status, out)
	}
	if status, _, errs := run(t, "echoc", "--explain", "half-clsoe"); status != 2 || !strings.Contains(errs, "did you mean half-close?") {
		t.Errorf("status %d\n%s", status, errs)
	}
	term := inTerminal(t, 50, "echoc", "--color=never", "--explain", "refused")
	if status := term.end(); status != 0 || !strings.Contains(term.shownPlain(), "a transcript that does not fit here: echoc refused") {
		t.Errorf("status %d\n%s", status, term.shown())
	}
	for line := range strings.Lines(term.shown()) {
		if line = strings.TrimRight(line, "\r\n"); len([]rune(line)) > 50 && !strings.HasPrefix(line, "    ") {
			t.Errorf("%d columns: %q", len([]rune(line)), line)
		}
	}
}
