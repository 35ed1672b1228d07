package scenario

import "time"

// AwaitPeerGone is ExpectPeerGone for a side that must not go on before. Where the other end cannot be seen, it waits for as long as
// that may take there.
func (c *Conn) AwaitPeerGone(why string, atMost time.Duration) {
	if peer := c.findPeer(); peer != nil {
		c.side.expectGone(peer, c.side.Name.Other(), why)
	} else {
		c.side.run.clock.pause(atMost + unseenMoment)
	}
}
