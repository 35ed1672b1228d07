package tcpinfo

import (
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"slices"
)

// Follow begins to follow the socket of an open descriptor, and reports its state as the first change. If the socket
// is followed already (by another descriptor, as a listener's child, or by its addresses) the descriptor is attached
// to that Watch, and a tag that is not nil replaces its tag. tag is for the caller: [Watch.Tag] gives it back.
//
// c is used as long as its Control works; when that fails the descriptor is taken for closed, and when all of a Watch's
// are, sock_diag is asked in their stead. Follow keeps nothing open.
//
// Errors are Control's, and those of getsockopt(2): [*Error] with ENOTSOCK, or EOPNOTSUPP where it is not TCP.
func (w *Watcher) Follow(c Controller, tag any) (*Watch, error) {
	cookie, err := cookieOf(c)
	if err == nil {
		_, err = Get(c)
	}
	if err != nil {
		return nil, err
	}
	w.sampling.Lock()
	defer w.sampling.Unlock()
	wt := w.byCookie[cookie]
	if wt == nil {
		wt = w.add(cookie, nil)
	}
	w.retag(wt, tag)
	wt.attach(c)
	w.sample(wt, look)
	w.finish()
	if !wt.seen {
		return nil, fmt.Errorf("follow: %w", os.ErrClosed)
	}
	return wt, nil
}

// FollowTuple begins to follow the socket that has these addresses, in this process or another, and reports its state as
// the first change; only sock_diag is asked. The zero remote stands for a listener; a socket that is only bound is not
// found. If the socket is followed already, that Watch is returned, and a tag that is not nil replaces its tag. The error
// is that of [Conn.Lookup]: ErrNotFound if there is no such socket.
func (w *Watcher) FollowTuple(local, remote netip.AddrPort, tag any) (*Watch, error) {
	w.sampling.Lock()
	defer w.sampling.Unlock()
	s, err := w.diag.Lookup(local, remote, 0)
	if err == nil && isTornDown(&s) {
		err = fmt.Errorf("follow %v > %v: %w", local, remote, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	wt := w.byCookie[s.Cookie]
	if wt == nil {
		wt = w.addFound(s, tag)
	}
	w.retag(wt, tag)
	w.sample(wt, look)
	w.finish()
	if !wt.seen { // a listener that went meanwhile
		return nil, fmt.Errorf("follow: %w", ErrNotFound)
	}
	return wt, nil
}

// FollowChildren also follows the connections that come in through the listener, from their first sight on, half-open or
// waiting for accept, until accept and beyond; tag is what their Tag gives. Follow of the accepted descriptor finds the
// Watch that is there, because a connection inherits the cookie of its half-open entry.
//
// Children are discovered by a dump, one each Look and every 20th poll; one that is accepted before that is not found.
// Where several listeners share a port and address (SO_REUSEPORT) the children of all are found.
func (w *Watcher) FollowChildren(listener *Watch, tag any) {
	w.sampling.Lock()
	defer w.sampling.Unlock()
	listener.children = &childOptions{tag: tag}
	if !listener.known.gone {
		w.sample(listener, look)
	}
	w.finish()
}

func (w *Watcher) retag(wt *Watch, tag any) {
	if tag != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		wt.tag = tag
	}
}

// addFound begins to follow a socket that sock_diag named, and reports it.
func (w *Watcher) addFound(s Socket, tag any) *Watch {
	wt := w.add(s.Cookie, tag)
	wt.setTuple(s.Local, s.Remote)
	wt.connected = s.Remote.Port() != 0
	if s.State != Listen {
		w.observe(wt, diagSample(s), look)
	}
	return wt
}

// attach adds a descriptor, once: some Controllers are made anew each time and some cannot be compared.
func (wt *Watch) attach(c Controller) {
	if reflect.TypeOf(c).Comparable() && slices.Contains(wt.fds, c) {
		return
	}
	wt.fds = append(wt.fds, c)
}
