package stage

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"socklife/internal/observe"
	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"

	"golang.org/x/sys/unix"
)

// Conn is a socket in a lesson. Each method makes the system call it is named after and then looks at what the kernel
// says of every socket of the run. A call that fails ends the run; where failing is the lesson, there is a Try form.
type Conn struct {
	side       *Side
	sock       *sockapi.Socket
	watch      *watch.Socket
	bound      bool      // bind was called
	hasPort    bool      // or connect() has ports of its own to choose from
	keep       bool      // stays open for the next run
	connecting time.Time // when connect() entered the kernel
	aborted    string    // why close() sent RST in place of FIN, if it did

	accepting atomic.Bool // accept(2) waits
	refused   atomic.Bool // the client was told that this is another scenario
	unheard   string      // what has been read beyond the line that was asked for
	began     []byte      // the first that came from the other side

	mu   sync.Mutex
	peer *watch.Socket
}

// Must ends the run if a call failed that the lesson needs.
func (c *Conn) Must(err error) {
	if err != nil {
		c.side.run.fail(err)
	}
}

// look samples everything, now that a call has returned.
func (c *Conn) look() { c.side.run.look() }

// Set is setsockopt(2).
func Set[T any](c *Conn, o interface {
	Set(*sockapi.Socket, T) error
}, v T) {
	c.Must(o.Set(c.sock, v))
}

// Get is getsockopt(2).
func Get[T any](c *Conn, o interface {
	Get(*sockapi.Socket) (T, error)
}) T {
	v, err := o.Get(c.sock)
	c.Must(err)
	return v
}

// Bind is bind(2).
func (c *Conn) Bind(addr netip.AddrPort) { c.Must(c.TryBind(addr)) }

// TryBind is bind(2) that may fail.
func (c *Conn) TryBind(addr netip.AddrPort) error {
	c.bound = true
	if c.side.Name == timeline.Server {
		c.applyUserOptions(c.side.run.cfg.OnListener)
	}
	defer c.look()
	if err := c.sock.Bind(addr); err != nil {
		c.side.limited(err)
		return err
	}
	c.hasPort = true
	addr = c.boundTo()
	if c.side.Name == timeline.Server {
		c.side.run.labels.serves(addr, c.sock.FD())
	}
	c.side.announce(addr, c.side.Name)
	return nil
}

// boundTo is the address that the socket has now. It is asked for the sake of those who watch from outside, and not a
// call of the lesson.
func (c *Conn) boundTo() netip.AddrPort {
	addr, _ := c.sock.Untraced().Getsockname()
	return addr
}

// Listen is listen(2). A backlog the user asked for goes before the lesson's.
func (c *Conn) Listen(backlog int) { c.Must(c.TryListen(backlog)) }

// TryListen is listen(2) that may fail.
func (c *Conn) TryListen(backlog int) error {
	if b := c.side.run.cfg.Backlog; b != nil {
		backlog = *b
	}
	defer c.look()
	return c.sock.Listen(backlog)
}

// applyUserOptions sets the socket options of the command line.
func (c *Conn) applyUserOptions(options func(*sockapi.Socket) error) {
	if options != nil {
		c.Must(options(c.sock))
	}
}

// Accept is accept4(2).
func (c *Conn) Accept() *Conn {
	conn, err := c.TryAccept()
	c.Must(err)
	return conn
}

// TryAccept is accept4(2) that may fail.
func (c *Conn) TryAccept() (*Conn, error) {
	c.accepting.Store(true) // before it is asked whether the run is over: who ends it asks the other way round
	defer c.accepting.Store(false)
	c.side.alive()
	if conn := c.side.takeHanded(c); conn != nil {
		return conn, nil
	}
	sock, from, err := c.sock.Accept4(0)
	for err == nil && c.side.isStranger(from) {
		c.side.turnAwayStranger(sock, from)
		c.side.alive()
		sock, from, err = c.sock.Accept4(0)
	}
	if err != nil {
		c.look()
		c.side.limited(err)
		return nil, err
	}
	conn := c.side.adopt(sock)
	if c.side.isAnother(c, conn) {
		c.side.leaveToNext(conn)
	}
	c.side.run.came(conn)
	c.look()
	conn.findPeer()
	return conn, nil
}

// TryAcceptBeside is TryAccept in a thread of its own. What it returns waits until that has ended.
func (c *Conn) TryAcceptBeside() (ended func() error) {
	woken := make(chan error, 1)
	go func() {
		defer close(woken)
		defer c.side.run.caught() // if the user quits before it
		_, err := c.TryAccept()
		woken <- err
	}()
	return func() error {
		err := <-woken
		c.side.alive()
		return err
	}
}

// Connect is connect(2).
func (c *Conn) Connect(addr netip.AddrPort) { c.Must(c.TryConnect(addr)) }

// TryConnect is connect(2) that may fail.
func (c *Conn) TryConnect(addr netip.AddrPort) error {
	c.applyUserOptions(c.side.run.cfg.OnConn)
	if from := c.side.run.cfg.Bind; from.IsValid() && !c.bound {
		c.Bind(from)
	}
	c.side.announce(addr, c.side.Name.Other())
	err := c.sock.Connect(addr)
	c.side.run.cameFrom(c.boundTo())
	c.connecting, _ = c.side.trace.Last()
	c.look()
	switch {
	case err == nil:
		c.findPeer()
	case !c.hasPort:
		c.side.limited(err)
	}
	return err
}

// TimeAttempt has the end of an attempt to connect looked out for, whatever this side does meanwhile. What it returns
// waits for that, and says how long the attempt has lasted since connect() entered the kernel.
func (c *Conn) TimeAttempt() (lasted func() time.Duration) {
	took := make(chan time.Duration, 1)
	go func() {
		end, _ := c.watch.Wait(c.side.run.ctx, tcpinfo.Closed, tcpinfo.Established)
		took <- end.Time.Sub(c.connecting)
	}()
	return func() time.Duration { return <-took }
}

// Write is write(2) of all of p. A blocking socket takes everything, waiting for room where there is none, unless a
// signal comes meanwhile: then what is left takes another call.
func (c *Conn) Write(p []byte) {
	for len(p) > 0 {
		n, err := c.TryWrite(p)
		c.Must(err)
		p = p[n:]
	}
}

// TryWrite is write(2) that may fail or fall short.
func (c *Conn) TryWrite(p []byte) (int, error) {
	defer c.look()
	return c.sock.Write(p)
}

// Read is read(2) of up to n bytes; none at the end of the stream.
func (c *Conn) Read(n int) []byte {
	b, err := c.TryRead(n)
	c.Must(err)
	return b
}

// TryRead is read(2) that may fail.
func (c *Conn) TryRead(n int) ([]byte, error) {
	return c.receive(n, c.sock.Read)
}

// receive makes a call that waits for up to n bytes.
func (c *Conn) receive(n int, call func([]byte) (int, error)) ([]byte, error) {
	c.side.reading.Store(c)
	b := make([]byte, n)
	n, err := call(b)
	c.side.reading.Store(nil)
	c.look()
	c.heard(b[:n])
	return b[:n], err
}

// ReadToEnd reads until read(2) gives 0: the peer has finished sending.
func (c *Conn) ReadToEnd() []byte {
	all, err := c.ReadUntilError()
	c.Must(err)
	return all
}

// ReadUntilError reads to the end of the stream, or until read(2) fails.
func (c *Conn) ReadUntilError() ([]byte, error) {
	var all []byte
	for {
		b, err := c.TryRead(64 << 10)
		all = append(all, b...)
		if len(all) > readLimit {
			c.Must(fmt.Errorf("the other side has sent %d bytes and goes on: that is not this lesson", len(all)))
		}
		var errno unix.Errno
		switch {
		case errors.As(err, &errno):
			return all, err
		case err != nil:
			c.Must(err)
		case len(b) == 0:
			return all, nil
		}
	}
}

// readLimit is more than a lesson sends, also where the user asked for large buffers for it to fill.
const readLimit = 32 << 20

// Shutdown is shutdown(2).
func (c *Conn) Shutdown(how int) { c.Must(c.TryShutdown(how)) }

// TryShutdown is shutdown(2) that may fail.
func (c *Conn) TryShutdown(how int) error {
	defer c.look()
	return c.sock.Shutdown(how)
}

// Close is close(2), and how long it took. The watcher goes on following what the kernel still has of the socket.
func (c *Conn) Close() time.Duration {
	defer c.look()
	if c.aborted = observe.WillAbort(c.sock); c.aborted != "" {
		c.Must(c.side.run.mismatch())
	}
	err := c.sock.Close()
	c.side.run.drop(c)
	if c.keep {
		c.side.listener = nil
	}
	c.Must(err)
	return c.side.trace.Took()
}

// finish closes what the lesson left open, as the end of its process would.
func (c *Conn) finish() {
	c.sock.Close()
	c.look()
}

// discard closes after a failure: with a reset, so that nothing of the connection stays in the kernel.
func (c *Conn) discard() {
	sockapi.SO_LINGER.Set(c.sock.Untraced(), sockapi.Linger{OnOff: true})
	c.sock.Close()
}

// Local and Remote are the two halves of the connection's name.
func (c *Conn) Local() netip.AddrPort  { return c.watch.Local() }
func (c *Conn) Remote() netip.AddrPort { return c.watch.Remote() }

// ReadFull reads n bytes, with as many calls as that takes. It returns fewer at the end of the stream.
func (c *Conn) ReadFull(n int) []byte {
	all := make([]byte, 0, n)
	for len(all) < n {
		b := c.Read(n - len(all))
		if len(b) == 0 {
			break
		}
		all = append(all, b...)
	}
	return all
}
