package echo

import "time"

// connList is the open connections, the one whose last byte moved longest ago in front. A connection that moves a byte
// goes to the back, so that the idle ones are found without looking at the others, however many there are.
type connList struct {
	front, back *conn
	len         int
}

func (l *connList) pushBack(c *conn) {
	c.prev, c.next = l.back, nil
	if l.back == nil {
		l.front = c
	} else {
		l.back.next = c
	}
	l.back = c
	l.len++
}

func (l *connList) remove(c *conn) {
	if c.prev == nil {
		l.front = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		l.back = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
	l.len--
}

// touch notes that a byte moved on c.
func (l *connList) touch(c *conn, now time.Time) {
	c.active = now
	if l.back != c {
		l.remove(c)
		l.pushBack(c)
	}
}
