package tcpinfo

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// addrPortOf converts a socket's name. An IPv4-mapped address stays one; a scope becomes a zone by its number.
func addrPortOf(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		a := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 {
			a = a.WithZone(strconv.FormatUint(uint64(sa.ZoneId), 10))
		}
		return netip.AddrPortFrom(a, uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// localOf asks getsockname(2).
func localOf(c Controller) (netip.AddrPort, error) {
	var sa unix.Sockaddr
	var err error
	if e := c.Control(func(fd uintptr) { sa, err = unix.Getsockname(int(fd)) }); e != nil {
		return netip.AddrPort{}, e
	}
	return addrPortOf(sa), err
}

// tupleOf asks getsockname(2) and getpeername(2). The remote address is invalid where the kernel says ENOTCONN, which it
// also says in SYN-SENT.
func tupleOf(c Controller) (local, remote netip.AddrPort, err error) {
	var lsa, rsa unix.Sockaddr
	e := c.Control(func(fd uintptr) {
		if lsa, err = unix.Getsockname(int(fd)); err != nil {
			return
		}
		if rsa, err = unix.Getpeername(int(fd)); errors.Is(err, unix.ENOTCONN) {
			err = nil
		}
	})
	if e != nil {
		err = e
	}
	return addrPortOf(lsa), addrPortOf(rsa), err
}

// cookieOf asks getsockopt(SO_COOKIE) (Linux 4.12).
func cookieOf(c Controller) (cookie uint64, err error) {
	e := c.Control(func(fd uintptr) {
		cookie, err = unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_COOKIE)
	})
	if e != nil {
		return 0, e
	}
	if err != nil {
		errno, _ := err.(unix.Errno)
		return 0, &Error{Op: "getsockopt(SO_COOKIE)", Errno: errno}
	}
	return cookie, nil
}

func familyOfAddr(a netip.AddrPort) uint8 {
	if a.Addr().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// learnTuple learns between which addresses the open descriptor is now, and says whether they are others than were known.
// In SYN-SENT the kernel does not tell the peer's address to the descriptor, but does so in a dump.
func (wt *Watch) learnTuple(state State) (changed bool) {
	if len(wt.fds) == 0 {
		return false
	}
	local, remote, err := tupleOf(wt.fds[0])
	if err != nil {
		return false
	}
	switch {
	case state == Closed || state == Listen:
		remote = netip.AddrPort{}
	case remote.Port() == 0:
		if s, err := wt.findInDump(local); err == nil {
			local, remote = s.Local, s.Remote
		}
	}
	changed = local != wt.Local() || remote != wt.Remote()
	wt.setTuple(local, remote)
	wt.connected = remote.Port() != 0
	return changed
}

// findInDump finds the socket by its cookie alone. It costs a dump, and is as good as sock_diag's word gets: a dump locks
// each chain of the table, an exact lookup does not and may miss an entry that is just being replaced by another
// (on kernels before 6.18, a half-open entry by its connection, or a connection by its time-wait entry).
func (wt *Watch) findInDump(local netip.AddrPort) (Socket, error) {
	f := Filter{LocalPort: local.Port(), States: AllStates &^ MaskOf(Closed, BoundInactive)}
	if local.IsValid() {
		f.Family = familyOfAddr(local)
	}
	for range dumpTries {
		list, err := wt.w.diag.Dump(f)
		if err != nil {
			return Socket{}, err
		}
		i := slices.IndexFunc(list, func(s Socket) bool { return s.Cookie == wt.cookie })
		if i < 0 {
			break
		}
		if !isTornDown(&list[i]) {
			return list[i], nil
		}
	}
	return Socket{}, ErrNotFound
}

// lookup asks sock_diag for the watch's own cookie at the addresses it is known to have.
func (wt *Watch) lookup() (Socket, error) {
	s, err := wt.w.diag.Lookup(wt.Local(), wt.Remote(), wt.cookie)
	if err == nil && isTornDown(&s) {
		return Socket{}, ErrNotFound
	}
	return s, err
}

// isTornDown recognises a socket that was taken out of the tables while the kernel was describing it: its port is given
// back already, or it reads CLOSED. A time-wait entry may have taken its place meanwhile, so it says nothing of the
// connection.
func isTornDown(s *Socket) bool { return s.State == Closed || s.Local.Port() == 0 }
