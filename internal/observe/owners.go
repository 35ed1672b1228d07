package observe

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Owners tells whose an address is. Who watches from outside, at the tracepoint or on an interface, sees addresses and
// must tell which side they belong to: the server's are those that the server binds and that the client connects to. Of
// a connection one end is enough, but for a client that has no part in the server: others come there, too. The zero
// Owners knows none.
type Owners struct {
	mu    sync.Mutex
	sides map[netip.AddrPort]timeline.Side
	here  addresses

	// mine says whether a connection's client end is this program's; nil: each is.
	mine  func(client, server netip.AddrPort) bool
	found map[netip.AddrPort]finding // of client ends
}

// finding is what was said of a client end, and when.
type finding struct {
	mine bool
	at   time.Time
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
	client, server := remote, local
	if side, ours = o.owner(local); !ours {
		side, ours = o.owner(remote)
		side = side.Other()
	}
	if side == timeline.Client {
		client, server = local, remote
	}
	if ours && o.mine != nil && remote.Port() != 0 && client.Port() != 0 {
		ours = o.isMine(client, server)
	}
	return side, ours
}

// again is for how long a client end is taken for whose it was: its port may then be another's.
const again = time.Second

func (o *Owners) isMine(client, server netip.AddrPort) bool {
	client, now := tcpinfo.Canonical(client), time.Now()
	f, known := o.found[client]
	if !known || now.Sub(f.at) >= again {
		f = finding{o.mine(client, tcpinfo.Canonical(server)), now}
		if o.found == nil || len(o.found) > 1<<12 {
			o.found = map[netip.AddrPort]finding{}
		}
		o.found[client] = f
	}
	return f.mine
}

// owner is who has an address, or its port on all addresses of this host.
func (o *Owners) owner(addr netip.AddrPort) (side timeline.Side, known bool) {
	if side, known = o.sides[tcpinfo.Canonical(addr)]; known {
		return side, true
	}
	for _, a := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		if side, known = o.sides[netip.AddrPortFrom(a, addr.Port())]; known {
			return side, addr.Addr().IsUnspecified() || o.here.has(addr.Addr())
		}
	}
	return side, false
}

// addresses are those of this host.
type addresses struct {
	asked time.Time
	known map[netip.Addr]bool
}

// has says whether an address is one of them. They are asked for anew, but not again and again, where it is none.
func (a *addresses) has(ip netip.Addr) bool {
	if ip = ip.Unmap().WithZone(""); ip.IsLoopback() {
		return true
	}
	if now := time.Now(); !a.known[ip] && now.Sub(a.asked) > time.Second/10 {
		a.asked, a.known = now, HostAddresses()
	}
	return a.known[ip]
}

// HostAddresses are those of this host's interfaces, without zones.
func HostAddresses() map[netip.Addr]bool {
	known := map[netip.Addr]bool{}
	list, _ := net.InterfaceAddrs()
	for _, each := range list {
		if p, err := netip.ParsePrefix(each.String()); err == nil {
			known[p.Addr().Unmap()] = true
		}
	}
	return known
}
