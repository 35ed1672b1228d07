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

	sock uint64 // the address of the kernel's struct sock: never shown
}

// ClosedIsNotTheEnd says whether To may be CLOSED because TIME-WAIT begins, or because nobody holds a socket in
// FIN-WAIT-2 any more, rather than because of a reset: the tracepoint shows them alike, and sock_diag tells them apart.
func (e Event) ClosedIsNotTheEnd() bool {
	return e.To == tcpinfo.Closed && (e.From == tcpinfo.FinWait2 || e.From == tcpinfo.Closing)
}

// layout is that of a record of sock:inet_sock_set_state.
type layout struct {
	id               uint64
	length           int
	kind             field // common to all tracepoints
	sock, from, to   field
	sport, dport     field
	family, protocol field
	saddr, daddr     field
	saddr6, daddr6   field
}

func parseLayout(text string) (layout, error) {
	f, err := parseFormat(text)
	if err != nil {
		return layout{}, err
	}
	l := layout{id: f.id}
	var errs []error
	take := func(v *field, find func() (field, error)) {
		var err error
		if *v, err = find(); err != nil {
			errs = append(errs, err)
		}
		l.length = max(l.length, v.end())
	}
	for name, v := range map[string]*field{
		"common_type": &l.kind, "skaddr": &l.sock, "oldstate": &l.from, "newstate": &l.to,
		"sport": &l.sport, "dport": &l.dport, "family": &l.family, "protocol": &l.protocol,
	} {
		take(v, func() (field, error) { return f.number(name) })
	}
	take(&l.saddr, func() (field, error) { return f.bytes("saddr", 4) })
	take(&l.daddr, func() (field, error) { return f.bytes("daddr", 4) })
	take(&l.saddr6, func() (field, error) { return f.bytes("saddr_v6", 16) })
	take(&l.daddr6, func() (field, error) { return f.bytes("daddr_v6", 16) })
	return l, errors.Join(errs...)
}

// record is a decoded one: an event whose time is still the kernel's.
type record struct {
	Event
	stamp uint64 // ns of CLOCK_MONOTONIC
}

var errRecord = errors.New("tracepoint: a record that is too short")

// decode reads one record. ok is false for what is not a transition of TCP: close(2)
// after shutdown(2), for one, sets the state that is set already.
func (l layout) decode(stamp uint64, b []byte) (r record, ok bool, err error) {
	if len(b) < l.kind.end() {
		return r, false, fmt.Errorf("%w: %d bytes", errRecord, len(b))
	}
	if l.kind.uint(b) != l.id {
		return r, false, nil
	}
	if len(b) < l.length {
		return r, false, fmt.Errorf("%w: %d bytes of %d", errRecord, len(b), l.length)
	}
	r.stamp, r.sock = stamp, l.sock.uint(b)
	r.From, r.To = tcpinfo.State(l.from.uint(b)), tcpinfo.State(l.to.uint(b))
	local, remote := uint16(l.sport.uint(b)), uint16(l.dport.uint(b)) // in the machine's byte order
	if l.family.uint(b) == unix.AF_INET6 {
		r.Local, r.Remote = addr6(b, l.saddr6, local), addr6(b, l.daddr6, remote)
	} else {
		r.Local, r.Remote = addr4(b, l.saddr, local), addr4(b, l.daddr, remote)
	}
	return r, l.protocol.uint(b) == unix.IPPROTO_TCP && r.From != r.To, nil
}

func addr4(b []byte, f field, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[f.offset:f.end()])), port)
}

func addr6(b []byte, f field, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[f.offset:f.end()])), port)
}
