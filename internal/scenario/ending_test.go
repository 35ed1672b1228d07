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
