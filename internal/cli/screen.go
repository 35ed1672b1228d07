package cli

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"socklife/internal/view"
)

// screen is a terminal that a timeline and a question share: what is written goes above the question, which stays the
// last line until it is answered.
type screen struct {
	mu       sync.Mutex
	f        *os.File
	question []string // its lines; none if there is none
}

// Write writes above the question.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	n, err := s.f.Write(p)
	s.show()
	return n, err
}

// Ask shows a question. Its parts stand side by side as far as there is room.
func (s *screen) Ask(parts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	s.question = sideBySide(parts, max(view.Width(s.f)-2, 18)) // the cursor stands behind it
	s.show()
}

// Answered takes the question away.
func (s *screen) Answered() { s.Ask() }

// Countdown shows how long something still takes, below what was written; 0 takes it away.
func (s *screen) Countdown(what string, left time.Duration) {
	if left <= 0 {
		s.Answered()
		return
	}
	s.Ask(fmt.Sprintf("%s %v left", what, left))
}

// Typed leaves the question where it is: the terminal has gone to the next line, with what was typed.
func (s *screen) Typed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.question = nil
}

// Hide takes the question from the screen until Redraw.
func (s *screen) Hide() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
}

// Redraw shows the question again, in a line that may have something else in it by now.
func (s *screen) Redraw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.f.WriteString("\r\x1b[K")
	s.show()
}

func (s *screen) show() {
	if len(s.question) > 0 {
		s.f.WriteString(strings.Join(s.question, "\n") + " ")
	}
}

func (s *screen) erase() {
	if n := len(s.question); n > 0 {
		s.f.WriteString("\r\x1b[K" + strings.Repeat("\x1b[A\x1b[K", n-1))
	}
}

// Say writes lines of their own, with nothing between them. What does not fit goes on below, a little more indented.
func (s *screen) Say(lines ...string) {
	var b strings.Builder
	for _, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		b.WriteString(strings.Join(view.Wrap(line, max(view.Width(s.f), 20), indent+2), "\n") + "\n")
	}
	s.Write([]byte(b.String()))
}

// sideBySide are lines of so many columns with the parts in them. A part that is longer goes on below.
func sideBySide(parts []string, columns int) (lines []string) {
	const between = " | "
	for _, part := range parts {
		if n := len(lines) - 1; n >= 0 && utf8.RuneCountInString(lines[n]+between+part) <= columns {
			lines[n] += between + part
		} else {
			lines = append(lines, view.Wrap(part, columns, 2)...)
		}
	}
	return lines
}
