// Package course is the order in which to meet the scenarios that everybody should have seen, and remembers
// how far somebody has come.
package course

import (
	"slices"
	"strconv"
)

// Lessons are the names of the scenarios: each builds on those before.
var Lessons = []string{
	"handshake", "close", "half-close", "server-close", "time-wait",
	"reuseaddr", "close-wait-leak", "refused", "backlog", "write-after-close",
	"unread-data-reset", "linger-reset", "lost-response", "crash",
}

// Find is the index of the lesson that is called so, or has that number, from 1.
func Find(word string) (i int, found bool) {
	if n, err := strconv.Atoi(word); err == nil {
		return n - 1, n >= 1 && n <= len(Lessons)
	}
	i = slices.Index(Lessons, word)
	return i, i >= 0
}
