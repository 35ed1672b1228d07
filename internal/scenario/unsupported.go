package scenario

import "fmt"

// Unsupported is what this kernel, or this user, cannot do; How says how to get it.
type Unsupported struct{ What, How string }

func (u Unsupported) Error() string { return fmt.Sprintf("%s: %s", u.What, u.How) }

// Unsupported ends the run: it cannot be played here.
func (s *Side) Unsupported(what, how string) { s.run.fail(Unsupported{what, how}) }
