package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Filter says which sockets' transitions are wanted.
//
// The kernel selects by port, so that a busy machine's other connections cost nothing. It cannot select by network
// namespace, and the tracepoint does not tell which one a socket is in: a socket of another namespace that uses one of the
// ports is seen as well. Use ports that the kernel picked, and Nets; compare with the addresses you know.
type Filter struct {
	// Ports selects sockets that have one of them on either end; others can be added while the trace runs. Use the
	// server's: a client gets its own only after it has gone to SYN-SENT. Without any, nothing is seen until one is added.
	Ports []uint16
	// Everything selects every TCP socket of the machine, whatever Ports holds.
	Everything bool
	// Nets, if not empty, selects sockets one end of which has an address in one of them, and those that have no
	// address at all, like a listener on every address.
	Nets []netip.Prefix
}

// with returns the filter with more ports.
func (f Filter) with(ports []uint16) Filter {
	f.Ports = slices.Concat(f.Ports, ports)
	slices.Sort(f.Ports)
	f.Ports = slices.Compact(f.Ports)
	return f
}

// wants says whether an event is selected.
func (f Filter) wants(e *Event) bool {
	return f.wantsPorts(e.Local.Port(), e.Remote.Port()) && f.wantsAddrs(e.Local.Addr(), e.Remote.Addr())
}

func (f Filter) wantsPorts(local, remote uint16) bool {
	if f.Everything {
		return true
	}
	_, l := slices.BinarySearch(f.Ports, local)
	_, r := slices.BinarySearch(f.Ports, remote)
	return l || r
}

func (f Filter) wantsAddrs(ends ...netip.Addr) bool {
	if len(f.Nets) == 0 {
		return true
	}
	specified := false
	for _, a := range ends {
		a = a.Unmap()
		if a.IsUnspecified() {
			continue
		}
		specified = true
		if slices.ContainsFunc(f.Nets, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return true
		}
	}
	return !specified
}

// A filter's text may not be longer than a page, which is 4096 bytes at least.
const maxExpression = 4000

// none matches nothing: a socket's states differ from 0, and a record is made of one.
const none = "newstate == 0"

// expression is the filter as the kernel takes it (Documentation/trace/events.rst, "Event filtering"). Where there are too
// many ports it selects more than is wanted, and wants sorts the rest out.
func (f Filter) expression() string {
	const tcp = "protocol == 6"
	switch {
	case f.Everything:
		return tcp
	case len(f.Ports) == 0:
		return none
	}
	terms := make([]string, 0, len(f.Ports))
	for _, p := range f.Ports {
		terms = append(terms, fmt.Sprintf("sport == %d || dport == %[1]d", p))
	}
	if e := tcp + " && (" + strings.Join(terms, " || ") + ")"; len(e) <= maxExpression {
		return e
	}
	return tcp
}
