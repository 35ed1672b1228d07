package scenario

import (
	"bytes"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// Conn is a socket in a lesson. Each method makes the system call it is named after and then looks at what the kernel says
// of every socket of the run. A call that fails ends the run; where failing is the lesson, there is a Try form.
type Conn struct {
	side    *Side
	sock    *sockapi.Socket
	watch   *watch.Socket
	bound   bool   // bind was called
	keep    bool   // stays open for the next run
	aborted string // why close() sent RST in place of FIN, if it did

	unheard string // what has been read beyond the line that was asked for

	mu   sync.Mutex
	peer *watch.Socket
}

// must ends the run if a call failed that the lesson needs.
func (c *Conn) must(err error) {
	if err != nil {
		c.side.run.fail(err)
	}
}

// look samples everything, now that a call has returned.
func (c *Conn) look() { c.side.run.look() }

// set is setsockopt(2).
func set[T any](c *Conn, o interface {
	Set(*sockapi.Socket, T) error
}, v T) {
	c.must(o.Set(c.sock, v))
}

// get is getsockopt(2).
func get[T any](c *Conn, o interface {
	Get(*sockapi.Socket) (T, error)
}) T {
	v, err := o.Get(c.sock)
	c.must(err)
	return v
}

// Bind is bind(2).
func (c *Conn) Bind(addr netip.AddrPort) { c.must(c.TryBind(addr)) }

// TryBind is bind(2) that may fail.
func (c *Conn) TryBind(addr netip.AddrPort) error {
	c.bound = true
	if c.side.Name == timeline.Server {
		c.readers(c.side.run.cfg.OnListener)
	}
	defer c.look()
	if err := c.sock.Bind(addr); err != nil {
		return err
	}
	c.side.announce(c.boundTo(), c.side.Name)
	return nil
}

// boundTo is the address that the socket has now. It is asked for the sake of those who watch from outside, and not a call of the lesson.
func (c *Conn) boundTo() netip.AddrPort {
	addr, _ := c.sock.Untraced().Getsockname()
	return addr
}

// Listen is listen(2). A backlog the reader asked for goes before the lesson's.
func (c *Conn) Listen(backlog int) { c.must(c.TryListen(backlog)) }

// TryListen is listen(2) that may fail.
func (c *Conn) TryListen(backlog int) error {
	if b := c.side.run.cfg.Backlog; b != nil {
		backlog = *b
	}
	defer c.look()
	return c.sock.Listen(backlog)
}

// readers applies the options that the reader set on the command line.
func (c *Conn) readers(options func(*sockapi.Socket) error) {
	if options != nil {
		c.must(options(c.sock))
	}
}

// Accept is accept4(2).
func (c *Conn) Accept() *Conn {
	conn, err := c.TryAccept()
	c.must(err)
	return conn
}

// TryAccept is accept4(2) that may fail.
func (c *Conn) TryAccept() (*Conn, error) {
	sock, _, err := c.sock.Accept4(0)
	if c.side.run.ctx.Err() == nil {
		c.side.met()
	}
	if err != nil {
		c.look()
		return nil, err
	}
	conn := c.side.adopt(sock)
	c.look()
	conn.findPeer()
	return conn, nil
}

// Connect is connect(2).
func (c *Conn) Connect(addr netip.AddrPort) { c.must(c.TryConnect(addr)) }

// TryConnect is connect(2) that may fail.
func (c *Conn) TryConnect(addr netip.AddrPort) error {
	c.readers(c.side.run.cfg.OnConn)
	if from := c.side.run.cfg.Bind; from.IsValid() && !c.bound {
		c.Bind(from)
	}
	c.side.announce(addr, c.side.Name.Other())
	err := c.sock.Connect(addr)
	c.look()
	if err == nil {
		c.findPeer()
	}
	return err
}

// Write is write(2) of all of p: a blocking socket takes everything, waiting for room where there is none.
func (c *Conn) Write(p []byte) {
	n, err := c.TryWrite(p)
	c.must(err)
	if n != len(p) {
		c.must(fmt.Errorf("write: %d of %d bytes taken", n, len(p)))
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
	c.must(err)
	return b
}

// TryRead is read(2) that may fail.
func (c *Conn) TryRead(n int) ([]byte, error) {
	defer c.look()
	b := make([]byte, n)
	n, err := c.sock.Read(b)
	return b[:max(n, 0)], err
}

// ReadToEnd reads until read(2) gives 0: the peer has finished sending.
func (c *Conn) ReadToEnd() []byte {
	var all bytes.Buffer
	for {
		b := c.Read(64 << 10)
		if len(b) == 0 {
			return all.Bytes()
		}
		all.Write(b)
	}
}

// Shutdown is shutdown(2).
func (c *Conn) Shutdown(how int) { c.must(c.TryShutdown(how)) }

// TryShutdown is shutdown(2) that may fail.
func (c *Conn) TryShutdown(how int) error {
	defer c.look()
	return c.sock.Shutdown(how)
}

// Close is close(2), and how long it took. The watcher goes on following what the kernel still has of the socket.
func (c *Conn) Close() time.Duration {
	defer c.look()
	c.aborted = c.aborts()
	err := c.sock.Close()
	c.side.run.drop(c)
	if c.keep {
		c.side.listener = nil
	}
	c.must(err)
	return c.side.trace.Took()
}

// aborts says why close() will send RST and not FIN, if it will. That is asked for the truth of the lesson, and not a call of it.
func (c *Conn) aborts() (why string) {
	s := c.sock.Untraced()
	if linger, err := sockapi.SO_LINGER.Get(s); err == nil && linger == (sockapi.Linger{OnOff: true}) {
		return "SO_LINGER is on, with 0 s"
	}
	if n, err := s.InQ(); err == nil && n > 0 {
		return fmt.Sprintf("%d bytes were not read", n)
	}
	return ""
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

// Last is what the kernel said of the socket when it was last asked.
func (c *Conn) Last() watch.Sample { return c.watch.Last() }

// info is TCP_INFO now.
func (c *Conn) info() tcpinfo.Info {
	i, err := tcpinfo.Get(c.sock)
	c.must(err)
	return i
}
