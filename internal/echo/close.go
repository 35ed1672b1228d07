package echo

import (
	"sync"
	"time"

	"socklife/sockapi"
)

// close ends a connection. Where data is left unread in the kernel, its close(2) sends RST instead of FIN; where data
// was read and not echoed SO_LINGER makes it do so, for after a FIN the client would take what it has for all.
func (l *loop) close(c *conn, why Reason, err error) {
	if c.out < c.in {
		_ = sockapi.SO_LINGER.Set(c.sock, sockapi.Linger{OnOff: true, Seconds: 0})
	}
	l.release(c)
	l.poller.remove(c.sock)
	l.conns.Remove(c.place)
	l.byFD[c.fd] = nil
	l.accept.retryAt = time.Time{} // now: a descriptor is free
	l.report.count(why)
	end := ConnReport{Peer: c.peer, BytesIn: c.in, BytesOut: c.out, Reason: why, Err: err}
	if l.lingers && lingers(c.sock) {
		l.linger(c.sock, end)
		return
	}
	l.closed(closedConn{c.sock, end.closing(c.sock)})
}

// closing calls close(2) and keeps its error unless there was one before.
func (end ConnReport) closing(s *sockapi.Socket) ConnReport {
	if err := s.Close(); err != nil && end.Err == nil {
		end.Err = err
	}
	return end
}

// closed tells whoever wants to know.
func (l *loop) closed(c closedConn) {
	if l.cfg.Events.Closed != nil {
		l.cfg.Events.Closed(c.sock, c.end)
	}
}

// lingers says whether close(2) of s can block: SO_LINGER is on with a time (socket(7)), even though s is non-blocking.
func lingers(s *sockapi.Socket) bool {
	linger, err := sockapi.SO_LINGER.Get(s.Untraced())
	return err == nil && linger.OnOff && linger.Seconds != 0
}

// closedConn is a connection that is closed, and how it went.
type closedConn struct {
	sock *sockapi.Socket
	end  ConnReport
}

// lingerers are the connections whose close(2) may block.
type lingerers struct {
	count int // not yet reported; the loop's

	mu   sync.Mutex
	done []closedConn
}

// linger closes a connection in a goroutine of its own, so that the others are served meanwhile. No other connection
// ever has a goroutine.
func (l *loop) linger(s *sockapi.Socket, end ConnReport) {
	g := &l.closing
	g.count++
	go func() {
		c := closedConn{s, end.closing(s)}
		g.mu.Lock()
		g.done = append(g.done, c)
		g.mu.Unlock()
		l.poller.notify()
	}()
}

// reportClosed reports lingering connections that are closed by now.
func (l *loop) reportClosed() {
	g := &l.closing
	g.mu.Lock()
	done := g.done
	g.done = nil
	g.mu.Unlock()
	g.count -= len(done)
	for _, c := range done {
		l.closed(c)
	}
}
