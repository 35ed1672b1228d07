package stage

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"socklife/internal/timeline"
)

// The first mistake is to start the two terminals with different scenarios, or one with none. Each end finds out by
// what the other one says first: a server refuses a request that is not its own, and an echo server gives the request
// back. (Where the client has closed before it could be told, it asks: see who.go.)

// refusalBegins is how a server begins what it says to a client that plays something else. The scenario's name follows,
// and the dialogue that it speaks.
const refusalBegins = "this is echod "

// dialogue is what the two sides of a lesson say to each other. It counts up whenever a lesson's words change, so that
// two versions can tell why they do not understand each other.
const dialogue = "v2"

func (s *Side) refusal() []byte { return []byte(refusalBegins + s.run.sc.Name + " " + dialogue + "\n") }

// Mismatch is the error of a side that has found out that the other one does not play this, and what to do about it.
func (s *Side) Mismatch(format string, args ...any) error {
	if s.run.both { // there is no other side that could be another program
		return fmt.Errorf("the lesson went another way: "+format, args...)
	}
	return fmt.Errorf("%w: %s: start `%s` there", ErrMismatch, fmt.Sprintf(format, args...), s.command(s.Name.Other(), s.run.sc.Name))
}

// plays is Mismatch where it is known what the other side plays.
func (s *Side) plays(name, format string, args ...any) error {
	return fmt.Errorf("%w, or `%s` here", s.Mismatch(format, args...), s.command(s.Name, name))
}

// command is what is typed to play a side of a scenario at this server's address.
func (s *Side) command(side timeline.Side, name string) string {
	if side == timeline.Server {
		return "echod " + name
	}
	return fmt.Sprintf("echoc %s %s", name, s.Addr)
}

// scenarioName is what may be one; it came from the other side, which may be anybody.
var scenarioName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// wrongClient is the error of a server whose client began with that line.
func (s *Side) wrongClient(line string) error {
	switch name, ok := Requested([]byte(line)); {
	case ok:
		return s.plays(name, "the client plays %s", name)
	case line != "" && bytes.HasPrefix(Pattern(len(line)), []byte(line)):
		return s.Mismatch("the client sends data without a request, as linger-off and linger-wait do")
	}
	return nobodys{s.Mismatch("the client sent %.40q", line)}
}

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
	if bytes.HasPrefix(began, s.request()) {
		return s.plainEcho()
	}
	if name, _, ok := introduced(string(began)); ok && name != s.run.sc.Name {
		return s.otherServer(name)
	}
	return nil
}

func (s *Side) plainEcho() error { return s.Mismatch("at %s there is a plain echo server", s.Addr) }

func (s *Side) otherServer(name string) error {
	return s.plays(name, "at %s there is `echod %s`", s.Addr, name)
}

// introduced reads what a scenario's server says of itself.
func introduced(said string) (name, speaks string, ok bool) {
	rest, ok := strings.CutPrefix(said, refusalBegins)
	line, _, whole := strings.Cut(rest, "\n")
	name, speaks, _ = strings.Cut(line, " ")
	return name, speaks, ok && whole && scenarioName.MatchString(name)
}

// mismatch looks for it also among what has come and was not read. That is not a call of the lesson.
func (r *run) mismatch() error {
	if r.both {
		return nil
	}
	for _, s := range r.sides {
		if err := s.wrongOne(); err != nil {
			return err
		}
	}
	return nil
}

// wrongOne is the error of a side whose other one turns out not to play this.
func (s *Side) wrongOne() error {
	if s.Name == timeline.Server {
		return s.strangers()
	}
	s.run.mu.Lock()
	open := slices.Clone(s.run.open)
	s.run.mu.Unlock()
	for _, c := range open {
		if err := s.mismatch(c.saidFirst()); err != nil {
			return err
		}
	}
	return nil
}

// saidFirst is the first that came on a connection, read or not. That it is looked at is not a call of the lesson.
func (c *Conn) saidFirst() []byte {
	unread := peek(c.sock)
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(slices.Clip(c.began), unread...)
}
