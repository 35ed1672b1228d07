package page

import (
	"net/netip"
	"strconv"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// socket is one of the run's.
type socket struct {
	Side     timeline.Side `json:"side"`
	Label    string        `json:"label"` // what tells it apart: its name, or the client's port; of a listener its own
	Local    string        `json:"local,omitempty"`
	Remote   string        `json:"remote,omitempty"`
	Listener bool          `json:"listener,omitempty"`
	Aside    bool          `json:"aside,omitempty"`

	ends   timeline.Ends
	states map[tcpinfo.State]bool // that it was seen in
}

// connection is a socket and the one at its other end, as far as the run tells of them.
type connection struct {
	Label  string `json:"label"`
	Client *int   `json:"client,omitempty"` // which of the sockets
	Server *int   `json:"server,omitempty"`
	Aside  bool   `json:"aside,omitempty"`
}

// sockets are those of a run, in the order in which they were met.
type sockets struct {
	all       []*socket
	known     map[whose]int
	listeners map[uint16]bool // ports
}

// whose tells sockets apart: by number, or in a record without numbers by addresses.
type whose struct {
	side   timeline.Side
	number int
	ends   timeline.Ends
}

func newSockets(steps []ladder.Step) *sockets {
	s := &sockets{known: map[whose]int{}, listeners: map[uint16]bool{}}
	for _, st := range steps {
		s.add(st)
	}
	for _, o := range s.all {
		if o.Listener {
			s.listeners[o.ends.Local.Port()] = true
		}
		if o.Label == "" {
			o.Label = o.port()
		}
	}
	return s
}

// add takes note of an event's socket, and of what it tells of it.
func (s *sockets) add(st ladder.Step) {
	key, ok := keyOf(st.Side, st.Body)
	if !ok {
		return
	}
	i, known := s.known[key]
	if !known {
		i = len(s.all)
		s.known[key] = i
		s.all = append(s.all, &socket{Side: st.Side, states: map[tcpinfo.State]bool{}})
	}
	o := s.all[i]
	if l := timeline.LabelOf(st.Body); l != nil {
		if l.Name != "" {
			o.Label = l.Name
		}
		o.Aside = o.Aside || l.Aside
	}
	switch b := st.Body.(type) {
	case *timeline.State:
		o.states[b.To] = true
		o.Listener = o.Listener || b.To == tcpinfo.Listen
		o.told(b.Ends())
	case *timeline.Queue:
		o.Listener = true
		o.told(timeline.Ends{Local: b.Local})
	}
}

// told keeps the addresses: a socket that is gone may be told of without.
func (o *socket) told(e timeline.Ends) {
	if e.Local.Port() != 0 {
		o.ends.Local, o.Local = e.Local, e.Local.String()
	}
	if e.Remote.IsValid() {
		o.ends.Remote, o.Remote = e.Remote, e.Remote.String()
	}
}

// port is the client's, which tells connections apart; a listener's is its own.
func (o *socket) port() string {
	addr := o.ends.Local
	if o.Side == timeline.Server && !o.Listener {
		addr = o.ends.Remote
	}
	return port(addr)
}

func port(a netip.AddrPort) string {
	if a.Port() == 0 {
		return ""
	}
	return ":" + strconv.Itoa(int(a.Port()))
}

func keyOf(side timeline.Side, b timeline.Body) (whose, bool) {
	n, ends := 0, timeline.Ends{}
	switch b := b.(type) {
	case *timeline.Enter:
		n = b.Socket
	case *timeline.Call:
		n = b.Socket
	case *timeline.State:
		n, ends = b.Socket, b.Ends()
	case *timeline.Queue:
		n, ends = b.Socket, timeline.Ends{Local: b.Local}
	}
	if n != 0 {
		ends = timeline.Ends{}
	}
	return whose{side, n, ends}, n != 0 || ends != timeline.Ends{}
}

// of is which socket an event is about.
func (s *sockets) of(side timeline.Side, b timeline.Body) (int, bool) {
	key, ok := keyOf(side, b)
	if !ok {
		return 0, false
	}
	i, ok := s.known[key]
	return i, ok
}

// connections pairs the sockets that have each other's addresses, in their order: what comes later between the same
// addresses is another connection.
func (s *sockets) connections() (list []connection) {
	paired := map[int]bool{}
	for i, o := range s.all {
		if paired[i] || !o.connects() {
			continue
		}
		paired[i] = true
		c := connection{Label: o.Label, Aside: o.Aside}
		c.put(o.Side, i)
		for j, other := range s.all {
			if !paired[j] && other.connects() && other.Side != o.Side && other.ends == o.ends.Other() {
				paired[j] = true
				c.put(other.Side, j)
				break
			}
		}
		list = append(list, c)
	}
	return list
}

func (c *connection) put(side timeline.Side, i int) {
	if side == timeline.Client {
		c.Client = &i
	} else {
		c.Server = &i
	}
}

// connects: it is no listener, and has been seen in a state that is one of a connection.
func (o *socket) connects() bool {
	return !o.Listener && (len(o.states) > 1 || len(o.states) == 1 && !o.states[tcpinfo.Closed])
}

// has tells whether a segment between these addresses is of a connection.
func (s *sockets) has(c connection, ends timeline.Ends) bool {
	for _, i := range []*int{c.Client, c.Server} {
		if i == nil {
			continue
		}
		if e := s.all[*i].ends; e == ends || e == ends.Other() {
			return true
		}
	}
	return false
}

// main is the connection that the most is seen of, which is the one that the lesson is about.
func (s *sockets) main(list []connection) (at int) {
	most := -1
	for i, c := range list {
		n := 0
		for _, end := range []*int{c.Client, c.Server} {
			if end != nil {
				n += len(s.all[*end].states)
			}
		}
		if n > most && !c.Aside {
			at, most = i, n
		}
	}
	return at
}
