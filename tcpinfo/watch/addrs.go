package watch

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
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

// addrsOf asks getsockname(2) and getpeername(2). The remote address is invalid where the kernel says ENOTCONN, which
// it also says in SYN-SENT.
func addrsOf(c tcpinfo.Controller) (local, remote netip.AddrPort, err error) {
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
func cookieOf(c tcpinfo.Controller) (cookie uint64, err error) {
	e := c.Control(func(fd uintptr) {
		cookie, err = unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_COOKIE)
	})
	if e != nil {
		return 0, e
	}
	if err != nil {
		errno, _ := err.(unix.Errno)
		return 0, &tcpinfo.Error{Op: "getsockopt(SO_COOKIE)", Errno: errno}
	}
	return cookie, nil
}

func familyOf(a netip.AddrPort) uint8 {
	if a.Addr().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// learnAddrs learns between which addresses the open descriptor is now, and says whether they are others than were
// known. In SYN-SENT the kernel does not tell the peer's address to the descriptor, but does so in a dump.
func (sk *Socket) learnAddrs(state tcpinfo.State) (changed bool) {
	if len(sk.fds) == 0 {
		return false
	}
	local, remote, err := addrsOf(sk.fds[0])
	if err != nil {
		return false
	}
	switch {
	case state == tcpinfo.Closed || state == tcpinfo.Listen:
		remote = netip.AddrPort{}
	case remote.Port() == 0:
		if s, err := sk.findInDump(local); err == nil {
			local, remote = s.Local, s.Remote
		}
	}
	changed = local != sk.Local() || remote != sk.Remote()
	sk.setAddrs(local, remote)
	return changed
}

// findInDump finds the socket by its cookie alone. It costs a dump, and is as good as sock_diag's word gets: a dump
// locks each chain of the table, an exact lookup does not and may miss an entry that is just being replaced by another
// (on kernels before 6.18, a half-open entry by its connection, or a connection by its time-wait entry).
func (sk *Socket) findInDump(local netip.AddrPort) (tcpinfo.Socket, error) {
	f := tcpinfo.Filter{LocalPort: local.Port(), States: tcpinfo.AllStates &^ tcpinfo.MaskOf(tcpinfo.Closed, tcpinfo.BoundInactive)}
	if local.IsValid() {
		f.Family = familyOf(local)
	}
	for range tornDownTries {
		list, err := sk.w.diag.Dump(f)
		if err != nil {
			return tcpinfo.Socket{}, err
		}
		i := slices.IndexFunc(list, func(s tcpinfo.Socket) bool { return sk.w.followed(s) == sk })
		if i < 0 {
			break
		}
		if !isTornDown(&list[i]) {
			return list[i], nil
		}
	}
	return tcpinfo.Socket{}, tcpinfo.ErrNotFound
}

// tornDownTries is how often a dump is repeated that met the socket while it was being taken apart.
const tornDownTries = 5

// lookup asks sock_diag for the socket's own cookie at the addresses it is known to have.
func (sk *Socket) lookup() (tcpinfo.Socket, error) {
	s, err := sk.w.diag.Lookup(sk.Local(), sk.Remote(), sk.cookie)
	if err == nil && isTornDown(&s) {
		return tcpinfo.Socket{}, tcpinfo.ErrNotFound
	}
	return s, err
}

// isTornDown recognises a socket that was taken out of the tables while the kernel was describing it: its port is given
// back already, or it reads CLOSED. A time-wait entry may have taken its place meanwhile, so it says nothing of the
// connection.
func isTornDown(s *tcpinfo.Socket) bool { return s.State == tcpinfo.Closed || s.Local.Port() == 0 }
