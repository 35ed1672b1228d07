package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// block is what all bytes are taken from. Each client begins at a place of its own, so that one's bytes are not
// another's.
var block = func() []byte {
	b := make([]byte, blockSize)
	source := rand.NewChaCha8([32]byte{})
	_, _ = source.Read(b)
	return append(b, b...)
}()

const blockSize = 1 << 20

var (
	clients  atomic.Uint64 // so far: what a client's bytes are made of
	verified atomic.Int64  // bytes that came back and were the right ones
)

// client is a connection whose echo is compared, byte by byte. It is package net's and not this project's.
type client struct {
	*net.TCPConn
	from      uint64 // its place in the block
	sent, got int64
	room      []byte // what is received goes here; shared by those of one goroutine
}

// dial connects, to one of several addresses of this host.
func (s *server) dial() (*client, error) {
	n := clients.Add(1)
	to := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+n%200)), Port: int(s.port)}
	c, err := net.DialTCP("tcp4", nil, to)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(patience))
	return &client{TCPConn: c, from: n * 7919}, nil
}

// at is what n bytes from that offset on are.
func (c *client) at(offset int64, n int) []byte {
	i := (c.from + uint64(offset)) % blockSize
	return block[i : i+uint64(n)]
}

// send writes the next n bytes.
func (c *client) send(n int) error {
	for n > 0 {
		w, err := c.Write(c.at(c.sent, min(n, blockSize)))
		c.sent += int64(w)
		if n -= w; err != nil {
			return err
		}
	}
	return nil
}

// receive reads until n bytes are there, or the stream ends (n < 0), and compares them with what was sent.
func (c *client) receive(n int) error {
	if c.room == nil {
		c.room = make([]byte, 64<<10)
	}
	for n != 0 {
		room := c.room
		if n > 0 {
			room = room[:min(n, len(room))]
		}
		r, err := c.Read(room)
		if !bytes.Equal(room[:r], c.at(c.got, r)) {
			return fmt.Errorf("%w: among the %d after the first %d", errOther, r, c.got)
		}
		c.got += int64(r)
		verified.Add(int64(r))
		if n > 0 {
			n -= r
		}
		if errors.Is(err, io.EOF) && n < 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var errOther = errors.New("other bytes came back than were sent")

// exchange sends n bytes and wants them back. They fit into what lies between.
func (c *client) exchange(n int) error {
	if err := c.send(n); err != nil {
		return err
	}
	return c.receive(n)
}

// finish half-closes, and wants all that is missing and then the end.
func (c *client) finish() error {
	if err := c.CloseWrite(); err != nil {
		return err
	}
	if err := c.receive(-1); err != nil {
		return err
	}
	if c.got != c.sent {
		return fmt.Errorf("%d bytes sent, %d came back and then the end", c.sent, c.got)
	}
	return c.Close()
}

// fill sends until nothing has moved for so long.
func (c *client) fill(quiet time.Duration) error {
	defer c.SetWriteDeadline(time.Now().Add(patience))
	for {
		c.SetWriteDeadline(time.Now().Add(quiet))
		n, err := c.Write(c.at(c.sent, 64<<10))
		c.sent += int64(n)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if n == 0 {
				return nil
			}
		} else if err != nil {
			return err
		}
	}
}

// drain receives what is on its way back.
func (c *client) drain() error { return c.receive(int(c.sent - c.got)) }

// reset closes with RST.
func (c *client) reset() {
	c.SetLinger(0)
	c.Close()
}

// isReset tells an error that a reset connection gives.
func isReset(err error) bool { return errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) }
