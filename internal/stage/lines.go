package stage

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// Where a lesson is about one connection and needs the sides to agree on something, they say it to each other over a
// second one: a word on a line of its own. Each waits for the other's before it says its next.

// Say writes one line.
func (c *Conn) Say(word string) { c.Write([]byte(word + "\n")) }

// Sign is Say of what no lesson is about: that the other side may go on. HearSign waits for it.
func (c *Conn) Sign(word string) { c.aside(func() { c.Say(word) }) }

// HearSign is HearWord of a Sign.
func (c *Conn) HearSign(word string) { c.aside(func() { c.HearWord(word) }) }

// Hear reads one line.
func (c *Conn) Hear() string {
	line, err := c.readLine()
	if errors.Is(err, io.EOF) {
		c.side.run.fail(fmt.Errorf("the other side ended the connection in the middle of the lesson (it said %.40q)", line))
	}
	c.Must(err)
	return line
}

const lineLimit = 256

// readLine reads until it has a line; what read(2) brought beyond it is the beginning of the next. It is not whole, and
// the error io.EOF, if the stream ends first, or nobody would say anything that long.
func (c *Conn) readLine() (line string, err error) {
	for {
		if line, rest, ok := strings.Cut(c.unheard, "\n"); ok {
			c.unheard = rest
			return line, nil
		}
		b, err := c.TryRead(lineLimit)
		c.unheard += string(b)
		if err == nil && (len(b) == 0 || len(c.unheard) > lineLimit && !strings.Contains(c.unheard, "\n")) {
			err = io.EOF
		}
		if err != nil {
			return c.unheard, err
		}
	}
}

// HearWord waits for the other side to say that word, which is its sign to go on.
func (c *Conn) HearWord(want string) {
	if got := c.Hear(); got != want {
		c.side.run.fail(c.side.Mismatch("it said %.40q, and %q was expected", got, want))
	}
}

// HearAddr waits for the other side to name an address.
func (c *Conn) HearAddr() netip.AddrPort {
	line := c.Hear()
	addr, err := netip.ParseAddrPort(line)
	if err != nil {
		c.side.run.fail(c.side.Mismatch("it said %.40q, and an address was expected", line))
	}
	return c.side.usable(addr)
}

// usable is an address as this side's sockets can use it: a listener on [::] has IPv4 clients too, and its addresses
// are IPv4-mapped then, which are none to a client's AF_INET socket.
func (s *Side) usable(addr netip.AddrPort) netip.AddrPort {
	switch a := addr.Addr(); {
	case s.Family() == unix.AF_INET:
		return netip.AddrPortFrom(a.Unmap(), addr.Port())
	case a.Is4():
		return netip.AddrPortFrom(netip.AddrFrom16(a.As16()), addr.Port())
	}
	return addr
}
