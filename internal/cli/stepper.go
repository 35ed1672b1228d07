package cli

import (
	"context"
	"fmt"

	"socklife/internal/timeline"
)

// stepper asks on the terminal before each call. Enter makes it, q or the end of input ends the run.
type stepper struct {
	out   *screen
	lines <-chan string
	turn  chan struct{} // one question at a time: two sides may be waiting
}

func newStepper(lines <-chan string, out *screen) *stepper {
	return &stepper{out: out, lines: lines, turn: make(chan struct{}, 1)}
}

// Step is a stage.Stepper.
func (s *stepper) Step(ctx context.Context, side timeline.Side, next string) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	s.out.Ask(fmt.Sprintf("Enter: %s %s ", side, next))
	defer s.out.Answered()
	select {
	case line, more := <-s.lines:
		if !more || line == "q" {
			return ErrInterrupted
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
