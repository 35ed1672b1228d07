package stage

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// unmet complains of every check that is not met.
type unmet struct{ t *testing.T }

func (u unmet) Event(e timeline.Event) {
	if c, ok := e.Body.(*timeline.Check); ok && !c.OK {
		u.t.Errorf("%s: %s: got %s", e.Side, c.Expect, c.Got)
	}
}

// sockDiagFails plays a lesson in which sock_diag no longer answers, from the moment that the lesson says.
func sockDiagFails(t *testing.T, lesson func(s *Side, fail func())) Result {
	t.Helper()
	server := func(s *Side) {
		conn := s.Listen().Accept()
		conn.Read(64)
		conn.Close()
	}
	client := func(c *Side) { lesson(c, func() { c.host.diag.Close() }) }
	failed := unmet{t}
	cfg := Config{Timeout: 5 * time.Second, Addr: netip.MustParseAddrPort("127.0.0.1:0"), Log: timeline.New(failed)}
	defer cfg.Log.Close()
	return Both(t.Context(), &Scenario{Name: "test", Server: server, Client: client}, cfg)
}

// An observer that fails is reported as that, and never as a state that did not come.
func TestAnObserverThatFails(t *testing.T) {
	for name, lesson := range map[string]func(*Side, func()){
		"Expect": func(c *Side, fail func()) {
			conn := c.Dial()
			fail()
			conn.Close()
			conn.Expect("it cannot be seen", tcpinfo.TimeWait)
		},
		"ExpectGone": func(c *Side, fail func()) {
			conn := c.Dial()
			fail()
			conn.Close()
			conn.ExpectGone("it cannot be seen")
		},
		"Await": func(c *Side, fail func()) {
			conn := c.Dial()
			fail()
			conn.Close()
			c.Await("it cannot be seen", func() (string, bool) { return "", false })
		},
		"unhurried": func(c *Side, fail func()) {
			conn := c.Dial()
			fail()
			conn.Close()
			c.Unhurried(func() { conn.Expect("it cannot be seen", tcpinfo.TimeWait) })
		},
		"asked": func(c *Side, fail func()) {
			conn := c.Dial()
			fail()
			conn.Diag()
		},
		"at the end": func(c *Side, fail func()) {
			conn := c.Dial()
			fail()
			conn.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := sockDiagFails(t, lesson)
			var observer *ObserverError
			if !errors.As(result.Err, &observer) || result.Failed != 0 {
				t.Errorf("%d failed checks, %v", result.Failed, result.Err)
			}
		})
	}
}
