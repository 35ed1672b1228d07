package cli

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"socklife/internal/view"
)

// screen is a terminal that a timeline and a question share: what is written goes above the question, which stays the
// last line until it is answered.
type screen struct {
	mu       sync.Mutex
	f        *os.File
	question string
}

// Write writes above the question.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.question == "" {
		return s.f.Write(p)
	}
	s.f.WriteString("\r\x1b[K")
	n, err := s.f.Write(p)
	s.f.WriteString(s.question)
	return n, err
}

// Ask shows a question, in one line.
func (s *screen) Ask(question string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.question != "" {
		s.f.WriteString("\r\x1b[K")
	}
	s.question = cut(question, view.Width(s.f)-1)
	s.f.WriteString(s.question)
}

// Answered takes the question away.
func (s *screen) Answered() { s.Ask("") }

// Countdown shows how long something still takes, below what was written; 0 takes it away.
func (s *screen) Countdown(what string, left time.Duration) {
	if left <= 0 {
		s.Answered()
		return
	}
	s.Ask(fmt.Sprintf("%s %v left", what, left))
}

// Say writes a line of its own. What does not fit goes on below, a little more indented.
func (s *screen) Say(line string) {
	indent := len(line) - len(strings.TrimLeft(line, " "))
	s.Write([]byte(strings.Join(view.Wrap(line, max(view.Width(s.f), 20), indent+2), "\n") + "\n"))
}

func cut(text string, columns int) string {
	r := []rune(text)
	if len(r) <= columns {
		return text
	}
	return string(r[:max(columns-3, 0)]) + "..."
}
