package timeline

import (
	"time"

	"socklife/sockapi"
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
	e := &Enter{ID: b.ID, Call: b.Call, Args: b.Arguments().passedIn(), FD: b.FD, Socket: b.Socket, Label: b.Label}
	if b.Call == "socket" { // which there is not yet
		e.FD, e.Socket = -1, 0
	}
	return e
}

// EntryOf is a call that enters the kernel: with the arguments that are passed in, the flags last.
func EntryOf(c *sockapi.Call, socket int) *Enter {
	all := Arguments{c.Name, c.Args()}
	e := &Enter{Call: c.Name, Args: all.passedIn(), FD: c.FD, Socket: socket}
	if flags := all.Flags(); flags != "" && len(e.Args) < len(all.list) {
		e.Args = append(e.Args, flags)
	}
	return e
}
