package cli

import (
	"context"
	"fmt"
	"strings"

	"socklife/internal/timeline"
)

// stepper asks on the terminal before each call. Enter makes it, q or the end of input ends the run.
type stepper struct {
	out   *screen
	begin func() // shows the title
	lines <-chan string
	turn  chan struct{} // one question at a time: two sides may be waiting
}

func newStepper(lines <-chan string, out Output) *stepper {
	s := &stepper{out: out.screen, begin: out.head, lines: lines, turn: make(chan struct{}, 1)}
	onStop(s.out.Hide, s.out.Redraw) // until the program ends
	return s
}

// Step is a stage.Stepper.
func (s *stepper) Step(ctx context.Context, side timeline.Side, next string) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	s.begin()
	defer s.out.Answered()
	for {
		s.out.Ask(fmt.Sprintf("Enter: %s %s", side, next), "q quits, ? helps")
		select {
		case line, more := <-s.lines:
			s.out.Typed()
			switch strings.TrimSpace(line) {
			case "q":
				return ErrInterrupted
			case "?", "h":
				s.out.Say("Enter makes this call. q and Enter end the run. Until then this side waits; the kernels and the other side go on.")
				continue
			}
			if !more {
				return ErrInterrupted
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
