package observe

import (
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo/watch"
)

// descriptors knows which socket of the run each descriptor is of.
type descriptors struct {
	mu    sync.Mutex
	which map[int]int
}

// entered is the number of the socket that a call is about, before the kernel is entered: after close() the number of
// the descriptor may be another's.
func (t *Tracer) entered(c *sockapi.Call) (n int) {
	t.fds.mu.Lock()
	defer t.fds.mu.Unlock()
	n = t.fds.which[c.FD]
	switch c.Name {
	case "close":
		delete(t.fds.which, c.FD)
	case "connect":
		t.log.Sockets.Begins(n, t.side, timeline.Ends{Local: bound(c.FD), Remote: c.Addr})
	case "listen":
		t.log.Sockets.Begins(n, t.side, timeline.Ends{Local: bound(c.FD)})
	}
	return n
}

// returned is the number of the socket that a call made; 0 if it made none. Which it is the kernel says
// (getsockopt(SO_COOKIE)): that is asked for the timeline's sake, and not a call of the lesson.
func (t *Tracer) returned(c *sockapi.Call, of int) (made int) {
	if c.Errno != 0 {
		return 0
	}
	switch c.Name {
	case "dup":
		made = of
	case "socket", "accept4":
		cookie, err := unix.GetsockoptUint64(c.Ret, unix.SOL_SOCKET, unix.SO_COOKIE)
		if err != nil {
			return 0
		}
		made = t.log.Sockets.Call(cookie, t.side, c.Addr)
	default:
		return 0
	}
	t.fds.mu.Lock()
	defer t.fds.mu.Unlock()
	if t.fds.which == nil {
		t.fds.which = map[int]int{}
	}
	t.fds.which[c.Ret] = made
	return made
}

// identified is a call that has returned, as an event.
func (t *Tracer) identified(c *sockapi.Call, of int) *timeline.Call {
	e := call(c)
	made := t.returned(c, of)
	if e.Socket = of; c.Name == "socket" {
		e.Socket = made
	} else {
		e.NewSocket = made
	}
	return e
}

// bound is the address that a descriptor's socket has; invalid if none. That is asked for the timeline's sake too.
func bound(fd int) netip.AddrPort {
	switch sa, _ := unix.Getsockname(fd); sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// numberOf is the number of a socket that the watcher follows.
func numberOf(log *timeline.Log, side timeline.Side, c watch.Change) int {
	ends := timeline.Ends{Local: addr(c.Socket.Local()), Remote: addr(c.Socket.Remote())}
	return log.Sockets.Follow(c.Now.Time, c.Socket, c.Socket.Cookie(), side, ends, c.To, c.Now.Gone)
}
