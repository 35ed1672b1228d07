package scenario

import (
	"errors"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// TryDeafen has every segment that arrives for the socket dropped before TCP sees it: SO_ATTACH_FILTER with a program that
// keeps 0 bytes of each. It is false where this user may not.
func (c *Conn) TryDeafen() bool {
	err := sockapi.SO_ATTACH_FILTER.Set(c.sock, []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return false
	}
	c.must(err)
	return true
}

// Undeafen has segments come through again.
func (c *Conn) Undeafen() { set(c, sockapi.SO_DETACH_FILTER, 0) }
