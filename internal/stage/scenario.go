package stage

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
	Name        string
	Group       Group
	Lesson      string // what it shows, in one line
	Source      string // the RFC section or man page that says so
	CountsQueue bool   // what is in the server's accept queue is the lesson: nobody else's connection may be
	Many        bool   // more than one connection: the view says which one a state belongs to

	Control Control // what of it is beside the lesson

	Server func(*Side) // one run of the server's side
	Client func(*Side) // one run of the client's side

	ServerNeeds, ClientNeeds Needs // of the settings of each side's host

	// Where old segments meet new ones: what all the sequence numbers count from, in words. It is the SYNs that were
	// seen first between two ports. "": those of each connection count from its own.
	SeqOrigin string

	// On the wire: what is prepared before the sides begin, what the wire does while they play. OnlyWire: there is no
	// other form of it. Injects: the wire delivers segments of its own, which a user's hand cannot.
	Prepare           func(*Wire)
	Wire              func(*Wire)
	OnlyWire, Injects bool

	// What somebody who plans a lesson must know. Seconds: how long it waits for the kernel's timers, about; 0: for
	// none that lasts so long. NeedsRoot: the kernel refuses an ordinary user what it is about, but for a wire's
	// hosts, which are their own. MoreAsRoot: an ordinary user is shown less of it.
	Seconds               int
	NeedsRoot, MoreAsRoot bool
}
