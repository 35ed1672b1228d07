package trace

import (
	"fmt"
	"slices"
	"strings"
)

// ports select the sockets whose transitions are wanted: those that have one of them on either end. They are sorted.
//
// The kernel selects by port, so that a busy machine's other connections cost nothing. It cannot select by network
// namespace, and the tracepoint does not tell which one a socket is in: a socket of another namespace that uses one of
// the ports is seen as well. Use ports that the kernel picked, and compare with the addresses you know.
type ports []uint16

// with returns the ports with more of them.
func (p ports) with(more []uint16) ports {
	p = slices.Concat(p, more)
	slices.Sort(p)
	return slices.Compact(p)
}

// all says whether every socket is selected: port 0 stands for that.
func (p ports) all() bool { return len(p) > 0 && p[0] == 0 }

// wants says whether an event is selected.
func (p ports) wants(e *Event) bool {
	if p.all() {
		return true
	}
	_, local := slices.BinarySearch(p, e.Local.Port())
	_, remote := slices.BinarySearch(p, e.Remote.Port())
	return local || remote
}

// A filter's text may not be longer than a page, which is 4096 bytes at least.
const maxExpression = 4000

// none matches nothing: a socket's states differ from 0, and a record is made of one.
const none = "newstate == 0"

// expression is the filter as the kernel takes it (Documentation/trace/events.rst, "Event filtering"). Where there are
// too many ports it selects more than is wanted, and wants sorts the rest out.
func (p ports) expression() string {
	const tcp = "protocol == 6"
	if len(p) == 0 {
		return none
	}
	if p.all() {
		return tcp
	}
	terms := make([]string, 0, len(p))
	for _, port := range p {
		terms = append(terms, fmt.Sprintf("sport == %d || dport == %[1]d", port))
	}
	if e := tcp + " && (" + strings.Join(terms, " || ") + ")"; len(e) <= maxExpression {
		return e
	}
	return tcp
}
