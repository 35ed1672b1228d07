package cli

import (
	"errors"
	"fmt"

	"socklife/internal/stage"
)

// Verdict is nil if all that was expected came; otherwise it says what did not.
func Verdict(name string, r stage.Result) error {
	switch {
	case r.OK():
		return nil
	case r.Interrupted: // whatever else came of it
		return because{errors.Join(ErrInterrupted, r.Err), r.Why()}
	case r.Err != nil:
		return because{r.Err, r.Why()}
	}
	return fmt.Errorf("%s: %s", name, r.Why())
}

// because is an error in the words of the run that ended with it.
type because struct {
	error
	why string
}

func (b because) Error() string { return b.why }
func (b because) Unwrap() error { return b.error }
