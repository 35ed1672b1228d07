package echo

import (
	"net/netip"
	"time"

	"socklife/sockapi"
)

// What a zero Config field stands for.
const (
	DefaultBacklog      = 4096 // the kernel's own limit, net.core.somaxconn, since Linux 5.4
	DefaultBufferSize   = 256 << 10
	DefaultDrainTimeout = 5 * time.Second
)

// Config says what a [Server] is to do.
type Config struct {
	// Addr is the address to listen on, IPv4 or IPv6; port 0 lets the kernel choose one.
	Addr netip.AddrPort
	// Backlog is listen(2)'s argument; nil is DefaultBacklog. The accept queue holds one connection more than this, and
	// the kernel silently lowers it to net.core.somaxconn.
	Backlog *int
	// NoReuseAddr leaves SO_REUSEADDR alone. It is otherwise set before bind(2), so that a server that was stopped can
	// be started again while connections that it closed first are still in TIME-WAIT on its port.
	NoReuseAddr bool

	// ListenerOptions is called with the listener between socket(2) and bind(2), to set options, which connections
	// inherit; nil is nothing. When it fails the server is not made.
	ListenerOptions func(*sockapi.Socket) error

	// Bound is called with the listener between bind(2) and listen(2): it has its address, and nobody can have come
	// yet; nil is nothing. When it fails the server is not made.
	Bound func(*sockapi.Socket) error

	// MaxConns is how many connections are served at once; 0 is no limit. While that many are open the server does not
	// call accept: the kernel completes the handshakes of further clients, which then wait in the accept queue, where
	// ss shows them, and are served when a connection ends. When that queue is full too, the kernel drops their SYNs.
	MaxConns int
	// IdleTimeout ends a connection on which no byte was read or written for so long; 0 is never. A client that keeps
	// sending and does not read what comes back is idle too, once both windows are full.
	IdleTimeout time.Duration
	// DrainTimeout is how long, after Serve's context ended, clients may take to come to rest; see Serve. 0 is
	// DefaultDrainTimeout; negative is no time at all.
	DrainTimeout time.Duration
	// BufferSize is how many bytes are read in one call, and so the most that a client that does not read its echo
	// costs in this process. 0 is DefaultBufferSize.
	BufferSize int

	// Tracer sees the calls on the listener and on the connections; nil is nobody, and costs nothing. It runs inside
	// the loop: when it blocks, every client waits.
	Tracer sockapi.Tracer

	// Events are told of what happens to connections.
	Events Events

	drainQuiet time.Duration // a test's, instead of the constant
	afterTurn  func(*loop)   // a test's, to look at the loop from inside it
}

// Events are called by the server as things happen; each may be nil. They run inside the loop, one at a time, so they
// should return soon, and they must not Close the socket.
type Events struct {
	// Accepted is called before anything is read. peer is what accept4(2) returned.
	Accepted func(s *sockapi.Socket, peer netip.AddrPort)
	// First is called with the first that a connection brought, before it is echoed. p is the loop's: it must not be
	// kept.
	First func(peer netip.AddrPort, p []byte)
	// PeerFinished is called when read(2) returned 0, which is the peer's FIN with everything before it echoed; the
	// close follows.
	PeerFinished func(s *sockapi.Socket)
	// Closed is called after close(2) returned. It is not called for a connection whose SO_LINGER still holds close(2)
	// up when the drain is over.
	Closed func(s *sockapi.Socket, end ConnReport)
	// AcceptPaused is called when the server stops accepting: why is ErrMaxConns, or the error of accept4(2). Clients
	// wait in the accept queue until AcceptResumed.
	AcceptPaused  func(why error)
	AcceptResumed func()
	// Draining is called when the listener is closed and open connections are left.
	Draining func(open int)
}

// withDefaults fills in what was left zero.
func (c Config) withDefaults() Config {
	if c.Backlog == nil {
		c.Backlog = new(DefaultBacklog)
	}
	if c.BufferSize <= 0 {
		c.BufferSize = DefaultBufferSize
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = DefaultDrainTimeout
	}
	if c.drainQuiet == 0 {
		c.drainQuiet = drainQuiet
	}
	if c.afterTurn == nil {
		c.afterTurn = func(*loop) {}
	}
	return c
}
