// Package scenario holds the lessons. Each is one file with both sides in it: what the server calls, what the client
// calls, and what the kernel must then say, from top to bottom. echod runs the one half, echoc the other, and embedded
// mode both; the sides meet over the connection itself, or by waiting for a state of the kernel, never through memory
// they share, so the same code runs in one process, in two terminals and on two hosts.
//
// The words a lesson is written in are those of [Side] and [Conn]: the calls of the sockets API, which end the run if
// they fail, their Try forms, which hand the error over, and Expect and Check, which say what must be.
package scenario

// Group is the part of a connection's life that a scenario is about.
type Group string

const (
	Opening   Group = "Opening"
	Closing   Group = "Closing"
	Addresses Group = "Addresses"
	Failure   Group = "Failure"
)

// Groups in the order of a connection's life.
var Groups = []Group{Opening, Closing, Addresses, Failure}

// Scenario is one lesson.
type Scenario struct {
	Name   string
	Group  Group
	Lesson string // what it shows, in one line
	Source string // the RFC section or man page that says so
	Many   bool   // more than one connection: the view says which one a state belongs to

	Server func(*Side) // one run of the server's side
	Client func(*Side) // one run of the client's side

	// On the wire: what is prepared before the sides begin, what the wire does while they play. OnlyWire: there is no
	// other form of it. Injects: the wire delivers segments of its own, which a user's hand cannot.
	Prepare           func(*Wire)
	Wire              func(*Wire)
	OnlyWire, Injects bool
}
