package scenario

import "time"

// AwaitPeerGone is ExpectPeerGone for a side that must not go on before. Where the other end cannot be seen, it waits for as
// long as that may take there.
func (c *Conn) AwaitPeerGone(why string, atMost time.Duration) {
	if peer := c.findPeer(); peer != nil {
		c.side.expectGone(peer, c.side.Name.Other(), why)
	} else {
		c.side.run.clock.pause(atMost + unseenMoment)
	}
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
