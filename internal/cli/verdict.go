package cli

import (
	"errors"
	"fmt"
	"socklife/internal/stage"
)

// Verdict is nil if all that was expected came; otherwise it says what did not.
func Verdict(name string, r stage.Result) error {
	switch {
	case r.Err != nil:
		return r.Err
	case r.Failed > 0:
		return fmt.Errorf("%s: %d of %d checks failed", name, r.Failed, r.Checks)
	}
	return nil
}

// ClientVerdict is Verdict for a client whose server is another process: where that plays something else, nothing comes
// as the lesson has it. (An ErrMismatch says that itself.)
func ClientVerdict(name string, r stage.Result) error {
	err := Verdict(name, r)
	if err != nil && (r.Failed > 0 && !errors.Is(err, stage.ErrMismatch)) {
		return unlikeLesson{err, name}
	}
	return err
}

// unlikeLesson is an error that another program at the other end would explain.
type unlikeLesson struct {
	error
	scenario string
}

func (e unlikeLesson) Unwrap() error { return e.error }
