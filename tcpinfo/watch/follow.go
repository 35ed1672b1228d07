package watch

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"slices"

	"socklife/tcpinfo"
)

// Follow begins to follow the socket of an open descriptor, and reports its state as the first change. If the socket
// is followed already (by another descriptor, as a listener's child, or by its addresses) the descriptor is attached
// to that Socket, and a tag that is not nil replaces its tag. tag is for the caller: [Socket.Tag] gives it back.
//
// c is used as long as its Control works; when that fails the descriptor is taken for closed, and when all of a
// Socket's are, sock_diag is asked in their stead. Follow keeps nothing open.
//
// Errors are Control's, and those of getsockopt(2): [*tcpinfo.Error] with ENOTSOCK, or EOPNOTSUPP where it is not TCP.
func (w *Watcher) Follow(c tcpinfo.Controller, tag any) (*Socket, error) {
	cookie, err := cookieOf(c)
	if err == nil {
		_, err = tcpinfo.Get(c)
	}
	if err != nil {
		return nil, err
	}
	w.sampling.Lock()
	defer w.sampling.Unlock()
	sk := w.byCookie[cookie]
	if local, remote, err := addrsOf(c); sk == nil && err == nil {
		sk = w.becomes(cookie, local, remote)
	}
	if sk == nil {
		sk = w.add(cookie, nil)
	}
	w.retag(sk, tag)
	sk.attach(c)
	w.sample(sk, look)
	w.finish()
	if !sk.seen() {
		return nil, fmt.Errorf("follow: %w", cmp.Or(sk.refused, os.ErrClosed))
	}
	return sk, nil
}

// FollowAddrs begins to follow the socket that has these addresses, in this process or another, and reports its state
// as the first change; only sock_diag is asked. The zero remote stands for a listener; a socket that is only bound is
// not found. If the socket is followed already, that Socket is returned, and a tag that is not nil replaces its tag.
// The error is that of [tcpinfo.Conn.Lookup]: tcpinfo.ErrNotFound if there is no such socket.
func (w *Watcher) FollowAddrs(local, remote netip.AddrPort, tag any) (*Socket, error) {
	w.sampling.Lock()
	defer w.sampling.Unlock()
	var sk *Socket
	var err error
	w.whileCalm(func() { sk, err = w.find(local, remote, tag) })
	if err != nil {
		return nil, err
	}
	w.retag(sk, tag)
	w.sample(sk, look)
	w.finish()
	if !sk.seen() { // a listener that went meanwhile
		return nil, fmt.Errorf("follow: %w", tcpinfo.ErrNotFound)
	}
	return sk, nil
}

// find is the socket that has these addresses, followed already or from now on.
func (w *Watcher) find(local, remote netip.AddrPort, tag any) (*Socket, error) {
	s, err := w.diag.Lookup(local, remote, 0)
	if err == nil && isTornDown(&s) {
		err = fmt.Errorf("follow %v > %v: %w", local, remote, tcpinfo.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	if sk := w.followed(s); sk != nil {
		return sk, nil
	}
	return w.addFound(s, tag), nil
}

// FollowChildren also follows the connections that come in through the listener, from their first sight on, half-open
// or waiting for accept, until accept and beyond; tag is what their Tag gives. Follow of the accepted descriptor finds
// the Socket that is there, by its cookie or, where the half-open entry had another, by its addresses.
//
// Children are discovered by a dump, every 20th poll and whenever the accept queue has one more than is accounted for;
// those of clients that are followed, too, are asked for by their addresses. One that is accepted before that is not
// found; one that is half-open, of a client that is not followed, is found 20 ms late at most. Where several listeners
// share a port and address (SO_REUSEPORT) the children of all are found.
func (w *Watcher) FollowChildren(listener *Socket, tag any) {
	w.sampling.Lock()
	defer w.sampling.Unlock()
	listener.children, listener.childTag = true, tag
	if !listener.known.gone {
		w.sample(listener, look)
	}
	w.finish()
}

func (w *Watcher) retag(sk *Socket, tag any) {
	if tag != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		sk.tag = tag
	}
}

// addFound begins to follow a socket that sock_diag named, and reports it.
func (w *Watcher) addFound(s tcpinfo.Socket, tag any) *Socket {
	sk := w.add(s.Cookie, tag)
	sk.setAddrs(s.Local, s.Remote)
	if s.State != tcpinfo.Listen {
		w.observe(sk, diagSample(s), look)
	}
	return sk
}

// attach adds a descriptor, once: some Controllers are made anew each time and some cannot be compared.
func (sk *Socket) attach(c tcpinfo.Controller) {
	if reflect.TypeOf(c).Comparable() && slices.Contains(sk.fds, c) {
		return
	}
	sk.fds = append(sk.fds, c)
}
