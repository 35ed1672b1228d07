package scenario

import (
	"time"
)

// AwaitPeerGone is ExpectPeerGone for a side that must not go on before. Where the other end cannot be seen, it waits for as
// long as that may take there.
func (c *Conn) AwaitPeerGone(why string, atMost time.Duration) {
	if peer := c.findPeer(); peer != nil {
		c.side.expectGone(peer, c.side.Name.Other(), why, "")
	} else {
		c.side.run.clock.pause(atMost + unseenMoment)
	}
}

// AwaitEnd waits until the kernel has nothing left of a socket that was closed, and tells how long after a moment that was: there
// was something left at the first of the two times, and nothing at the second. On a busy machine they are far apart.
func (c *Conn) AwaitEnd(why string, since time.Time) (there, gone time.Duration) {
	c.side.Unhurried(func() {
		c.side.Await("CLOSED: "+why, func() (string, bool) {
			asked := time.Since(since)
			d, found := c.side.run.lookup(c.side.host, c.Local(), c.Remote(), c.watch.Cookie())
			if !found {
				gone = time.Since(since)
				return "gone", true
			}
			there = asked
			return d.State.String(), false
		})
	})
	c.look()
	return there, gone
}

// ReadFull reads n bytes, with as many calls as that takes. It returns fewer at the end of the stream.
func (c *Conn) ReadFull(n int) []byte {
	all := make([]byte, 0, n)
	for len(all) < n {
		b := c.Read(n - len(all))
		if len(b) == 0 {
			break
		}
		all = append(all, b...)
	}
	return all
}
