package echo

import (
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

const (
	// acceptBatch is the most connections accepted in one turn, so that a storm of new ones does not starve the old.
	acceptBatch = 64
	// Where descriptors or memory are short, accept4 is tried again after this long, or as soon as a connection ends
	// here; the wait doubles up to the maximum, for what is short may be in use elsewhere.
	retryFirst, retryMost = 50 * time.Millisecond, time.Second
	// mostFailures is how many accepts in a row may fail, each for a reason of one connection, before that is taken for
	// something that lasts (a security module that refuses them all) and tried again as seldom.
	mostFailures = 8
)

// acceptor is how much the server accepts at present.
//
// When it must not or cannot accept, it takes its interest in the listener back from epoll. Clients then wait in the
// accept queue, where they can be seen, and the loop does not spin on a listener that stays ready.
type acceptor struct {
	batch    int           // accepts to try in a turn
	paused   error         // why epoll does not watch the listener; nil when it does
	failures int           // accepts that failed since the last that did not
	short    error         // accept4's last answer, if it was want of something or has come too often
	retryAt  time.Time     // when to try again, if short
	backoff  time.Duration // the last wait for that; 0 once accept4 gave another answer
}

// acceptReady accepts what is waiting, and starts and ends pauses. ready is whether epoll said that something waits.
func (l *loop) acceptReady(ready bool) (err error) {
	a := &l.accept
	switch {
	case l.full():
		a.short = nil
	case a.short != nil:
		if !l.now.Before(a.retryAt) {
			err = l.acceptSome(1)
		}
	case ready:
		err = l.acceptSome(a.batch)
	default:
		a.batch = 1
	}
	if err != nil {
		return err
	}
	return l.watchListener()
}

// acceptSome accepts up to n connections. A lone connection is one accept4, with no EAGAIN after it: the batch grows
// only while the listener is ready turn after turn.
func (l *loop) acceptSome(n int) error {
	a := &l.accept
	for i := range n {
		if l.full() {
			return nil
		}
		s, peer, err := l.listener.Accept4(unix.SOCK_NONBLOCK)
		switch classify(err) {
		case accepted:
			a.short, a.backoff, a.failures = nil, 0, 0
			l.admit(s, peer)
		case queueEmpty:
			a.short, a.backoff, a.failures, a.batch = nil, 0, 0, 1
			return nil
		case connectionFailed:
			l.report.Aborted++
			if a.failures++; a.failures >= mostFailures {
				l.backOff(err)
				return nil
			}
		case outOfResources:
			// The kernel looks for a free descriptor before it looks into the queue, so after the first accept this can
			// be said of an empty queue. If it is not empty, epoll will say so.
			if i == 0 {
				l.backOff(err)
			}
			return nil
		default:
			return err
		}
	}
	a.batch = min(2*n, acceptBatch)
	return nil
}

// backOff puts the next accept4 off.
func (l *loop) backOff(why error) {
	a := &l.accept
	a.backoff = min(max(2*a.backoff, retryFirst), retryMost)
	a.short, a.retryAt = why, l.now.Add(a.backoff)
}

// full says whether as many connections as allowed are open.
func (l *loop) full() bool {
	return l.cfg.MaxConns > 0 && l.conns.Len()+l.closing.count >= l.cfg.MaxConns
}

// watchListener tells epoll whether the listener is of interest.
func (l *loop) watchListener() error {
	a := &l.accept
	why, was := a.short, a.paused
	if l.full() {
		why = ErrMaxConns
	}
	a.paused = why
	var events uint32
	switch {
	case why != nil && was == nil:
		l.report.Pauses++
		if l.cfg.Events.AcceptPaused != nil {
			l.cfg.Events.AcceptPaused(why)
		}
	case why == nil && was != nil:
		events = unix.EPOLLIN
		if l.cfg.Events.AcceptResumed != nil {
			l.cfg.Events.AcceptResumed()
		}
	default:
		return nil
	}
	return l.poller.set(unix.EPOLL_CTL_MOD, l.listener, events)
}

// acceptResult is what an answer of accept4(2) means for the server.
type acceptResult uint8

const (
	accepted acceptResult = iota
	queueEmpty
	connectionFailed // this one connection; the next may be well
	outOfResources
	listenerGone
)

// classify follows accept(2), whose "Error handling" says that Linux passes errors which are already pending on the new
// connection, and that a server should treat them like EAGAIN by trying again: EOPNOTSUPP among them. There is no full
// list (security modules have answers of their own), so that it is any error that does not say that the listener is
// gone.
func classify(err error) acceptResult {
	if err == nil {
		return accepted
	}
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return listenerGone
	}
	switch errno {
	case unix.EAGAIN:
		return queueEmpty
	case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
		return outOfResources
	case unix.EBADF, unix.EINVAL, unix.ENOTSOCK:
		return listenerGone
	}
	return connectionFailed
}

// admit starts to serve a connection.
func (l *loop) admit(s *sockapi.Socket, peer netip.AddrPort) {
	l.report.Accepted++
	c := &conn{sock: s, fd: s.FD(), peer: peer, active: l.now}
	c.place = l.conns.PushBack(c)
	l.report.Peak = max(l.report.Peak, l.conns.Len())
	for len(l.byFD) <= c.fd {
		l.byFD = append(l.byFD, nil)
	}
	l.byFD[c.fd] = c
	if l.cfg.Events.Accepted != nil {
		l.cfg.Events.Accepted(s, peer)
	}
	if err := l.poller.set(unix.EPOLL_CTL_ADD, s, unix.EPOLLIN); err != nil {
		l.close(c, Failed, err)
	}
}
