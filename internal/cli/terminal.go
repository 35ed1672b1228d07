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
	lines chan string
	turn  chan struct{} // one question at a time: two sides may be waiting
}

func newStepper(in *os.File) *stepper {
	s := &stepper{lines: make(chan string), turn: make(chan struct{}, 1)}
	go func() {
		defer close(s.lines)
		for sc := bufio.NewScanner(in); sc.Scan(); {
			s.lines <- sc.Text()
		}
	}()
	return s
}

// Step is a scenario.Stepper.
func (s *stepper) Step(ctx context.Context, side timeline.Side, next string) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	fmt.Fprintf(os.Stderr, "Enter: %s %s ", side, next)
	select {
	case line, more := <-s.lines:
		if !more || line == "q" {
			return ErrInterrupted
		}
		return nil
	case <-ctx.Done():
		fmt.Fprintln(os.Stderr)
		return ctx.Err()
	}
}
