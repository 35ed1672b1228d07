package stage

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
)

// The first mistake is to start the two terminals with different scenarios, or one with none. Each end finds out by
// what the other one says first: a server refuses a request that is not its own, and an echo server gives the request
// back.

// refusalBegins is how a server begins what it says to a client that plays something else.
const refusalBegins = "this is echod "

func (s *Side) refusal() []byte { return []byte(refusalBegins + s.run.sc.Name + "\n") }

// Mismatch is the error of a side that has found out that the other one does not play this, and what to do about it.
func (s *Side) Mismatch(format string, args ...any) error {
	if s.run.both { // there is no other side that could be another program
		return fmt.Errorf("the lesson went another way: "+format, args...)
	}
	return fmt.Errorf("%w: %s; start it with: %s %s", ErrMismatch, fmt.Sprintf(format, args...), programs[s.Name.Other()], s.run.sc.Name)
}

var programs = map[timeline.Side]string{timeline.Server: "echod", timeline.Client: "echoc"}

// heard keeps the first that came on a connection, and ends the client's run if nobody plays its scenario at the other
// end.
func (c *Conn) heard(b []byte) {
	c.mu.Lock()
	if room := lineLimit - len(c.began); room > 0 {
		c.began = append(slices.Clip(c.began), b[:min(len(b), room)]...)
	}
	began := c.began
	c.mu.Unlock()
	c.Must(c.side.mismatch(began))
}

// mismatch says what is at the other end, by the first that it said, if that is not the server of this scenario.
func (s *Side) mismatch(began []byte) error {
	if s.run.both || s.Name != timeline.Client {
		return nil
	}
	if bytes.HasPrefix(began, s.Request()) {
		return s.Mismatch("at %s there is an echo server", s.Addr)
	}
	if rest, ok := strings.CutPrefix(string(began), refusalBegins); ok {
		name, _, _ := strings.Cut(rest, "\n")
		return s.Mismatch("at %s there is echod %.40s", s.Addr, name)
	}
	return nil
}

// mismatch looks for it also among what has come and was not read. That is not a call of the lesson.
func (r *run) mismatch() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.open {
		if err := c.unreadMismatch(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) unreadMismatch() error {
	if c.side.run.both || c.side.Name != timeline.Client {
		return nil
	}
	b := make([]byte, lineLimit)
	n, err := c.sock.Untraced().Recv(b, unix.MSG_PEEK|unix.MSG_DONTWAIT)
	if err != nil {
		return nil // nothing, or nothing more
	}
	c.mu.Lock()
	began := c.began
	c.mu.Unlock()
	return c.side.mismatch(append(slices.Clip(began), b[:n]...))
}
