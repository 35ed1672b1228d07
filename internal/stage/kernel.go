package stage

import (
	"fmt"

	"socklife/sockapi"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// What a lesson asks the kernel of a socket, beside its state.

// Last is what the kernel said of the socket when it was last asked.
func (c *Conn) Last() watch.Sample { return c.watch.Last() }

// LastDiag is what sock_diag said of it then; it is all zero where it said nothing, as of one that is gone.
func (c *Conn) LastDiag() tcpinfo.Socket { return diagOf(c.watch) }

// Diag is what sock_diag says of the socket now.
func (c *Conn) Diag() tcpinfo.Socket {
	d, found := c.TryDiag()
	if !found {
		c.side.Fail(fmt.Errorf("%s to %s: %w", c.Local(), c.Remote(), tcpinfo.ErrNotFound))
	}
	return d
}

// TryDiag is Diag of a socket that the kernel may not have any more.
func (c *Conn) TryDiag() (d tcpinfo.Socket, found bool) {
	return c.side.run.lookup(c.side.host, c.Local(), c.Remote(), c.watch.Cookie())
}

// Info is TCP_INFO now.
func (c *Conn) Info() tcpinfo.Info {
	i, err := tcpinfo.Get(c.sock)
	c.Must(err)
	return i
}

// Peer is the last the kernel said of the other end; ok is false where that end cannot be seen from here.
func (c *Conn) Peer() (s watch.Sample, ok bool) {
	if peer := c.findPeer(); peer != nil {
		return peer.Last(), true
	}
	return watch.Sample{}, false
}

// PeerDiag is LastDiag of the other end.
func (c *Conn) PeerDiag() (d tcpinfo.Socket, ok bool) {
	if peer := c.findPeer(); peer != nil {
		return diagOf(peer), true
	}
	return tcpinfo.Socket{}, false
}

// FollowChildren has the connections watched too that the kernel makes for this listener.
func (c *Conn) FollowChildren() { c.side.host.watch.FollowChildren(c.watch, c.side.Name) }

// Cookie is the kernel's number for the socket, whatever descriptors it has.
func (c *Conn) Cookie() uint64 { return c.watch.Cookie() }

// PendingError is SO_ERROR: the error that the socket has to tell, which it tells once. nil is none.
func (c *Conn) PendingError() error {
	if e := Get(c, sockapi.SO_ERROR); e != 0 {
		return e
	}
	return nil
}

// ConnectError is what became of a connect() that went on by itself: the error that SO_ERROR has to tell of it.
func (c *Conn) ConnectError() error {
	if e := Get(c, sockapi.SO_ERROR); e != 0 {
		return &sockapi.Error{Call: "connect", FD: -1, Addr: c.side.Addr, Errno: e}
	}
	return nil
}

// Dropped is how many SYNs this listener has dropped in its life; ss -ltm shows it as the d of skmem.
func (c *Conn) Dropped() uint32 {
	d := c.Diag()
	if d.Mem == nil {
		c.side.Unsupported("this kernel does not tell of a socket's drops", "Linux 4.7 or newer is needed")
	}
	return d.Mem.Drops
}

// CheckShutdown checks which directions the kernel says are shut. (Only sock_diag says it.)
func (c *Conn) CheckShutdown(expect string, want tcpinfo.Shutdown) {
	d, got := c.Diag(), "not reported"
	if d.Shutdown != nil {
		got = fmt.Sprint(d.Shutdown.Names())
	}
	c.side.Check("the kernel's shutdown bits: "+expect, d.Shutdown != nil && *d.Shutdown == want, "%s", got)
}

// TryDestroy is SOCK_DESTROY: no call on the socket, but a request to the kernel about it (sock_diag).
func (c *Conn) TryDestroy() error {
	c.side.Note("SOCK_DESTROY, as  ss -K src %s dst %s  sends it", c.Local(), c.Remote())
	defer c.look()
	return c.side.host.diag.Destroy(c.Local(), c.Remote(), c.watch.Cookie())
}

// diagOf is what sock_diag last said of a socket; it is all zero where it said nothing, as of one that is gone.
func diagOf(w *watch.Socket) tcpinfo.Socket {
	if d := w.Last().Diag; d != nil {
		return *d
	}
	return tcpinfo.Socket{}
}
