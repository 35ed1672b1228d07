package stage

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// The first line a client sends says which scenario it plays and how long its user wants the states held, so that two
// terminals with different flags still play one lesson. For most lessons this is all the data there is.

// Request is that line.
func (s *Side) Request() []byte {
	s.requested.Store(true)
	return s.request()
}

func (s *Side) request() []byte { return fmt.Appendf(s.requestBegins(), "%v\n", s.HoldTime()) }

func (s *Side) requestBegins() []byte { return []byte(s.run.sc.Name + " hold=") }

// ReadRequest reads the client's line, and holds for as long as either user asked. A client that plays something else
// is told what this is.
func (s *Side) ReadRequest(c *Conn) {
	spoken := s.letGoOfSilent(c)
	line, err := c.readLine()
	spoken()
	if line == "" && (errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET)) {
		s.run.fail(ofClient(ErrLeft, c.Remote()))
	}
	if !errors.Is(err, io.EOF) {
		c.Must(err)
	}
	name, hold, ok := parseRequest(line)
	if s.answered(c, line) {
		s.run.fail(s.interruptedBy(c))
	}
	if !ok || name != s.run.sc.Name {
		c.refused.Store(true)
		c.TryWrite(s.refusal()) // it may well be gone
		s.run.fail(s.wrongClient(line))
	}
	if c.Last().State == tcpinfo.Closed {
		s.run.fail(ofClient(ErrGone, c.Remote()))
	}
	s.asked.Store(true)
	s.hold.Store(int64(max(s.HoldTime(), min(hold, holdLimit))))
}

// Requested tells whose client begins like that.
func Requested(began []byte) (scenario string, ok bool) {
	line, _, _ := strings.Cut(string(began), "\n")
	name, _, ok := parseRequest(line)
	return name, ok && scenarioName.MatchString(name)
}

func parseRequest(line string) (name string, hold time.Duration, ok bool) {
	name, rest, ok := strings.Cut(line, " hold=")
	if !ok {
		return "", 0, false
	}
	hold, err := time.ParseDuration(rest)
	return name, min(hold, time.Hour), err == nil && hold >= 0
}
