package scenario

import (
	"net/netip"
	"os"
	"testing"

	"socklife/internal/stage"
	"socklife/internal/timeline"
)

// What a lesson has beside it is its first connection, whole, and nothing of any other; and the listener that nobody
// else comes to.
func TestAsideIsTheControlConnectionAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, sc := range All() {
		if sc.Control == stage.NoControl {
			continue
		}
		t.Run(sc.Name, func(t *testing.T) {
			if testing.Short() && sc.Name != "refused" && sc.Name != "accept-reset" {
				t.Skip("-short: two of them are enough")
			}
			if !alone(t) {
				return
			}
			cfg := stage.Config{Trace: os.Getuid() == 0}
			result, rec := play(t.Context(), sc, cfg)
			possible(t, result)
			if result.Err != nil {
				t.Fatal(result.Err)
			}
			checkAside(t, sc, rec)
		})
		t.Run(sc.Name+" on the wire", func(t *testing.T) {
			if os.Getuid() != 0 || testing.Short() || sc.Wire != nil {
				t.Skip("needs root, and time")
			}
			if !alone(t) {
				return
			}
			result, rec := play(t.Context(), sc, stage.Config{Wire: &stage.WireConfig{}})
			possible(t, result)
			if result.Err != nil {
				t.Fatal(result.Err)
			}
			checkAside(t, sc, rec)
		})
	}
}

func checkAside(t *testing.T, sc *stage.Scenario, rec *record) {
	t.Helper()
	ends := firstAccepted(t, rec)
	seen := map[string]bool{}
	is := func(local, remote netip.AddrPort) bool {
		return timeline.Ends{Local: local, Remote: remote} == ends || timeline.Ends{Local: remote, Remote: local} == ends
	}
	open := map[timeline.Side]map[int]bool{timeline.Client: {}, timeline.Server: {}} // descriptors of what is aside
	first := map[timeline.Side]bool{}
	for _, e := range rec.events {
		want, got := false, timeline.LabelOf(e.Body)
		what := string(e.Side) + " " + string(e.Body.Kind())
		switch b := e.Body.(type) {
		case *timeline.Call:
			what += " " + b.Call
			want = open[e.Side][b.FD]
			switch {
			case b.Call == "socket":
				want = !first[e.Side] && (e.Side == timeline.Client || sc.Control == stage.ControlListener)
				first[e.Side], open[e.Side][b.Ret] = true, want
			case b.Call == "accept4" && b.Errno == "":
				want = b.Sys.Addr == ends.Remote
				open[e.Side][b.Ret] = want
			case b.Call == "close":
				delete(open[e.Side], b.FD)
			}
		case *timeline.State:
			if !b.Remote.IsValid() {
				want = sc.Control == stage.ControlListener && b.Local == ends.Local
			} else if want = is(b.Local, b.Remote); b.Local.Port() == 0 {
				want = got.Aside // the tracepoint's: the kernel has not chosen the port yet
			}
		case *timeline.Segment:
			want = is(b.Src, b.Dst)
		default:
			continue // a queue may hold the control connection or another
		}
		if got.Aside != want || want && got.Name != "control" {
			t.Errorf("%s: %+v: aside %v, name %q; want %v", what, e.Body, got.Aside, got.Name, want)
		}
		seen[what] = seen[what] || want
	}
	for _, what := range []string{"client call socket", "client call connect", "client state", "server call accept4", "server state"} {
		if !seen[what] {
			t.Errorf("no %s was aside", what)
		}
	}
}

// firstAccepted are the addresses of the server's first client, as the server has them.
func firstAccepted(t *testing.T, rec *record) timeline.Ends {
	t.Helper()
	for _, e := range rec.events {
		if c, ok := e.Body.(*timeline.Call); ok && c.Call == "accept4" && c.Errno == "" {
			for _, e := range rec.events {
				if s, ok := e.Body.(*timeline.State); ok && e.Side == timeline.Server && s.Remote == c.Sys.Addr {
					return s.Ends()
				}
			}
		}
	}
	t.Fatal("nobody was accepted")
	return timeline.Ends{}
}
