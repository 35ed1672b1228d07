package echo

import (
	"math"
	"time"

	"socklife/sockapi"
	"socklife/tcpinfo"
)

// drainQuiet is how long no byte may have moved on a connection for it to be taken as at rest. The next piece of a
// transfer comes sooner, unless the network is slow; and a server with idle clients only need not wait.
const drainQuiet = 250 * time.Millisecond

// drain ends the service: it echoes what has been received and what is in flight, and closes everything.
func (l *loop) drain() error {
	deadline := time.Now().Add(max(0, l.cfg.DrainTimeout))
	err := l.closeListener()
	if l.cfg.Events.Draining != nil && l.conns.Len() > 0 {
		l.cfg.Events.Draining(l.conns.Len())
	}
	for err == nil {
		left := time.Until(deadline)
		if left <= 0 {
			l.closeQuiet(0)
			break
		}
		next := l.closeQuiet(l.cfg.drainQuiet)
		l.cfg.afterTurn(l)
		if l.conns.Len()+l.closing.count == 0 {
			break
		}
		_, err = l.wait(min(left, next))
	}
	l.closeAll(Cut)
	return err
}

// closeQuiet closes the connections on which no byte has moved for so long, and on which nothing is left to echo. It
// returns how long it is until the next one may be due. Stalled ones are epoll's to wake.
func (l *loop) closeQuiet(quiet time.Duration) (next time.Duration) {
	e := l.conns.Front()
	for n := l.conns.Len(); n > 0 && e != nil; n-- { // on which bytes move go to the end, and would be met again
		c := e.Value.(*conn)
		if wait := quiet - l.now.Sub(c.active); wait > 0 {
			return wait // and those behind c moved a byte later still
		}
		e = e.Next()
		if c.pending == nil && l.echo(c) == echoedNothing {
			l.close(c, Drained, nil)
		}
	}
	return math.MaxInt64
}

// closeListener accepts what is in the accept queue, since those clients were told that they are connected, as far as
// MaxConns and descriptors go, and closes the listener. The kernel resets the connections that are still in the queue.
func (l *loop) closeListener() error {
	var err error
	for more := true; more && err == nil; {
		before := l.report.Accepted + l.report.Aborted
		err = l.acceptSome(acceptBatch)
		more = l.accept.short == nil && l.report.Accepted+l.report.Aborted > before
	}
	l.report.Refused = int64(acceptQueue(l.listener))
	l.poller.remove(l.listener)
	if closed := l.listener.Close(); err == nil {
		err = closed
	}
	return err
}

// acceptQueue is the length of a listener's accept queue: what TCP_INFO has in tcpi_unacked (tcp_get_info in
// net/ipv4/tcp.c).
func acceptQueue(listener *sockapi.Socket) uint32 {
	info, _ := tcpinfo.Get(listener)
	return info.Unacked
}

// closeAll closes every connection.
func (l *loop) closeAll(why Reason) {
	for c := l.oldest(); c != nil; c = l.oldest() {
		l.close(c, why, nil)
	}
	l.reportClosed()
}

// abandon closes everything at once, when the loop cannot go on.
func (l *loop) abandon() {
	l.closeAll(Failed)
	_ = l.listener.Close() // what went wrong first is what Serve returns
}
