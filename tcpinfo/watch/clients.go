package watch

import (
	"net/netip"
	"time"

	"socklife/tcpinfo"
)

// A dump for what came in through a listener goes through all of the kernel's table of connections: most of a
// millisecond where memory is plenty, though next to nothing is in it. Where the clients are followed, too, what they
// are connected to can be asked for by its addresses, some microseconds each. Dumps then tell of others' clients.

// strangersAfter is how old the last dump may be: what comes from a client that is not followed is seen that late.
const strangersAfter = 20 * time.Millisecond

// ofClients asks for what came in through the listener from clients that are followed, and was not accepted. It says
// whether that is all there is, as far as the last dump and the accept queue's length tell.
func (sk *Socket) ofClients(queue uint32) (half, waiting []tcpinfo.Socket, all bool) {
	if sk.strangers || time.Since(sk.dumped) > strangersAfter {
		return nil, nil, false
	}
	local := sk.Local()
	var list []tcpinfo.Socket
	for _, c := range sk.w.sockets {
		if c.mayConnect() {
			return nil, nil, false
		}
		if !c.connects(local) {
			continue
		}
		if sk.w.accepted(c.Remote(), c.Local()) {
			continue
		}
		s, err := sk.w.diag.Lookup(c.Remote(), c.Local(), 0)
		if err != nil || isTornDown(&s) { // a dump is as good as sock_diag's word gets
			return nil, nil, false
		}
		list = append(list, s)
	}
	half, waiting = tcpinfo.Unaccepted(list, local, familyOf(local))
	return half, waiting, len(waiting) == int(queue)
}

// connects says whether the socket is a client, in any state but CLOSED and TIME-WAIT, of who listens at that address.
func (sk *Socket) connects(to netip.AddrPort) bool {
	remote := sk.Remote()
	return sk.connected && !sk.known.gone && !sk.known.timeWait && sk.known.state != tcpinfo.Closed &&
		remote.Port() == to.Port() && (to.Addr().IsUnspecified() && familyOf(remote) == familyOf(to) || remote == to)
}

// mayConnect says whether a descriptor that was CLOSED when it was last sampled is so no more: to whom it has connected
// meanwhile is not known yet.
func (sk *Socket) mayConnect() bool {
	if sk.known.state != tcpinfo.Closed || sk.known.gone {
		return false
	}
	info, open := sk.read()
	return open && info.State != tcpinfo.Closed && info.State != tcpinfo.Listen
}

// accepted says whether the connection between these addresses is followed by a descriptor, as what waits for accept
// has none.
func (w *Watcher) accepted(local, remote netip.AddrPort) bool {
	for _, sk := range w.sockets {
		if len(sk.fds) > 0 && sk.connected && sk.Local() == local && sk.Remote() == remote {
			return true
		}
	}
	return false
}

// clientOf is the other end, nil if it is not followed.
func (w *Watcher) clientOf(local, remote netip.AddrPort) *Socket {
	for _, sk := range w.sockets {
		if sk.connected && !sk.known.gone && sk.Local() == remote && sk.Remote() == local {
			return sk
		}
	}
	return nil
}
