package stage

import (
	"errors"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// TryDropIncoming has every segment that arrives for the socket dropped before TCP sees it: SO_ATTACH_FILTER with a
// program that keeps 0 bytes of each. It is false where this user may not.
func (c *Conn) TryDropIncoming() bool {
	err := sockapi.SO_ATTACH_FILTER.Set(c.sock, []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return false
	}
	c.Must(err)
	return true
}

// Undrop has segments come through again.
func (c *Conn) Undrop() { Set(c, sockapi.SO_DETACH_FILTER, 0) }
