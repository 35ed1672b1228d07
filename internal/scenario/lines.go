package scenario

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"socklife/sockapi"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// Where a lesson is about one connection and needs the sides to agree on something, they say it to each other over a second
// one: a word on a line of its own. Each waits for the other's before it says its next.

// Say writes one line.
func (c *Conn) Say(word string) { c.Write([]byte(word + "\n")) }

// Hear reads one line.
func (c *Conn) Hear() string {
	line, err := c.readLine()
	if errors.Is(err, io.EOF) {
		c.side.run.fail(fmt.Errorf("the other side ended the connection in the middle of the lesson (it said %.40q)", line))
	}
	c.must(err)
	return line
}

const lineLimit = 256

// readLine reads until it has a line; what read(2) brought beyond it is the beginning of the next. It is not whole, and the error
// io.EOF, if the stream ends first, or nobody would say anything that long.
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
		c.side.run.fail(fmt.Errorf("%w: it said %.40q, and %q was expected", ErrMismatch, got, want))
	}
}

// HearAddr waits for the other side to name an address.
func (c *Conn) HearAddr() netip.AddrPort {
	line := c.Hear()
	addr, err := netip.ParseAddrPort(line)
	if err != nil {
		c.side.run.fail(fmt.Errorf("%w: it said %.40q, and an address was expected", ErrMismatch, line))
	}
	return addr
}

// pending is SO_ERROR: the error that the socket has to tell, which it tells once. nil is none.
func (c *Conn) pending() error {
	if e := get(c, sockapi.SO_ERROR); e != 0 {
		return e
	}
	return nil
}

// AwaitUnread waits until data has come that no application has read: it can come before accept(2), too.
func (s *Side) AwaitUnread(w *watch.Socket, why string) {
	s.Await(why, func() (string, bool) {
		if w.Last().State == tcpinfo.Closed {
			s.run.fail(goneError(w.Remote()))
		}
		d := diagOf(w)
		return fmt.Sprintf("Recv-Q %d", d.RecvQ), d.RecvQ > 0
	})
}

// Unhurried waits for what comes when a timer of the kernel says so. After a long hold that may be far off, and no deadline
// of this program's counts meanwhile.
func (s *Side) Unhurried(wait func()) {
	resume := s.run.clock.hold()
	defer resume()
	wait()
}

// diagOf is what sock_diag last said of a socket; it is all zero where it said nothing, as of one that is gone.
func diagOf(w *watch.Socket) tcpinfo.Socket {
	if d := w.Last().Diag; d != nil {
		return *d
	}
	return tcpinfo.Socket{}
}
