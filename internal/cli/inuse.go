package cli

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	owned "socklife/internal/owner"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// EADDRINUSE says that somebody has the address. The kernel knows who: sock_diag, asked right after the call, has every
// socket on the port, and /proc, as far as this user may read it, the process that has it open.

// inTheWay says what has the address that bind(2) or listen(2) was refused; "" if nothing is found there any more.
func inTheWay(addr netip.AddrPort) string {
	list := socketsOn(tcpinfo.Filter{LocalPort: addr.Port()})
	list = slices.DeleteFunc(list, func(s tcpinfo.Socket) bool { return addr.Port() == 0 || !overlap(s.Local.Addr(), addr.Addr()) })
	if len(list) == 0 {
		return ""
	}
	// A listener is in the way of everybody; a connection that was accepted shares its port, and is none.
	first := slices.MinFunc(list, func(a, b tcpinfo.Socket) int { return cmp.Compare(obstacle(a), obstacle(b)) })
	switch first.State {
	case tcpinfo.Listen:
		return fmt.Sprintf("%s listens there", owner(first))
	case tcpinfo.TimeWait:
		return fmt.Sprintf("%s: wait, or give --reuseaddr both times; port 0 picks a free one", connection(first))
	case tcpinfo.Closed:
		return fmt.Sprintf("%s has bound it", owner(first))
	}
	return fmt.Sprintf("%s has %s", owner(first), connection(first))
}

// obstacle orders sockets by how much they are in the way.
func obstacle(s tcpinfo.Socket) int {
	switch s.State {
	case tcpinfo.Listen:
		return 0
	case tcpinfo.TimeWait:
		return 3
	case tcpinfo.Closed:
		return 1
	}
	return 2
}

// usedUp says which connections to an address there are, of which connect(2) said that it has no address for one more.
func usedUp(to netip.AddrPort) string {
	list := socketsOn(tcpinfo.Filter{RemotePort: to.Port()})
	list = slices.DeleteFunc(list, func(s tcpinfo.Socket) bool { return tcpinfo.Canonical(s.Remote) != tcpinfo.Canonical(to) })
	switch len(list) {
	case 0:
		return ""
	case 1:
		return "there is " + connection(list[0])
	}
	waiting := 0
	for _, s := range list {
		if s.State == tcpinfo.TimeWait {
			waiting++
		}
	}
	return fmt.Sprintf("there are %d connections to it, %d of them in TIME-WAIT", len(list), waiting)
}

func socketsOn(f tcpinfo.Filter) []tcpinfo.Socket {
	diag, err := tcpinfo.Dial()
	if err != nil {
		return nil
	}
	defer diag.Close()
	list, err := diag.Dump(f)
	if err != nil {
		return nil
	}
	return list
}

// overlap tells whether sockets with these addresses would be in each other's way.
func overlap(a, b netip.Addr) bool {
	a, b = a.Unmap().WithZone(""), b.Unmap().WithZone("")
	return a == b || a.IsUnspecified() || b.IsUnspecified()
}

// connection is one in words.
func connection(s tcpinfo.Socket) string {
	text := fmt.Sprintf("a connection from %s to %s in %s", s.Local, s.Remote, s.State)
	if s.State == tcpinfo.TimeWait {
		text += fmt.Sprintf(", %d s left", (s.Timer.Expires+time.Second-1)/time.Second)
	}
	return text
}

// owner is the process that has a socket open, if this user may see it.
func owner(s tcpinfo.Socket) string {
	for _, h := range owned.Of(s.Inode) {
		return h.Name()
	}
	if s.Inode == 0 {
		return "no process"
	}
	return fmt.Sprintf("a process of user %d", s.UID)
}

// inUse is the hint for a call that was refused its address.
func inUse(call *sockapi.Error) string {
	if what := inTheWay(call.Addr); what != "" {
		return fmt.Sprintf(" (%s)", what)
	}
	return fmt.Sprintf(" (another socket has it: ss -tanp 'sport = :%d'; port 0 picks a free one)", call.Addr.Port())
}
