package stage

import (
	"errors"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
	"socklife/tcpinfo"
)

// A FIN goes out behind the data that was written before it. Where the peer does not read, and its receive window is
// full, it cannot go at all: that is how a lesson holds FIN-WAIT-1, CLOSING and LAST-ACK, for as long as it likes.

// SmallBuffers makes both buffers of a socket small, so that little data fills them, and keeps the kernel from making
// them larger. For a listener and before connect(2): the window scale is settled with the SYN.
func SmallBuffers(c *Conn) {
	Set(c, sockapi.SO_RCVBUF, smallBuffer)
	Set(c, sockapi.SO_SNDBUF, smallBuffer)
}

// Smaller ones fill in less time, but what then moves on loopback, moves in fits and starts.
const smallBuffer = 32 << 10

// Fill writes the pattern until nothing moves: the peer's receive window and the send buffer here are full. It returns
// how much was taken.
//
// That a call would block does not mean that: what is on its way is acknowledged a little later (a delayed ACK takes 40
// ms), and then there is room again. Nothing moves when all that was sent is acknowledged, and more is there to be
// sent, which the peer has no window for (its kernel is asked now and then: the persist timer), and one more call would
// block.
func (c *Conn) Fill() int {
	s, written, stuck := c.side, 0, false
	data := Pattern(256 << 10)
	for {
		if written > len(data)/2 {
			data = Pattern(2 * len(data))
		}
		n, err := c.sock.Send(data[written:], unix.MSG_DONTWAIT)
		c.look()
		switch {
		case err == nil:
			written += n
		case !errors.Is(err, unix.EAGAIN):
			s.run.fail(err)
		case stuck:
			s.Check("nothing moves any more: the peer's window is full, and so is our send buffer", true,
				"%d bytes written, Send-Q %d, timer %s", written, c.Diag().SendQ, c.Diag().Timer.Kind)
			return written
		}
		stuck = c.awaitRest()
	}
}

// awaitRest waits until nothing is on its way: all that was sent is acknowledged, and either that was everything, or
// the rest is stuck, because the peer has no window for it.
func (c *Conn) awaitRest() (stuck bool) {
	c.side.Wait("an acknowledgement of what was sent, or a full window", func() bool {
		i := c.Info()
		stuck = i.NotsentBytes > 0
		return i.Unacked == 0 && (!stuck || c.Diag().Timer.Kind == tcpinfo.TimerPersist)
	})
	return stuck
}
