package scenario

import (
	"testing"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Where both sides are played here, and no other process has their sockets, it is known how each connection ended.
func TestHowAConnectionEndedIsKnown(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]map[timeline.Side]timeline.How{
		"linger-reset":      {timeline.Client: timeline.EndedAbort},
		"unread-data-reset": {timeline.Server: timeline.EndedAbort},
		"accept-reset":      {timeline.Client: timeline.EndedAbort},
		"server-close":      {},
		"reuseport":         {timeline.Server: timeline.EndedUnaccepted},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "reuseport" {
				t.Skip("-short: it plays until both listeners have a client")
			}
			if !alone(t) {
				return
			}
			sc := Find(name)
			result, rec := play(t.Context(), sc, stage.Config{})
			possible(t, result)
			if result.Err != nil {
				t.Fatal(result.Err)
			}
			seen := map[timeline.Side]map[timeline.How]bool{timeline.Client: {}, timeline.Server: {}}
			for _, e := range rec.events {
				b, ok := e.Body.(*timeline.State)
				if !ok || b.To != tcpinfo.Closed || b.From == b.To {
					continue
				}
				seen[e.Side][b.How] = true
				if b.How == "" && b.From == tcpinfo.Established {
					t.Errorf("nothing is known of how the %s's %+v ended", e.Side, b.Ends())
				}
				aborts := b.How != timeline.EndedSent && b.How != timeline.EndedSecond
				if b.From == tcpinfo.CloseWait && aborts && name == "server-close" {
					t.Errorf("a connection that ended in good order: %+v", b.Ended)
				}
			}
			for side, how := range want {
				if !seen[side][how] {
					t.Errorf("no connection of the %s's ended as %q: %v", side, how, seen[side])
				}
			}
		})
	}
}

// A run that cannot go on ends its sockets itself. Those calls are not the lesson's, and nor is what they do: the
// timeline ends before them.
func TestTheEndOfARunThatStopsIsNotTold(t *testing.T) {
	t.Parallel()
	stops := &stage.Scenario{
		Name: "stops", Group: stage.Failure, Lesson: "a run that stops halfway",
		Server: func(s *stage.Side) {
			conn := s.Listen().Accept()
			s.ReadRequest(conn)
			conn.Read(64)
		},
		Client: func(c *stage.Side) {
			conn := c.Dial()
			conn.Write(c.Request())
			c.Unsupported("this cannot be done here", "do it elsewhere")
		},
	}
	for _, traced := range []bool{false, true} {
		result, rec := play(t.Context(), stops, stage.Config{Trace: traced})
		if traced && result.Checks == 0 && len(rec.events) == 0 {
			continue // not allowed here
		}
		if result.Err == nil {
			t.Fatal("it did not stop")
		}
		established := map[timeline.Side]bool{}
		for _, e := range rec.events {
			if b, ok := e.Body.(*timeline.State); ok && b.From != b.To {
				established[e.Side] = established[e.Side] || b.To == tcpinfo.Established
				if b.From == tcpinfo.Established || b.To == tcpinfo.Closed {
					t.Errorf("traced %v: told of the %s, who has closed nothing: %s to %s", traced, e.Side, b.From, b.To)
				}
			}
		}
		if !established[timeline.Client] || !established[timeline.Server] {
			t.Errorf("traced %v: what was before it is missing: %v", traced, established)
		}
	}
}
