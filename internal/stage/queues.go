package stage

import (
	"fmt"

	"socklife/tcpinfo"
)

// What comes to a server before its application does: the SYN queue, the accept queue, and data.

// AwaitQueue waits until so many connections wait for accept(2).
func (c *Conn) AwaitQueue(why string, n uint32) {
	c.side.Await(why, func() (string, bool) {
		q := c.Last().AcceptQueue
		return fmt.Sprintf("accept queue %d", q), q == n
	})
}

// AwaitQueues waits until there are so many half-open connections, and so many that wait for accept(2).
func (c *Conn) AwaitQueues(why string, half int, waiting uint32) {
	c.side.Await(why, func() (string, bool) {
		q := c.Last()
		return fmt.Sprintf("SYN queue %d, accept queue %d", q.SynQueue, q.AcceptQueue), q.SynQueue == half && q.AcceptQueue == waiting
	})
}

// AwaitUnread waits until data has come that no application has read: it can come before accept(2), too.
func (c *Conn) AwaitUnread(why string) {
	c.side.Await(why, func() (string, bool) {
		if c.Last().State == tcpinfo.Closed {
			c.side.Fail(ofClient(ErrGone, c.Remote()))
		}
		d := c.LastDiag()
		return fmt.Sprintf("Recv-Q %d", d.RecvQ), d.RecvQ > 0
	})
}

// MostQueued is the longest receive queue among the connections that the kernel made for this server.
func (s *Side) MostQueued() (bytes uint32) {
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	for _, child := range s.run.own() {
		if d := child.Last().Diag; d != nil {
			bytes = max(bytes, d.RecvQ)
		}
	}
	return bytes
}

// WaitingClients is how many connections that the kernel made for the server wait for accept(2), and have a client.
func (s *Side) WaitingClients() (n int) {
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	for _, child := range s.run.met {
		if !s.run.taken[child.Cookie()] && !leftQueue(child) {
			n++
		}
	}
	return n
}
