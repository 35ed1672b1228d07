package tcpinfo

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Netlink message types of sock_diag (include/uapi/linux/sock_diag.h).
const (
	sockDiagByFamily = 20
	sockDestroy      = 21
)

// Conn asks the kernel about its TCP sockets, over NETLINK_SOCK_DIAG (sock_diag(7)). It sees the network namespace of
// the thread that called Dial. Its methods may be called from several goroutines; they take turns.
type Conn struct {
	mu     sync.Mutex
	t      transport
	closed bool
	dirty  bool // the last exchange broke off: replies to it may still be waiting
	seq    uint32
	req    []byte
	buf    []byte
	kernel release
	last   map[asked]int // how many sockets were found
}

// Dial opens a netlink socket and makes sure that the kernel can answer. It needs no privilege. The error is
// ErrNotSupported, naming what is missing, where the kernel cannot.
func Dial() (*Conn, error) {
	t, err := dialKernel()
	if err != nil {
		return nil, err
	}
	c := newConn(t, running())
	if err := c.probe(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// probe asks for a dump of no state at all, which costs next to nothing, and fails where the kernel has no tcp_diag: an
// exact lookup would say "no such socket" there.
func (c *Conn) probe() error {
	err := c.dumpStates(request{family: unix.AF_INET}, nil, nil)
	if errors.Is(err, unix.ENOENT) {
		return &Error{Op: "dial", Errno: unix.ENOENT, kind: ErrNotSupported,
			Detail: "tcp_diag is missing: Linux 3.3 with CONFIG_INET_DIAG and CONFIG_INET_TCP_DIAG has it; try modprobe tcp_diag"}
	}
	return err
}

// newConn makes a Conn over any transport.
func newConn(t transport, kernel release) *Conn {
	// 32 KiB is the most that the kernel puts into one datagram of a dump.
	return &Conn{t: t, buf: make([]byte, 32<<10), kernel: kernel}
}

// Close closes the netlink socket. Later calls fail with os.ErrClosed.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("close: %w", os.ErrClosed)
	}
	c.closed = true
	return c.t.close()
}

// newRequest starts a request; its header is put in place when it is sent.
func (c *Conn) newRequest() []byte {
	c.req = append(c.req[:0], make([]byte, unix.NLMSG_HDRLEN)...)
	return c.req
}

// exchange sends a request and reads the reply until it is complete. Of a dump each message's body is handed to handle;
// without a dump there is one, in reply.body. Bodies are valid until the next exchange. Whoever calls it holds c.mu.
func (c *Conn) exchange(req []byte, typ, flags uint16, handle func([]byte) error) (reply, error) {
	if c.closed {
		return reply{}, os.ErrClosed
	}
	if c.dirty {
		c.t.drain()
	}
	c.dirty = true
	c.req = req
	c.seq++
	putHeader(req, typ, flags|unix.NLM_F_REQUEST, c.seq)
	if err := c.t.send(req); err != nil {
		return reply{}, err
	}
	r := reply{dump: flags&unix.NLM_F_DUMP == unix.NLM_F_DUMP, handle: handle}
	err := c.receive(&r)
	c.dirty = !r.done
	return r, err
}

// reply gathers what one request is answered with.
type reply struct {
	dump        bool
	handle      func([]byte) error // of a dump
	body        []byte             // of a single answer; nil if there was none
	done        bool
	interrupted bool
	ack         ack
}

var (
	errTruncated   = errors.New("a reply was longer than the buffer")
	errInterrupted = errors.New("the tables changed during the dump")
)

func (c *Conn) receive(r *reply) error {
	for !r.done {
		n, err := c.t.recv(c.buf)
		if err != nil {
			return err
		}
		if n > len(c.buf) {
			c.buf = make([]byte, n)
			return errTruncated
		}
		if err := c.readDatagram(c.buf[:n], r); err != nil {
			return err
		}
	}
	if r.interrupted && r.ack.errno == 0 {
		return errInterrupted
	}
	return nil
}

// readDatagram goes through one datagram. Messages that answer an earlier request are passed over.
func (c *Conn) readDatagram(b []byte, r *reply) error {
	for {
		m, rest, ok, err := nextMessage(b)
		if err != nil || !ok {
			return err
		}
		b = rest
		if r.done || m.Seq != c.seq {
			continue
		}
		if err := r.message(m); err != nil {
			return err
		}
	}
}

func (r *reply) message(m message) (err error) {
	if m.Flags&unix.NLM_F_DUMP_INTR != 0 {
		r.interrupted = true
	}
	switch m.Type {
	case unix.NLMSG_NOOP:
	case unix.NLMSG_OVERRUN:
		return fmt.Errorf("netlink: %w", unix.ENOBUFS)
	case unix.NLMSG_DONE, unix.NLMSG_ERROR:
		r.done = true
		r.ack, err = parseAck(m)
	case sockDiagByFamily:
		if r.dump && r.handle != nil {
			return r.handle(m.Data)
		}
		// Without a dump there is one message, and nothing after it.
		if !r.dump {
			r.done, r.body = true, m.Data
		}
	}
	return err
}
