package stage

import (
	"net/netip"
	"sync"
	"time"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// Control says what of a lesson serves its sides to agree on the next step, and nothing else. That is labelled in the
// timeline, and a view may leave it out.
type Control int

const (
	NoControl       Control = iota
	ControlFirst            // the first connection; others come to the same listener
	ControlListener         // and so does the listener that it comes to
)

// control is the label of what does.
var control = timeline.Label{Name: "control", Aside: true}

// Name is what the timeline calls the socket from now on, where a lesson has several; the other end of its connection
// is called the same, unless it has a name of its own.
func (c *Conn) Name(name string) {
	l := &c.side.run.labels
	label := timeline.Label{Name: name}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fds[descriptor{c.side.Name, c.sock.FD()}] = label
	l.known[c.watch] = label
	l.join(timeline.Ends{Local: c.Local(), Remote: c.Remote()}, label)
}

// aside has the calls on c that f makes labelled: they are no part of the lesson.
func (c *Conn) aside(f func()) {
	l, fd := &c.side.run.labels, descriptor{c.side.Name, c.sock.FD()}
	set := func(on bool) (was bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		label := l.fds[fd]
		was, label.Aside = label.Aside, on
		l.fds[fd] = label
		return was
	}
	was := set(true)
	defer set(was)
	f()
}

// descriptor is one of a side: in one process the sides share the numbers, but never a descriptor.
type descriptor struct {
	side timeline.Side
	fd   int
}

// labels know which socket an event is of. Calls have a descriptor; what was sampled has its socket; transitions and
// segments have addresses alone. The first connection to the server's address is the control connection, if the lesson
// has one.
type labels struct {
	mu      sync.Mutex
	control Control
	fds     map[descriptor]timeline.Label
	known   map[*watch.Socket]timeline.Label
	ends    map[timeline.Ends]timeline.Label // of either end
	from    map[timeline.Ends]*watch.Socket  // whose label that is, if it is a socket's that was named

	server   netip.AddrPort         // where the first listener is
	listener int                    // its descriptor; 0: not known
	opened   map[timeline.Side]bool // has made its first socket
	claimed  bool                   // it is known which connection is the control connection
	accepted time.Time              // when it was; zero: not yet
	queued   bool                   // it is in the accept queue, as far as that was told
}

func (r *run) startLabels() {
	l := &r.labels
	if l.control = r.sc.Control; r.wire != nil && r.sc.Wire != nil {
		l.control = NoControl // there it is the wire that says what comes next
	}
	l.fds, l.known = map[descriptor]timeline.Label{}, map[*watch.Socket]timeline.Label{}
	l.ends, l.from = map[timeline.Ends]timeline.Label{}, map[timeline.Ends]*watch.Socket{}
	l.opened = map[timeline.Side]bool{}
	r.log.SetLabels(l.label)
}

// serves tells where the server is, and its first listener's descriptor (0: in another process).
func (l *labels) serves(addr netip.AddrPort, fd int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.server.IsValid() {
		l.server = addr
	}
	if l.listener != 0 || fd == 0 {
		return
	}
	l.listener, l.opened[timeline.Server] = fd, true
	if l.control == ControlListener {
		l.fds[descriptor{timeline.Server, fd}] = control
	}
}

// adopt labels the descriptor of a socket that is the lesson's from now on. What has been known of its connection holds
// for it.
func (l *labels) adopt(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fd := descriptor{c.side.Name, c.sock.FD()}
	label := l.fds[fd] // of the call that made it
	if known := l.socket(c.watch); known != (timeline.Label{}) {
		label = known
	}
	l.fds[fd], l.known[c.watch] = label, label
}

// sampled labels what the watcher saw of a socket.
func (l *labels) sampled(c watch.Change) timeline.Label {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.To == tcpinfo.Listen && c.What&watch.StateChanged == 0 {
		return l.queue(c, int(c.Now.AcceptQueue)+max(0, c.Now.SynQueue))
	}
	return l.socket(c.Socket)
}

func (l *labels) socket(sk *watch.Socket) timeline.Label {
	ends := timeline.Ends{Local: sk.Local(), Remote: sk.Remote()}
	label := l.known[sk]
	if label != (timeline.Label{}) {
		l.join(ends, label)
		l.from[canonical(ends)] = sk
	} else if !l.former(ends) {
		if label = l.connection(ends); label != (timeline.Label{}) {
			l.known[sk] = label
		}
	}
	return label
}

// join notes whose label a connection has, for who sees addresses alone.
func (l *labels) join(ends timeline.Ends, label timeline.Label) {
	if ends.Local.Port() == 0 || ends.Remote.Port() == 0 || ends.Local == ends.Remote {
		return
	}
	ends = canonical(ends)
	if label == control {
		l.claimed = true
	}
	l.ends[ends], l.ends[ends.Other()] = label, label
}

func canonical(e timeline.Ends) timeline.Ends {
	return timeline.Ends{Local: tcpinfo.Canonical(e.Local), Remote: tcpinfo.Canonical(e.Remote)}
}

// former tells whether the label that is known of these addresses is that of a connection which has come to its end:
// between them there is another one now.
func (l *labels) former(ends timeline.Ends) bool {
	for _, e := range []timeline.Ends{canonical(ends), canonical(ends).Other()} {
		if sk := l.from[e]; sk != nil {
			last := sk.Last()
			return last.Gone || last.State == tcpinfo.TimeWait || last.State == tcpinfo.Closed
		}
	}
	return false
}

// connection is the label of a connection by its addresses, or of a listener.
func (l *labels) connection(ends timeline.Ends) timeline.Label {
	if !ends.Remote.IsValid() {
		if l.control == ControlListener && l.isServer(ends.Local) {
			return control
		}
		return timeline.Label{}
	}
	if label, known := l.ends[canonical(ends)]; known {
		return label
	}
	if l.control == NoControl || l.claimed || !l.isServer(ends.Local) && !l.isServer(ends.Remote) {
		return timeline.Label{}
	}
	l.join(ends, control) // unless the kernel has not chosen the client's port yet
	return control
}

func (l *labels) isServer(a netip.AddrPort) bool {
	return l.server.Port() != 0 && a.Port() == l.server.Port() &&
		(l.server.Addr().IsUnspecified() || tcpinfo.Canonical(a) == tcpinfo.Canonical(l.server))
}

// label is the log's: it labels an event that has no label yet.
func (l *labels) label(side timeline.Side, b timeline.Body) {
	of := timeline.LabelOf(b)
	if of == nil || *of != (timeline.Label{}) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch b := b.(type) {
	case *timeline.Call:
		*of = l.call(side, b)
	case *timeline.Enter:
		if *of = l.fds[descriptor{side, b.FD}]; l.makesControl(side, b.Call, b.FD) {
			*of = control
		}
	case *timeline.State:
		if b.Source == tracepointSource {
			*of = l.connection(b.Ends())
		}
	case *timeline.Segment:
		*of = l.connection(timeline.Ends{Local: b.Src, Remote: b.Dst})
	}
}

const tracepointSource = "tracepoint"

// call is a call's label by its descriptor, or by that of the socket it made if that is the control connection's.
func (l *labels) call(side timeline.Side, b *timeline.Call) timeline.Label {
	if b.Errno == "" && (b.Call == "socket" || b.Call == "accept4") {
		made := l.made(side, b)
		l.fds[descriptor{side, b.Ret}] = made // the number may have been another's before
		if made.Aside {
			return made
		}
	}
	return l.fds[descriptor{side, b.FD}]
}

// made is the label of the socket that a call made. The lesson's first socket and first client are the control
// connection's.
func (l *labels) made(side timeline.Side, b *timeline.Call) (label timeline.Label) {
	switch {
	case l.control == NoControl:
	case b.Call == "socket" && !l.opened[side]:
		l.opened[side] = true
		if side == timeline.Client || l.control == ControlListener {
			return control
		}
	case b.Call == "accept4" && side == timeline.Server && b.FD == l.listener && l.accepted.IsZero():
		l.accepted = b.Sys.Returned
		l.join(timeline.Ends{Local: l.server, Remote: b.Sys.Addr}, control)
		return control
	}
	return label
}

// notThat takes back what was made of a connection that was accepted, and is not the client's.
func (l *labels) notThat(fd int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := (descriptor{timeline.Server, fd}); l.fds[d] == control {
		l.fds[d], l.accepted, l.claimed = timeline.Label{}, time.Time{}, false
	}
}

// queue labels how many wait at a listener: as long as that is the control connection and no other.
func (l *labels) queue(c watch.Change, waiting int) timeline.Label {
	label := l.known[c.Socket]
	if l.control != ControlFirst || !l.isServer(c.Socket.Local()) {
		return label
	}
	switch {
	case waiting == 1 && (l.accepted.IsZero() || c.Now.Time.Before(l.accepted)):
		l.queued, label.Aside = true, true
	case waiting == 0 && l.queued:
		l.queued, label.Aside = false, true
	default:
		l.queued = false
	}
	return label
}

// willBeAside tells of a call that has not been made yet whether it is beside the lesson.
func (l *labels) willBeAside(side timeline.Side, c *sockapi.Call) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.makesControl(side, c.Name, c.FD) || l.fds[descriptor{side, c.FD}].Aside
}

// makesControl tells of a call that has not returned whether it makes the control connection's socket.
func (l *labels) makesControl(side timeline.Side, call string, fd int) bool {
	switch {
	case l.control == NoControl:
	case call == "socket":
		return !l.opened[side] && (side == timeline.Client || l.control == ControlListener)
	case call == "accept4" && side == timeline.Server && fd == l.listener:
		return l.accepted.IsZero()
	}
	return false
}
