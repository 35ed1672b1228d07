package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"socklife/internal/timeline"
)

// stepper asks on the terminal before each call. Enter makes it, q or the end of input ends the run.
type stepper struct {
	out   *screen
	lines chan string
	turn  chan struct{} // one question at a time: two sides may be waiting
}

func newStepper(in *os.File, out *screen) *stepper {
	s := &stepper{out: out, lines: make(chan string), turn: make(chan struct{}, 1)}
	go func() {
		defer close(s.lines)
		for sc := bufio.NewScanner(in); sc.Scan(); {
			s.lines <- sc.Text()
		}
	}()
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
