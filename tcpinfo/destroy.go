package tcpinfo

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Destroy makes the kernel abort a socket (SOCK_DESTROY, Linux 4.5): its owner's next call fails with ECONNABORTED, and
// the peer is sent an RST. The parameters are Lookup's. A cookie makes sure that it is this socket and no other:
// without one it is looked up first, because for a connection that is gone the kernel would take the listener instead.
//
// Errors: ErrNotFound; ErrPermission (and EPERM) without CAP_NET_ADMIN; ErrNotSupported where the kernel was built
// without CONFIG_INET_DIAG_DESTROY.
func (c *Conn) Destroy(local, remote netip.AddrPort, cookie uint64) error {
	if cookie == 0 || cookie == noCookie {
		s, err := c.Lookup(local, remote, 0)
		if err != nil {
			return err
		}
		cookie = s.Cookie
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := request{family: familyOf(local, remote), local: local, remote: remote, cookie: cookie, iface: c.zoneOf(local, remote)}
	rep, err := c.exchange(r.append(c.newRequest()), sockDestroy, unix.NLM_F_ACK, nil)
	if err != nil {
		return fmt.Errorf("destroy %v > %v: %w", local, remote, err)
	}
	return destroyError(rep.ack, local, remote)
}

func destroyError(a ack, local, remote netip.AddrPort) error {
	if a.errno == 0 {
		return nil
	}
	e := &Error{Op: "destroy", Local: local, Remote: remote, Errno: a.errno, Detail: a.detail}
	switch {
	case errors.Is(a.errno, unix.ENOENT):
		e.kind = ErrNotFound
	case errors.Is(a.errno, unix.EPERM):
		e.kind, e.Detail = ErrPermission, "it takes CAP_NET_ADMIN in the socket's network namespace"
	case errors.Is(a.errno, unix.EOPNOTSUPP):
		e.kind, e.Detail = ErrNotSupported, "Linux 4.5 with CONFIG_INET_DIAG_DESTROY has it"
	}
	return e
}
