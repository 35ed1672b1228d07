package echo

import (
	"container/list"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// conn is one connection.
//
// It is in one of two phases. Flowing: nothing is pending, epoll watches for EPOLLIN, and each event is one read(2) and
// one write(2), or a few as long as the buffer is filled each time. Stalled: what the kernel did not take of that write
// waits in pending, epoll watches for EPOLLOUT only, and nothing is read until it is gone. So an end of stream, which
// is something read, is only ever met with nothing left to echo.
type conn struct {
	sock *sockapi.Socket
	fd   int
	peer netip.AddrPort

	pending []byte  // to be written; nil when flowing
	buffer  *[]byte // from the pool, what pending is part of; nil when flowing

	in, out int64         // bytes read, written
	active  time.Time     // when the last one was
	place   *list.Element // in the loop's conns
}

// ready handles an event of c. Which one it was is not looked at: the call that is due next meets end of stream, reset
// and error in the order in which the kernel has them (EPOLLHUP and EPOLLERR come unasked, in both phases), and says
// which.
func (l *loop) ready(c *conn) {
	if c.pending != nil {
		l.flush(c)
		return
	}
	for again := 0; again < fullReads && l.echo(c) == echoedAll; again++ {
	}
}

// fullReads is how often in a row one connection is served that has sent more than the buffer holds. The others wait.
const fullReads = 8

// What came of reading and writing once.
type echoed int

const (
	echoedNothing echoed = iota // there was nothing to read (yet)
	echoedSome
	echoedAll // of a buffer that was filled: more may be there
)

// echo reads once and writes once.
func (l *loop) echo(c *conn) echoed {
	n, err := c.sock.Read(*l.scratch)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return echoedNothing
	case err != nil:
		l.close(c, reasonOf(err), err)
		return echoedSome
	case n == 0:
		if l.cfg.Events.PeerFinished != nil {
			l.cfg.Events.PeerFinished(c.sock)
		}
		l.close(c, Finished, nil)
		return echoedSome
	}
	got := (*l.scratch)[:n]
	if c.in == 0 && l.cfg.Events.First != nil {
		l.cfg.Events.First(c.peer, got)
	}
	c.in += int64(n)
	l.report.BytesIn += int64(n)
	l.touch(c)
	rest, ok := l.write(c, got)
	switch {
	case !ok:
		return echoedSome
	case len(rest) > 0:
		l.stall(c, rest)
		return echoedSome
	case n < len(*l.scratch):
		return echoedSome
	}
	return echoedAll
}

// write writes once and returns what the kernel did not take. If the connection is gone it closes c and reports !ok.
func (l *loop) write(c *conn, p []byte) (rest []byte, ok bool) {
	n, err := c.sock.Write(p)
	if err != nil {
		if errors.Is(err, unix.EAGAIN) {
			return p, true
		}
		l.close(c, reasonOf(err), err)
		return nil, false
	}
	c.out += int64(n)
	l.report.BytesOut += int64(n)
	l.touch(c)
	return p[n:], true
}

// touch notes that a byte moved on c.
func (l *loop) touch(c *conn) {
	c.active = l.now
	l.conns.MoveToBack(c.place)
}

// stall keeps what could not be written, with the buffer that it is in, and stops reading from c.
func (l *loop) stall(c *conn, rest []byte) {
	c.pending, c.buffer = rest, l.scratch
	l.scratch = l.buffers.Get().(*[]byte)
	l.watch(c, unix.EPOLLOUT)
}

// flush writes some of what is pending, and once all is gone goes back to reading.
func (l *loop) flush(c *conn) {
	rest, ok := l.write(c, c.pending)
	if !ok {
		return
	}
	if c.pending = rest; len(rest) == 0 {
		l.release(c)
		l.watch(c, unix.EPOLLIN)
	}
}

// release gives the buffer of a stalled connection back.
func (l *loop) release(c *conn) {
	if c.buffer != nil {
		l.buffers.Put(c.buffer)
		c.buffer, c.pending = nil, nil
	}
}

// watch changes what epoll watches c for.
func (l *loop) watch(c *conn, events uint32) {
	if err := l.poller.set(unix.EPOLL_CTL_MOD, c.sock, events); err != nil {
		l.close(c, Failed, err)
	}
}
