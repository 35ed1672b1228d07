package view

import (
	"bytes"
	"strings"
	"testing"

	"socklife/internal/timeline"
)

func TestTheHintStandsInTheFirstHeadAlone(t *testing.T) {
	var b bytes.Buffer
	s := (&script{}).at(0, C, socket(5)).at(1, C, &timeline.Summary{Scenario: "close", OK: true}).at(2, C, socket(5))
	s.show(newTerminal(&b, Options{Title: "close", Hint: "Too fast?"}))
	if n := strings.Count(b.String(), "Too fast?"); n != 1 {
		t.Errorf("%d times in\n%s", n, b.String())
	}
}

func TestThePartsOfALessonHaveHeadings(t *testing.T) {
	got := body((&script{}).at(0, C, socket(5)).at(1, S, &timeline.Note{Text: "the careful server", Heading: true}), Options{})
	if !strings.Contains(got, "\n\n"+strings.Repeat(" ", 10)+"── the careful server ─") {
		t.Errorf("got\n%s", got)
	}
}
