package stage

import "socklife/internal/unsupported"

// Unsupported ends the run: this kernel, or this user, cannot do it. How says how to get it.
func (s *Side) Unsupported(what, how string) { s.run.fail(unsupported.New(what, how, nil)) }
