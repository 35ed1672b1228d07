package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// quiz runs one with answers that come through a pipe.
func quiz(t *testing.T, answers string, args ...string) (status int, shown string) {
	t.Helper()
	cmd := command(t, "echoc", append([]string{"quiz"}, args...)...)
	cmd.Stdin = strings.NewReader(answers)
	status, out, errs := finish(t, cmd)
	if errs != "" {
		t.Errorf("standard error: %s", errs)
	}
	return status, out
}

func TestQuizThroughAPipe(t *testing.T) {
	beside(t)
	status, shown := quiz(t, strings.Repeat("a\n", 8), "--seed", "1", "half-close")
	if status != 0 {
		t.Errorf("status %d", status)
	}
	for _, want := range []string{"Question 1 of ", "Question 3 of ", "  d  ", " right.\n", "quiz --seed 1 half-close", "all met"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
	for line := range strings.Lines(shown) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if strings.Contains(shown, "keeps receiving") {
		t.Error("the lesson is told before it is asked about")
	}
	if strings.Contains(shown, "\x1b") {
		t.Error("colour in a pipe")
	}
}

// TestQuizCountsRightAnswers answers as the first run said is right.
func TestQuizCountsRightAnswers(t *testing.T) {
	beside(t)
	_, shown := quiz(t, strings.Repeat("?\nx\na\n", 8), "--seed", "3", "write-after-close")
	var answers []string
	for _, m := range regexp.MustCompile(`(?m)^(?:(Right)\.|No: ([b-d]),)`).FindAllStringSubmatch(shown, -1) {
		if m[1] != "" {
			m[2] = "a"
		}
		answers = append(answers, m[2])
	}
	if len(answers) < 3 {
		t.Fatalf("%d answers in\n%s", len(answers), shown)
	}
	status, again := quiz(t, strings.Join(answers, "\n")+"\n", "--seed", "3", "write-after-close")
	if want := strings.Count(again, "Right."); status != 0 || want != len(answers) {
		t.Errorf("status %d, %d of %d right\n%s", status, want, len(answers), again)
	}
}

func TestQuizEndsWithTheAnswers(t *testing.T) {
	beside(t)
	status, shown := quiz(t, "a\n", "--seed", "1", "half-close")
	if status != 0 || !strings.Contains(shown, " of 1 right, of ") || strings.Contains(shown, "all met") {
		t.Errorf("status %d after the end of input\n%s", status, shown)
	}
}

func TestQuizWithoutAScenario(t *testing.T) {
	beside(t)
	name := regexp.MustCompile(`A quiz on (\S+):`)
	_, one := quiz(t, "q\n", "--seed", "5")
	_, two := quiz(t, "q\n", "--seed", "5")
	if a, b := name.FindString(one), name.FindString(two); a == "" || a != b {
		t.Errorf("%q and %q", a, b)
	}
}

func TestQuizRefuses(t *testing.T) {
	beside(t)
	for _, args := range [][]string{{"--json"}, {"--step"}, {"nonsense"}, {"half-close", "127.0.0.1:7"}, {"--quiet"}, {"stale-syn"}} {
		status, out, errs := run(t, "echoc", append([]string{"quiz"}, args...)...)
		if status != 2 || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: status %d, %q, %q", args, status, out, errs)
		}
	}
}

func TestQuizOnATerminal(t *testing.T) {
	beside(t)
	term := inTerminal(t, 80, "echoc", "quiz", "--seed", "2", "close")
	term.await(1, "q: quit) ")
	term.press("?\n")
	term.await(2, "q: quit) ")
	term.press("A\n") // capitals are fine
	term.await(1, "Question 2 of ")
	term.press("q\n")
	if status := term.end(); status != 0 || !strings.Contains(term.shown(), " of 1 right, of ") {
		t.Errorf("status %d\n%s", status, term.shown())
	}
	if !strings.Contains(term.shown(), "\x1b[1mQuestion 1 of ") {
		t.Errorf("no colour on a terminal:\n%q", term.shown())
	}
}

func TestQuizIsInterrupted(t *testing.T) {
	beside(t)
	term := inTerminal(t, 80, "echoc", "quiz", "close")
	term.await(1, "q: quit) ")
	term.press("\x03")
	if status := term.end(); status != 130 {
		t.Errorf("status %d after Ctrl-C\n%s", status, term.shown())
	}
}
