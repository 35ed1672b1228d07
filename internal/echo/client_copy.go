package echo

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// send copies the input to the server and half-closes at its end. An input that cannot be read ends too: what was sent
// before still comes back.
func (c *client) send() error {
	buf := make([]byte, c.cfg.BufferSize)
	for {
		n, err := c.cfg.In.Read(buf)
		if writeErr := c.write(buf[:n]); writeErr != nil {
			return writeErr
		}
		if err == nil {
			continue
		}
		c.sending.Store(false)
		if shutErr := c.sock.Shutdown(unix.SHUT_WR); shutErr != nil {
			return shutErr
		}
		if err != io.EOF {
			return fmt.Errorf("%w: %w", ErrInput, err)
		}
		return nil
	}
}

// write sends all of p.
func (c *client) write(p []byte) error {
	for len(p) > 0 {
		n, err := c.counted(c.sock.Write, p, &c.sent)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// counted calls read or write and adds what it moved.
func (c *client) counted(call func([]byte) (int, error), p []byte, total *atomic.Int64) (int, error) {
	c.counting.RLock()
	defer c.counting.RUnlock()
	n, err := call(p)
	total.Add(int64(n))
	return n, err
}

// receive copies what comes back to the output. It returns when the connection is over: a server that finishes first
// leaves it half-closed, and open for as long as there is input.
func (c *client) receive() error {
	buf := make([]byte, c.cfg.BufferSize)
	for {
		n, err := c.counted(c.sock.Read, buf, &c.received)
		if err != nil {
			return err
		}
		if n == 0 {
			return c.peerFinished()
		}
		if _, err := c.cfg.Out.Write(buf[:n]); err != nil {
			if errors.Is(err, unix.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
				return ErrOutputClosed
			}
			return fmt.Errorf("%w: %w", ErrOutput, err)
		}
	}
}

// peerFinished is called at the end of the stream, and waits for the end of the connection.
func (c *client) peerFinished() error {
	sending := c.sending.Load()
	if sending && c.hungUp(0) {
		// Both directions are down, and it was not us: the connection was reset, and a write that met the error first
		// has taken it from the socket, so that read(2) is left with 0. The sender is going to report it.
		return nil
	}
	if c.cfg.Events.PeerFinished != nil {
		c.events.call(func() { c.cfg.Events.PeerFinished(c.sock, sending) })
	}
	if !sending {
		return nil
	}
	// Nothing more can be read, so no read would tell if the server resets the connection now (it does when it has
	// closed, and we send). Without this the user would only learn it from the second write after.
	c.hungUp(-1)
	if !c.sending.Load() {
		return nil // it was our own FIN
	}
	errno, err := sockapi.SO_ERROR.Get(c.sock)
	if err == nil && errno != 0 {
		err = fmt.Errorf("the server finished, and then reset the connection: %w", errno)
	}
	return err
}

// hungUp waits, ms milliseconds at most (-1: without limit), until both directions of the connection are down, and says
// whether they are: POLLHUP of poll(2), or POLLERR.
func (c *client) hungUp(ms int) (yes bool) {
	closed := c.sock.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd)}} // no events asked for: these two always come
		for {
			n, err := unix.Poll(fds, ms)
			if err == unix.EINTR {
				continue
			}
			yes = n > 0
			return
		}
	})
	return yes || closed != nil
}

// isTimeout says whether SO_SNDTIMEO or SO_RCVTIMEO ended a call. The connection is none the worse for it.
func isTimeout(err error) bool { return errors.Is(err, unix.EAGAIN) }

// fromSocket says whether err came from a call on the connection.
func fromSocket(err error) bool {
	var e *sockapi.Error
	return errors.As(err, &e)
}

// betterOf picks what to tell the user when both directions failed: whichever of them came second sees EPIPE or
// ENOTCONN, and those say less than ECONNRESET or ETIMEDOUT.
func betterOf(received, sent error) error {
	if sent == nil || !errors.Is(received, unix.EPIPE) {
		return received
	}
	return sent
}
