package docs

import (
	"regexp"
	"strings"
	"testing"

	"socklife/internal/lesson"
	"socklife/internal/scenario"
	"socklife/internal/view"
)

// Each scenario has all five, and each is short: with its mark, two lines of 76 columns.
func TestEveryScenarioHasItsWordsInShort(t *testing.T) {
	t.Parallel()
	for _, sc := range scenario.All() {
		w := lesson.Of(sc.Name)
		for mark, text := range map[string]string{"Question": w.Question, "Watch": w.Watch, "Seen": w.Seen, "In production": w.Production, "Next": w.Next} {
			if text == "" {
				t.Errorf("docs/scenarios/%s.md has no %s under \"In short\"", sc.Name, mark)
				continue
			}
			if lines := view.Wrap(mark+": "+strings.ReplaceAll(text, "`", ""), 76, 0); len(lines) > 2 {
				t.Errorf("%s: %s: %d lines: %s", sc.Name, mark, len(lines), text)
			}
			if first := text[:1]; mark != "Next" && first != strings.ToUpper(first) && !aCall.MatchString(text) {
				t.Errorf("%s: %s begins with a small letter: %s", sc.Name, mark, text)
			}
		}
		if !strings.HasSuffix(w.Question, "?") || strings.Contains(strings.TrimSuffix(w.Question, "?"), "? ") {
			t.Errorf("%s: not one question: %s", sc.Name, w.Question)
		}
		for _, s := range []string{w.Seen, w.Production} {
			if !strings.HasSuffix(s, ".") {
				t.Errorf("%s: not a sentence: %s", sc.Name, s)
			}
		}
	}
}

// aCall begins a sentence in small letters: "connect() failed …".
var aCall = regexp.MustCompile(`^[a-z_]+[0-9]?(\(|_)`)

// The next step is a scenario that there is, and another run than this one.
func TestTheNextStepIsThere(t *testing.T) {
	t.Parallel()
	command := regexp.MustCompile("^`echoc [^`]*?([a-z0-9-]+)` \\(.*\\)$")
	for _, sc := range scenario.All() {
		text := lesson.Of(sc.Name).Next
		m := command.FindStringSubmatch(text)
		if m == nil || scenario.Find(m[1]) == nil {
			t.Errorf("%s: next: want a command with a scenario, and (what it shows): %s", sc.Name, text)
			continue
		}
		if scenario.Find(m[1]).OnlyWire && !strings.Contains(text, "--wire") {
			t.Errorf("%s: next: %s needs --wire: %s", sc.Name, m[1], text)
		}
		if strings.HasPrefix(text, "`echoc "+sc.Name+"`") {
			t.Errorf("%s: next: the same again: %s", sc.Name, text)
		}
	}
}
