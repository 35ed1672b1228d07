package echo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// What RunClient's error wraps, besides the errno of a call that failed.
var (
	// ErrOutputClosed: nobody reads the output any more (EPIPE). Filters stop quietly then.
	ErrOutputClosed = errors.New("output closed")
	// ErrInput and ErrOutput: the input cannot be read, the output cannot be written.
	ErrInput  = errors.New("cannot read the input")
	ErrOutput = errors.New("cannot write the output")
	// ErrIncomplete: the server finished in good order before all that was sent had come back.
	ErrIncomplete = errors.New("the server finished before everything had come back")
)

var errNoAddress = errors.New("no address to connect to")

// ClientConfig says what [RunClient] is to do.
type ClientConfig struct {
	// Addrs are tried in order, as a name resolved to them; the first that connects is used.
	Addrs []netip.AddrPort
	// In is sent until its end. What comes back goes to Out, byte for byte. A Read or Write of theirs cannot be
	// interrupted; RunClient does not wait for one in progress when the connection is over or the context ends.
	In  io.Reader
	Out io.Writer

	// Options is called between socket(2) and connect(2), to set options or to bind; nil is nothing.
	Options func(*sockapi.Socket) error
	// Tracer sees the calls on the socket, from two goroutines; nil is nobody.
	Tracer sockapi.Tracer
	// BufferSize is the most bytes read from In or from the server at once. 0 is DefaultBufferSize.
	BufferSize int

	Events ClientEvents
}

// ClientEvents are called as things happen; each may be nil. They must not Close the socket.
type ClientEvents struct {
	// Connected is called when the handshake is done.
	Connected func(s *sockapi.Socket, peer netip.AddrPort)
	// PeerFinished is called when read(2) returned 0, which is the server's FIN. If sending is true, the input has not
	// ended: the connection is half-closed by the server, and what is read from the input is still sent.
	PeerFinished func(s *sockapi.Socket, sending bool)
	// Closed is called after close(2) returned.
	Closed func(s *sockapi.Socket, report ClientReport)
}

// ClientReport is how far a client got. Bytes are those that the kernel took, and those that it gave.
type ClientReport struct {
	Peer           netip.AddrPort // invalid if there was no connection
	Sent, Received int64
}

// RunClient connects, sends In, half-closes at its end with shutdown(SHUT_WR), receives to the end of what the server
// sends, and closes.
//
// If the server finishes first, RunClient goes on sending, as TCP allows, until In ends or the server answers
// with RST, and tells through ClientEvents.PeerFinished. If ctx ends it shuts both directions down, closes, and returns
// context.Cause(ctx). In case of an error the report says how far it got:
//   - connect: the *sockapi.Error of the last address, with ECONNREFUSED, ETIMEDOUT, ENETUNREACH, …;
//   - the connection: ECONNRESET, EPIPE, ETIMEDOUT, …; ErrIncomplete. Where the connection lives it is ended;
//   - the streams: ErrInput (what was sent before is still received), ErrOutput, ErrOutputClosed.
func RunClient(ctx context.Context, cfg ClientConfig) (ClientReport, error) {
	if cfg.BufferSize <= 0 {
		cfg.BufferSize = DefaultBufferSize
	}
	sock, peer, err := dial(ctx, &cfg)
	if err != nil {
		return ClientReport{}, err
	}
	if cfg.Events.Connected != nil {
		cfg.Events.Connected(sock, peer)
	}
	c := &client{cfg: &cfg, sock: sock}
	err = c.run(ctx)
	c.events.end()
	if closeErr := c.close(); err == nil {
		err = closeErr
	}
	report := c.report(peer)
	if err == nil && report.Received < report.Sent {
		err = ErrIncomplete
	}
	if cfg.Events.Closed != nil {
		cfg.Events.Closed(sock, report)
	}
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w (%d bytes sent, %d came back)", err, report.Sent, report.Received)
	}
	return report, err
}

// dial connects to the first address that answers.
func dial(ctx context.Context, cfg *ClientConfig) (_ *sockapi.Socket, _ netip.AddrPort, err error) {
	err = errNoAddress
	for _, addr := range cfg.Addrs {
		var s *sockapi.Socket
		if s, err = dialOne(ctx, cfg, addr); err == nil {
			return s, addr, nil
		}
		if ctx.Err() != nil {
			return nil, addr, context.Cause(ctx)
		}
	}
	return nil, netip.AddrPort{}, err
}

func dialOne(ctx context.Context, cfg *ClientConfig, addr netip.AddrPort) (_ *sockapi.Socket, err error) {
	if !addr.IsValid() {
		return nil, errNoAddress // as a sockaddr it is AF_UNSPEC, with which connect(2) succeeds and does nothing
	}
	s, err := sockapi.NewSocket(domain(addr), unix.SOCK_STREAM, 0, cfg.Tracer)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = s.Close() // what went wrong first is what the caller should know
		}
	}()
	if cfg.Options != nil {
		if err := cfg.Options(s); err != nil {
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, s.Abort)
	err = s.Connect(addr)
	if !stop() && err == nil {
		err = context.Cause(ctx) // connected and aborted
	}
	return s, err
}

// client is one connection: a goroutine that sends, one that receives, and run, which waits for both.
type client struct {
	cfg            *ClientConfig
	sock           *sockapi.Socket
	counting       sync.RWMutex // held, shared, from before a call to after it is counted
	sent, received atomic.Int64
	sending        atomic.Bool // the input has not ended
	stuck          bool        // shutdown(2) failed: a read(2) may be in progress that nothing wakes
	events         gate
}

// close leaves it to the end of the process where it would have to wait for ever.
func (c *client) close() error {
	if c.stuck {
		return nil
	}
	return c.sock.Close()
}

// report waits until the calls that Close waited for are counted too.
func (c *client) report(peer netip.AddrPort) ClientReport {
	if !c.stuck {
		c.counting.Lock()
		defer c.counting.Unlock()
	}
	return ClientReport{Peer: peer, Sent: c.sent.Load(), Received: c.received.Load()}
}

// gate lets events through until the end, so that none comes after it: shutting the socket down makes read(2) return 0
// just as the server's FIN does.
type gate struct {
	mu    sync.Mutex
	ended bool
}

func (g *gate) call(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ended {
		f()
	}
}

func (g *gate) end() {
	g.mu.Lock()
	g.ended = true
	g.mu.Unlock()
}

// run returns when both directions are done, or one has failed in a way that ends both.
func (c *client) run(ctx context.Context) error {
	c.sending.Store(true)
	// With room for the result: nobody waits for a goroutine that hangs in In or Out when the rest is over.
	sent, received := make(chan error, 1), make(chan error, 1)
	go func() { sent <- c.send() }()
	go func() { received <- c.receive() }()

	var sendErr error
	for {
		select {
		case sendErr = <-sent:
			sent = nil
			if received == nil {
				return sendErr
			}
			if fromSocket(sendErr) && !c.hungUp(0) {
				// SO_SNDTIMEO, or want of memory, or a filter: the connection is alive, and we are not going to send
				// the rest.
				return c.giveUp(ctx, received, sendErr)
			}
			// Any other error means that the connection is gone, or that the input is: either way the receiver will
			// come to an end, and what has arrived until then should be had.
		case err := <-received:
			received = nil
			if err != nil {
				return c.hangUp(betterOf(err, sendErr))
			}
			if sent == nil {
				return sendErr
			}
		case <-ctx.Done():
			return c.hangUp(context.Cause(ctx))
		}
	}
}

// hangUp wakes calls in progress on the socket, which would keep Close waiting, and returns err.
func (c *client) hangUp(err error) error {
	c.events.end()
	// A call that the user sees, unlike Abort: it is what ends the connection. Where that has ended already nothing is
	// in progress.
	if !c.hungUp(0) {
		c.stuck = c.sock.Shutdown(unix.SHUT_RDWR) != nil
	}
	return err
}

// giveUp hangs up because of err, which came of sending. What has arrived by then is still had, unless that is what the
// server waits for: after SO_SNDTIMEO nobody waits for the output.
func (c *client) giveUp(ctx context.Context, received <-chan error, err error) error {
	_ = c.hangUp(err)
	if !c.stuck && !isTimeout(err) {
		select {
		case <-received: // read(2) still returns what is in the queue after SHUT_RD, and then 0
		case <-ctx.Done():
		}
	}
	return err
}
