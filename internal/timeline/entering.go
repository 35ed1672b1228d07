package timeline

import (
	"slices"
	"time"
)

// Entering is the call that an event begins, as it was before it returned; nil of an event that begins none.
func Entering(e Event) *Enter {
	switch b := e.Body.(type) {
	case *Enter:
		return b
	case *Call:
		if b.Split {
			return nil
		}
		return Alone(b)
	}
	return nil
}

// Entered is when the call of an event entered the kernel: the same of an event that was read from a record, which has
// At in microseconds.
func Entered(e Event, b *Call) time.Time {
	return e.Time.Add(time.Duration(b.EnteredUS)*time.Microsecond - e.At.Truncate(time.Microsecond))
}

// Alone is the entry of a call that has one event.
func Alone(b *Call) *Enter {
	e := &Enter{ID: b.ID, Call: b.Call, Args: PassedIn(b.Call, b.Args), FD: b.FD, Socket: b.Socket, Label: b.Label}
	if b.Call == "socket" { // which there is not yet
		e.FD, e.Socket = -1, 0
	}
	return e
}

// PassedIn are the arguments of a call that say nothing of what came back.
func PassedIn(call string, args []string) []string {
	n := len(args)
	switch call {
	case "read", "recvfrom", "accept4", "getsockname", "getpeername":
		n = 1
	case "ioctl":
		n = 2
	case "getsockopt":
		n = 3
	}
	return slices.Clone(args[:min(n, len(args))])
}
