package scenario

import (
	"fmt"
	"strings"
	"time"
)

// The first line a client sends says which scenario it plays and how long its reader wants the states held, so that two
// terminals with different flags still play one lesson. For most lessons this is all the data there is.

// Request is that line.
func (s *Side) Request() []byte {
	return fmt.Appendf(nil, "%s hold=%v\n", s.run.sc.Name, s.hold)
}

// ReadRequest reads the client's line, and holds for as long as either reader asked.
func (s *Side) ReadRequest(c *Conn) {
	line, _ := c.readLine()
	name, hold, ok := parseRequest(line)
	if !ok || name != s.run.sc.Name {
		s.run.fail(fmt.Errorf("%w: the client sent %.40q, this is the server's side of %s", ErrMismatch, line, s.run.sc.Name))
	}
	s.hold = max(s.hold, hold)
}

func parseRequest(line string) (name string, hold time.Duration, ok bool) {
	name, rest, ok := strings.Cut(line, " hold=")
	if !ok {
		return "", 0, false
	}
	hold, err := time.ParseDuration(rest)
	return name, min(hold, time.Hour), err == nil && hold >= 0
}
