package survey

import (
	"net/netip"
	"slices"

	"socklife/internal/diagnose"
	"socklife/internal/owner"
	"socklife/tcpinfo"
)

// Target is which sockets are asked for. The zero Target is all of them.
type Target struct {
	Addr netip.AddrPort // one of the ends; without an address the port alone, on either end
	Here bool           // the address is one of this host's: a listener on all addresses is one on this, too
	PID  int            // of a process: those that it has open, or had, and those that wait at its listeners

	Began string // when that process did, by owner.Began: another that has its number is none
	over  bool   // it has ended
}

// wants says whether a socket is one of those that were asked for.
func (c *Config) wants(f *diagnose.Facts) bool {
	return c.States.Has(f.State) && slices.ContainsFunc(c.Targets, func(t Target) bool { return t.fits(f) })
}

// port is the one that all targets have; 0 if they have none in common. What belongs to such a socket has it, too: its
// listener, and the socket at its other end.
func (c *Config) port() (port uint16) {
	for _, t := range c.Targets {
		p := t.Addr.Port()
		if t.PID != 0 || p == 0 || port != 0 && p != port {
			return 0
		}
		port = p
	}
	return port
}

func (t Target) fits(f *diagnose.Facts) bool {
	switch {
	case t.PID != 0:
		has := func(h owner.Holder) bool { return h.PID == t.PID }
		return !t.over && slices.ContainsFunc(f.Owners, has) ||
			f.Inode == 0 && (slices.ContainsFunc(f.Had, has) || f.Listener != nil && slices.ContainsFunc(f.Listener.Owners, has))
	}
	return t.at(f.Local, f.Remote, f.State == tcpinfo.Listen)
}

// at says whether a target that is no process fits a socket with these ends.
func (t Target) at(local, remote netip.AddrPort, listens bool) bool {
	to := tcpinfo.Canonical(t.Addr)
	switch {
	case t.PID != 0:
		return false
	case !t.Addr.IsValid() && to.Port() == 0:
		return true
	case !t.Addr.IsValid():
		return local.Port() == to.Port() || remote.Port() == to.Port()
	case t.Here && listens && local.Addr().Unmap().IsUnspecified() && local.Port() == to.Port():
		return true
	}
	return tcpinfo.Canonical(local) == to || tcpinfo.Canonical(remote) == to
}
