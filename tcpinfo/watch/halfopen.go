package watch

import (
	"net/netip"

	"socklife/tcpinfo"
)

// A connection has the cookie of the half-open entry that it was, and sometimes it has not: the kernel gives an entry
// its cookie when it is first asked for one, and if a dump asks after the connection has been copied from the entry
// (inet_csk_clone_lock) and before it has taken the entry's place, the two have different ones. Then the addresses tell
// that they are one life: the kernel lets nothing else begin between them as long as the entry is there.

// followed is the Socket that sock_diag's s is, nil if none.
func (w *Watcher) followed(s tcpinfo.Socket) *Socket {
	if sk := w.byCookie[s.Cookie]; sk != nil || s.Info == nil {
		return sk
	}
	return w.becomes(s.Cookie, s.Local, s.Remote)
}

// becomes finds the half-open entry that was last seen between these addresses, and gives it the cookie of the
// connection that is there now; nil if there was none.
func (w *Watcher) becomes(cookie uint64, local, remote netip.AddrPort) *Socket {
	for _, sk := range w.sockets {
		if sk.isHalfOpen() && tcpinfo.Canonical(sk.Local()) == tcpinfo.Canonical(local) &&
			tcpinfo.Canonical(sk.Remote()) == tcpinfo.Canonical(remote) {
			delete(w.byCookie, sk.cookie)
			w.byCookie[cookie] = sk
			w.mu.Lock()
			defer w.mu.Unlock()
			sk.cookie = cookie
			return sk
		}
	}
	return nil
}

// isHalfOpen says whether the socket was an entry of a listener, and no connection, when it was last seen.
func (sk *Socket) isHalfOpen() bool {
	return sk.known.state == tcpinfo.SynReceived && !sk.known.gone && len(sk.fds) == 0 && sk.Last().Info == nil
}
