package docs

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"socklife/internal/scenario"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// recorder keeps the events that a view is shown.
type recorder struct {
	mu     sync.Mutex
	events []timeline.Event
}

func (r *recorder) Event(e timeline.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// drawn plays a scenario in this process and returns both what happened and what was drawn of it. A child that another
// test starts has the lesson's sockets too, until it executes its program: then a close() does not end them, and the
// lesson is played again.
func drawn(t *testing.T, sc *stage.Scenario) (events []timeline.Event, text string) {
	t.Helper()
	for try := 1; ; try++ {
		events, text, result := drawnOnce(sc)
		switch {
		case result.OK():
			return events, text
		case try == 3:
			t.Fatalf("%+v\n%s", result, text)
		}
	}
}

func drawnOnce(sc *stage.Scenario) ([]timeline.Event, string, stage.Result) {
	var out strings.Builder
	terminal := view.New(&out, view.Options{Width: 80, Title: sc.Name, Lesson: sc.Lesson, Ref: sc.Source, ManyConns: sc.Many, All: true})
	rec := &recorder{}
	log := timeline.New(terminal, rec)
	result := stage.Both(context.Background(), sc, stage.Config{
		Addr: netip.MustParseAddrPort("127.0.0.1:0"), Log: log,
	})
	log.Close()
	terminal.Flush()
	return rec.events, out.String(), result
}

// The reader of transcripts misses nothing and makes nothing up: what it reads from the lines is what was handed to the
// view.
func TestATranscriptHasAllThatHappened(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"half-close", "handshake", "close", "linger-off", "linger-reset", "reuseaddr", "backlog"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc := scenario.Find(name)
			if sc == nil {
				t.Fatal("no such scenario")
			}
			events, text := drawn(t, sc)
			got := parse(text)
			for i, side := range []timeline.Side{timeline.Client, timeline.Server} {
				want := happened(events, side, sc.Many)
				if d := listDifference(got.callNames(sideNames[i]), want.callNames(sideNames[i])); d != "" {
					t.Errorf("%s's calls: %s", side, d)
				}
				if d := setDifference(got.checks[sideNames[i]], want.checks[sideNames[i]]); d != "" {
					t.Errorf("%s's checks: %s", side, d)
				}
				for key, chain := range want.sockets[sideNames[i]] {
					if !slices.Equal(got.sockets[sideNames[i]][key], chain) {
						t.Errorf("%s's %s: read %v, was %v", side, key, got.sockets[sideNames[i]][key], chain)
					}
				}
			}
			if t.Failed() {
				t.Log(text)
			}
		})
	}
}

// happened is the transcript that the events of one side make.
func happened(events []timeline.Event, side timeline.Side, many bool) *transcript {
	tr := newTranscript()
	for _, e := range events { // the client's connections are numbered first
		if s, ok := e.Body.(*timeline.State); ok && many && e.Side == timeline.Client && s.From != s.To {
			tr.number(tagOf(s, s.Local))
		}
	}
	for _, e := range events {
		if e.Side != side {
			continue
		}
		switch b := e.Body.(type) {
		case *timeline.Call:
			errno := b.Errno
			if errno == "" {
				errno = "0"
			}
			tr.call(string(side), b.Call+"(fd) = "+strings.Replace(errno, "E", "-1 E", 1))
		case *timeline.Check:
			tr.check(string(side), b.Expect)
		case *timeline.State:
			port := ""
			if many && side == timeline.Client {
				port = tagOf(b, b.Local)
			} else if many {
				port = tagOf(b, b.Remote)
			}
			tr.state(string(side), port, name(b.From), b.To.String())
		}
	}
	return tr
}

// tagOf is what tells a connection apart: its name, or the client's port.
func tagOf(s *timeline.State, client netip.AddrPort) string {
	if s.Name != "" {
		return "<" + s.Name + ">"
	}
	return portOf(client)
}

func portOf(addr netip.AddrPort) string {
	if addr.Port() == 0 {
		return ""
	}
	return fmt.Sprintf(":%d", addr.Port())
}

// callNames are the calls without what was passed in, and how they ended. One after the other that are the same count
// once.
func (tr *transcript) callNames(side string) (names []string) {
	for _, c := range tr.calls[side] {
		name, _, _ := strings.Cut(c, "(")
		_, result, _ := strings.Cut(c[strings.LastIndexByte(c, '='):], "=")
		if !strings.HasPrefix(result, "E") {
			result = "ok"
		}
		if c = name + " " + result; len(names) == 0 || names[len(names)-1] != c {
			names = append(names, c)
		}
	}
	return names
}

// A block that is not true is found out: every way to get one wrong makes a difference.
func TestAWrongBlockFails(t *testing.T) {
	_, text := drawn(t, scenario.Find("half-close"))
	run := parse(text)
	if d := parse(text).difference(run); d != "" {
		t.Fatalf("the run differs from itself: %s", d)
	}
	for what, wrong := range map[string]string{
		"a call is missing":           without(text, "shutdown("),
		"a call is another":           strings.Replace(text, "SHUT_WR", "SHUT_RD", 1),
		"a call succeeds":             strings.Replace(text, "-1 EPIPE", "4", 1),
		"two calls change places":     swapped(text, "setsockopt(", "connect("),
		"a check is missing":          without(text, "✓ read() gives 0"),
		"a check says something else": strings.Replace(text, "is the end of what it sends", "is nothing to worry about", 1),
		"a state is another":          strings.Replace(text, "→ CLOSE-WAIT", "→ CLOSING", 1),
		"a state is left out":         strings.Replace(text, "FIN-WAIT-2 → TIME-WAIT", "FIN-WAIT-2", 1),
		"the end is another":          strings.Replace(text, "checks, all met", "checks FAILED", 1),
	} {
		if wrong == text {
			t.Errorf("%s: nothing was changed", what)
		} else if parse(wrong).difference(run) == "" {
			t.Errorf("%s, and no difference is found:\n%s", what, wrong)
		}
	}
}

// What is shown in part must have come in that order, too.
func TestAWrongPartFails(t *testing.T) {
	_, text := drawn(t, scenario.Find("half-close"))
	b := block{what: "echoc half-close", noted: noted{parts: []part{{"shutdown(", "all that the server sent"}}}}
	part, err := b.cut(text)
	if err != nil {
		t.Fatal(err)
	}
	run := parse(text)
	if d := parse(part).notIn(run); d != "" {
		t.Fatalf("the part is not in its own run: %s\n%s", d, part)
	}
	for what, wrong := range map[string]string{
		"a call that was not made":     strings.Replace(part, "SHUT_WR", "SHUT_RD", 1),
		"a call that did not fail":     strings.Replace(part, "-1 EPIPE", "4", 1),
		"a check that was not made":    strings.Replace(part, "is the end of what it sends", "is nothing", 1),
		"a state that did not come":    strings.Replace(part, "→ CLOSE-WAIT", "→ CLOSING", 1),
		"a call in the wrong place":    without(part, "shutdown(") + "   99.990 shutdown(11, SHUT_WR) = 0\n",
		"an end that is not the run's": part + "\nhalf-close: 1 check, met\n",
	} {
		if wrong == part {
			t.Errorf("%s: nothing was changed", what)
		} else if parse(wrong).notIn(run) == "" {
			t.Errorf("%s, and no difference is found:\n%s", what, wrong)
		}
	}
}

func TestAWrongSegmentFails(t *testing.T) {
	const lines = `       ms client                              server
    6.840 ├─── SYN seq=0 win=32120 <mss 1460, sackOK, TS val 1610197094 ecr 0, ───▶
                                       wscale 0>
    6.930 ◀─────── SYN ACK seq=0 ack=1 win=65160 <mss 1460, sackOK, TS val ───────┤
                         3375212102 ecr 1610197094, wscale 10>
    6.970 ├────────────────────── ACK seq=1 ack=1 win=32120 ──────────────────────▶
    9.650 ├──────────────── PSH ACK seq=1 ack=1 len=19 win=32120 ─────────────────▶
   11.580 ├─────────────────── FIN ACK seq=20 ack=1 win=32120 ────────────────────▶
   23.100 ◀─────────── FIN PSH ACK seq=130321 ack=21 len=752 win=65536 ───────────┤
`
	run := parse(lines)
	if got := strings.Join(append(run.segments["client"], run.segments["server"]...), "; "); got !=
		"SYN seq=0; FIN of number 20; SYN ACK seq=0 ack=1; FIN of number later" {
		t.Error(got)
	}
	for old, wrong := range map[string]string{
		"FIN ACK seq=20": "FIN ACK seq=21", "seq=0 ack=1 ": "seq=0 ack=2 ", "SYN ACK": "RST ACK",
		"──▶\n    9.650": "─ ✗ dropped\n    9.650", "FIN PSH": "PSH",
	} {
		if parse(strings.Replace(lines, old, wrong, 1)).difference(run) == "" {
			t.Errorf("%s for %s, and no difference is found", wrong, old)
		}
	}
}

func TestLivesThatMayBeTheSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT", "ESTABLISHED FIN-WAIT-1 TIME-WAIT", true},
		{"ESTABLISHED TIME-WAIT", "ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT", true},
		{"ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT", "ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT", false},
		{"CLOSE-WAIT LAST-ACK CLOSED", "CLOSE-WAIT CLOSED", true},
		{"ESTABLISHED CLOSED", "ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED", false},
		{"ESTABLISHED FIN-WAIT-1", "ESTABLISHED FIN-WAIT-1 FIN-WAIT-2", false},
		{"LISTEN CLOSED", "LISTEN", false},
	} {
		a, b := strings.Fields(c.a), strings.Fields(c.b)
		if sameLife(a, b) != c.same || sameLife(b, a) != c.same {
			t.Errorf("%s and %s: want %v", c.a, c.b, c.same)
		}
	}
}

// without leaves out the line that has some text.
func without(text, what string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, what) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// swapped exchanges the first two places of two words.
func swapped(text, a, b string) string {
	const mark = "\x00"
	text = strings.Replace(text, b, mark, 1)
	i := strings.LastIndex(text[:strings.Index(text, mark)], a)
	return strings.Replace(text[:i]+b+text[i+len(a):], mark, a, 1)
}
