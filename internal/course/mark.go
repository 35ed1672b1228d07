package course

import "slices"

// Advanced are the scenarios that can wait until somebody needs them: they are about what is seldom met, or about what
// only makes sense to those who know the others.
var Advanced = []string{
	"simultaneous-open", "self-connect", "accept-reset", "abort-on-overflow",
	"time-wait-reuse", "shutdown-read", "shutdown-listener", "urgent", "resets", "old-duplicate", "time-wait-reset",
	"reuseport", "abort",
}

// The marks of the scenarios to begin with, and of those that can wait. The others have none.
const (
	Core  = '★'
	Later = '☆'
)

// Mark is the mark of the scenario of that name, or a space.
func Mark(name string) rune {
	switch {
	case slices.Contains(Lessons, name):
		return Core
	case slices.Contains(Advanced, name):
		return Later
	}
	return ' '
}
