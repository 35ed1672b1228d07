package tcpinfo

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Lookup finds one socket by its addresses and ports, exactly. It costs about five microseconds: the kernel walks no
// table.
//
// cookie is the socket's own number, from SO_COOKIE or from an earlier reply; with it, a socket that took over the same
// addresses is told from the one that had them before. 0 is any. The zero remote stands for a listening or a bound-only
// socket, in which local must be the address it is bound to (0.0.0.0 or [::] for any); the kernel cannot look
// bound-only sockets up, nor one of several listeners that share a port, so these cost a dump.
//
// The error is ErrNotFound (and ENOENT) if there is no such socket, else *Error with the kernel's errno.
func (c *Conn) Lookup(local, remote netip.AddrPort, cookie uint64) (Socket, error) {
	s, err := c.lookup(local, remote, cookie)
	if err != nil && remote.Port() == 0 && local.Port() != 0 {
		if e, ok := err.(*Error); ok && e.kind == ErrNotFound {
			return c.lookupUnconnected(local, remote, cookie, e)
		}
	}
	return s, err
}

func (c *Conn) lookup(local, remote netip.AddrPort, cookie uint64) (s Socket, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := request{family: familyOf(local, remote), local: local, remote: remote, cookie: cookie, iface: c.zoneOf(local, remote)}
	if cookie == 0 {
		r.cookie = noCookie
	}
	rep, err := c.exchange(r.append(c.newRequest()), sockDiagByFamily, 0, nil)
	if err == nil && rep.body != nil {
		err = (&decoder{kernel: c.kernel}).decode(&s, rep.body)
	}
	if err != nil {
		return Socket{}, fmt.Errorf("lookup %v > %v: %w", local, remote, err)
	}
	// Of a connection that is gone, the kernel without a cookie finds the listener that the client had connected to.
	if rep.body != nil && s.is(local, remote, cookie) {
		return s, nil
	}
	if a := rep.ack; a.errno != 0 && a.errno != unix.ENOENT {
		return Socket{}, &Error{Op: "lookup", Local: local, Remote: remote, Errno: a.errno, Detail: a.detail}
	}
	return Socket{}, &Error{Op: "lookup", Local: local, Remote: remote, Errno: unix.ENOENT, kind: ErrNotFound}
}

// lookupUnconnected finds a socket that the kernel's lookup does not: bound-only, or one of several listeners on a
// port.
func (c *Conn) lookupUnconnected(local, remote netip.AddrPort, cookie uint64, notFound error) (Socket, error) {
	list, err := c.Dump(Filter{States: MaskOf(Listen, BoundInactive), LocalPort: local.Port()})
	if err != nil {
		return Socket{}, err
	}
	for _, s := range list {
		if s.is(local, remote, cookie) {
			return s, nil
		}
	}
	return Socket{}, notFound
}

// is says whether the socket is the one asked for. IPv4-mapped addresses are the same as IPv4 ones: an IPv6 socket that
// speaks IPv4 is found by either.
func (s *Socket) is(local, remote netip.AddrPort, cookie uint64) bool {
	return (cookie == 0 || cookie == noCookie || s.Cookie == cookie) && sameAddr(s.Local, local) && sameAddr(s.Remote, remote)
}

func sameAddr(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() && (!b.Addr().IsValid() && a.Addr().IsUnspecified() || bare(a.Addr()) == bare(b.Addr()))
}

// Canonical is an address in the one spelling that all sources can be compared in: IPv4 where it is mapped into IPv6,
// which sock_diag says of an IPv6 socket that speaks IPv4, and package net of every IPv4 connection; and without a
// zone, which sock_diag never says.
func Canonical(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(bare(a.Addr()), a.Port()) }

func bare(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// familyOf picks the table: IPv4's if either address is an IPv4 address.
func familyOf(local, remote netip.AddrPort) uint8 {
	if local.Addr().Unmap().Is4() || remote.Addr().Unmap().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
