package observe

import (
	"net/netip"
	"sync"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Owners tells whose an address is. Who watches from outside, at the tracepoint or on an interface, sees addresses and
// must tell which side they belong to: the server's are those that the server binds and that the client connects to. Of
// a connection one end is enough. The zero Owners knows none.
type Owners struct {
	mu    sync.Mutex
	sides map[netip.AddrPort]timeline.Side
}

// Claim notes whose an address is. The first to say so is right.
func (o *Owners) Claim(addr netip.AddrPort, side timeline.Side) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sides == nil {
		o.sides = map[netip.AddrPort]timeline.Side{}
	}
	if _, known := o.sides[tcpinfo.Canonical(addr)]; !known {
		o.sides[tcpinfo.Canonical(addr)] = side
	}
}

// Of tells which side the socket at the local end is of; ours is false if neither end was claimed.
func (o *Owners) Of(local, remote netip.AddrPort) (side timeline.Side, ours bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if side, ours = o.owner(local); !ours {
		side, ours = o.owner(remote)
		side = side.Other()
	}
	return side, ours
}

// owner is who has an address, or its port on all addresses.
func (o *Owners) owner(addr netip.AddrPort) (side timeline.Side, known bool) {
	for _, a := range []netip.Addr{addr.Addr(), netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		if side, known = o.sides[tcpinfo.Canonical(netip.AddrPortFrom(a, addr.Port()))]; known {
			return side, true
		}
	}
	return side, false
}
