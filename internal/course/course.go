// Package course is the order in which to meet the scenarios that everybody should have seen, each with the question
// that it answers, and remembers how far somebody has come.
package course

import (
	"slices"
	"strconv"
)

// Lesson is one step of the course.
type Lesson struct {
	Name     string // the scenario's
	Question string
}

// Lessons are all of them: each builds on those before.
var Lessons = []Lesson{
	{"handshake", "Which calls make a connection, and which one only fetches it?"},
	{"close", "Both sides call close(). Which states does each go through?"},
	{"half-close", "One side has finished sending. Can it still receive, and for how long?"},
	{"server-close", "This time the server closes first. What changes places?"},
	{"time-wait", "What is left after close(), for how long, and who can see it?"},
	{"reuseaddr", "Why does a server that is started again get EADDRINUSE, and what helps?"},
	{"close-wait-leak", "A server forgets close(). What becomes of both ends?"},
	{"refused", "Nobody listens at a port. What does the client get, and from whom?"},
	{"backlog", "The server does not call accept(). How many clients can connect?"},
	{"write-after-close", "The peer is gone, and a write succeeds. Which call tells of it?"},
	{"unread-data-reset", "When does close() send RST instead of FIN?"},
	{"linger-reset", "What does SO_LINGER with 0 seconds do, and what does it cost?"},
	{"lost-response", "The server wrote its answer and closed. How can the client not get it?"},
	{"crash", "The process is killed. Who tells the other side, and what?"},
}

// Find is the index of the lesson that is called so, or has that number, from 1.
func Find(word string) (i int, found bool) {
	if n, err := strconv.Atoi(word); err == nil {
		return n - 1, n >= 1 && n <= len(Lessons)
	}
	i = slices.IndexFunc(Lessons, func(l Lesson) bool { return l.Name == word })
	return i, i >= 0
}
