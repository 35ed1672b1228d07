package scenario

import (
	"net/netip"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Who watches from outside, at the tracepoint or on an interface, sees addresses and must tell whose they are: the
// server's are those that the server binds and that the client connects to. Of a connection one end is enough.

// belongs notes whose an address is. The first to say so is right.
func (r *run) belongs(addr netip.AddrPort, side timeline.Side) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.addrs[tcpinfo.Canonical(addr)]; !known {
		r.addrs[tcpinfo.Canonical(addr)] = side
	}
}

// whose tells which side the socket at the local end is of; ours is false if it is not of this run.
func (r *run) whose(local, remote netip.AddrPort) (side timeline.Side, ours bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if side, ours = r.owner(local); !ours {
		side, ours = r.owner(remote)
		side = side.Other()
	}
	return side, ours
}

// owner is who has an address, or its port on all addresses.
func (r *run) owner(addr netip.AddrPort) (side timeline.Side, known bool) {
	for _, a := range []netip.Addr{addr.Addr(), netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		if side, known = r.addrs[tcpinfo.Canonical(netip.AddrPortFrom(a, addr.Port()))]; known {
			return side, true
		}
	}
	return side, false
}
