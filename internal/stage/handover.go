package stage

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// Where a lesson has its client connect more than once, the client may have gone by then, and whoever is accepted next
// be the next client. Its connection is left to the next run.

// requestTime is how long a connection is given to show by its first words that it is another client's.
const requestTime = 10 * time.Millisecond

// isAnother tells whether a connection that l has just accepted is another client's than the one that is being played
// with: when every connection of that one was reset, or it may have gone and the new one begins with a request where
// this lesson has none.
func (s *Side) isAnother(l, conn *Conn) bool {
	if s.run.both || s.run.turn.Load() != nil || l != s.listening.Load() || s.run.visitors() == 0 {
		return false
	}
	if open := s.run.accepted; len(open) > 0 {
		if !slices.ContainsFunc(open, func(c *Conn) bool { return c.Last().State != tcpinfo.Closed }) {
			return true
		}
		if limit, _ := s.peersGone(); limit != goneLimit {
			return false
		}
	}
	conn.sock.Control(func(fd uintptr) { // not a call of the lesson
		unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(requestTime.Milliseconds()))
	})
	began := peek(conn.sock)
	return bytes.HasPrefix(began, s.requestBegins()) || bytes.HasPrefix(began, []byte(who))
}

// leaveToNext ends this run and leaves the connection to the next one; but a lesson that looks at its clients before it
// accepts them would look in vain.
func (s *Side) leaveToNext(conn *Conn) {
	if !s.queueFirst {
		s.run.mu.Lock()
		s.run.handed = conn
		s.run.mu.Unlock()
	}
	s.run.fail(fmt.Errorf("%w, and another one has come: %s", ErrGone, conn.Remote()))
}

// takeHanded is the connection that the run before has left to this one, if it did.
func (s *Side) takeHanded(l *Conn) *Conn {
	sock := s.handed
	if sock == nil || l != s.listening.Load() {
		return nil
	}
	s.handed = nil
	if s.run.turn.Load() != nil {
		if from, err := sock.Untraced().Getpeername(); err != nil || s.isStranger(from) {
			s.turnAwayStranger(sock, from)
			return nil
		}
	}
	conn := s.adopt(sock)
	s.Note("the accept4() of the run before has returned this connection from %s", conn.Remote())
	s.run.came(conn)
	conn.findPeer()
	return conn
}
