package trace

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// Event is one transition, as the kernel made it. The addresses and ports are what the socket held at that moment, see
// the package comment for where they are not there yet.
type Event struct {
	Time          time.Time // to the nanosecond, on the clock of time.Now
	Local, Remote netip.AddrPort
	From, To      tcpinfo.State

	// Lost is how many transitions, of any socket, the kernel is known to have lost since the event before: its buffer
	// was full.
	Lost uint64

	// Task is the thread that the CPU was running, by its number in the first PID namespace: the one that called
	// connect() or listen() where From is CLOSED, and for the other transitions anybody.
	Task int

	sock uint64 // the address of the kernel's struct sock: never shown
}

// ClosedIsNotTheEnd says whether To may be CLOSED because TIME-WAIT begins, or because nobody holds a socket in
// FIN-WAIT-2 any more, rather than because of a reset: the tracepoint shows them alike, and sock_diag tells them apart.
func (e Event) ClosedIsNotTheEnd() bool {
	return e.To == tcpinfo.Closed && (e.From == tcpinfo.FinWait2 || e.From == tcpinfo.Closing)
}

// Socket tells the kernel's sockets apart, as long as they live: it means nothing else.
func (e Event) Socket() uint64 { return e.sock }

// tracepoint is how records of sock:inet_sock_set_state look.
type tracepoint struct {
	layout
	id uint64 // what common_type holds in them
}

func parseTracepoint(format string) (p tracepoint, err error) {
	if _, err := fmt.Sscanf(format, "name: inet_sock_set_state\nID: %d\n", &p.id); err != nil {
		return p, fmt.Errorf("format of the tracepoint: its name and ID: %w", err)
	}
	p.layout, err = parseLayout(format, map[string][]int{
		"common_type": {2}, "common_pid": {4}, "skaddr": {4, 8}, "oldstate": {4}, "newstate": {4},
		"sport": {2}, "dport": {2}, "family": {2}, "protocol": {1, 2},
		"saddr": {4}, "daddr": {4}, "saddr_v6": {16}, "daddr_v6": {16},
	})
	return p, err
}

// record is a decoded one: an event whose time is still the kernel's.
type record struct {
	Event
	stamp uint64 // ns of CLOCK_MONOTONIC
}

var errRecord = errors.New("tracepoint: a record that is too short")

// decode reads one record. ok is false for what is not a transition of TCP: close(2) after shutdown(2), for one, sets
// the state that is set already.
func (p tracepoint) decode(stamp uint64, b []byte) (r record, ok bool, err error) {
	kind := p.layout["common_type"]
	if len(b) >= kind.end() && kind.uint(b) != p.id {
		return r, false, nil
	}
	if n := p.length(); len(b) < n {
		return r, false, fmt.Errorf("%w: %d bytes of %d", errRecord, len(b), n)
	}
	number := func(name string) uint64 { return p.layout[name].uint(b) }
	from, to := "saddr", "daddr"
	if number("family") == unix.AF_INET6 {
		from, to = "saddr_v6", "daddr_v6"
	}
	address := func(name, port string) netip.AddrPort {
		f := p.layout[name]
		addr, _ := netip.AddrFromSlice(b[f.offset:f.end()])
		return netip.AddrPortFrom(addr, uint16(number(port))) // the port is in the machine's byte order
	}
	r.stamp, r.sock, r.Task = stamp, number("skaddr"), int(int32(number("common_pid")))
	r.From, r.To = tcpinfo.State(number("oldstate")), tcpinfo.State(number("newstate"))
	r.Local, r.Remote = address(from, "sport"), address(to, "dport")
	return r, number("protocol") == unix.IPPROTO_TCP && r.From != r.To, nil
}
