package record

import (
	"slices"

	"socklife/internal/timeline"
)

// Source is where events come from, one after the other; io.EOF is after the last.
type Source interface {
	Next() (timeline.Event, error)
}

// Entering is the call that an event begins, as it was before it returned; nil of an event that begins none.
func Entering(e timeline.Event) *timeline.Enter {
	switch b := e.Body.(type) {
	case *timeline.Enter:
		return b
	case *timeline.Call:
		if b.Split {
			return nil
		}
		return Alone(b)
	}
	return nil
}

// Alone is the entry of a call that has one event.
func Alone(b *timeline.Call) *timeline.Enter {
	e := &timeline.Enter{ID: b.ID, Call: b.Call, Args: passedIn(b), FD: b.FD, Socket: b.Socket, Label: b.Label}
	if b.Call == "socket" { // which there is not yet
		e.FD, e.Socket = -1, 0
	}
	return e
}

// passedIn are the arguments that say nothing of what came back.
func passedIn(b *timeline.Call) []string {
	n := len(b.Args)
	switch b.Call {
	case "read", "recvfrom", "accept4", "getsockname", "getpeername":
		n = 1
	case "ioctl":
		n = 2
	case "getsockopt":
		n = 3
	}
	return slices.Clone(b.Args[:min(n, len(b.Args))])
}
