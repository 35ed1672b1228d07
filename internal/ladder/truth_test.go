package ladder

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"socklife/internal/timeline"
)

// bin is where echoc is, once it was built.
var bin string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "socklife-ladder-")
	if err != nil {
		panic(err)
	}
	bin = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// build makes echoc.
func build(t *testing.T) string {
	t.Helper()
	echoc := filepath.Join(bin, "echoc")
	if out, err := exec.Command("go", "build", "-o", echoc, "socklife/cmd/echoc").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return echoc
}

// played are the events of a run; where this user cannot have it, the test is skipped.
func played(t *testing.T, echoc string, args ...string) (events []timeline.Event) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), echoc, append([]string{"--json"}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	switch status := cmd.ProcessState.ExitCode(); {
	case status == 3:
		t.Skip(errs.String())
	case err != nil && status != 1: // a check that is not met is other tests' matter: the run is one all the same
		t.Fatalf("%v: %v\n%s", args, err, errs.String())
	}
	return decoded(t, out)
}

func decoded(t *testing.T, lines []byte) (events []timeline.Event) {
	t.Helper()
	for sc := bufio.NewScanner(bytes.NewReader(lines)); sc.Scan(); {
		var e timeline.Event
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	var joiner timeline.Joiner
	for _, e := range events {
		joiner.Join(e)
	}
	return events
}

// names are the scenarios that --list gives; onlyWire are those that need a wire.
func names(t *testing.T, echoc string) (plain, onlyWire []string) {
	t.Helper()
	out, err := exec.Command(echoc, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		switch {
		case !strings.HasPrefix(line, "  "):
		case strings.HasSuffix(line, "(--wire)\n"):
			onlyWire = append(onlyWire, strings.Fields(line)[0])
		default:
			plain = append(plain, strings.Fields(line)[0])
		}
	}
	return plain, onlyWire
}

// real is a segment that was seen, at its place among the other events.
type real struct {
	*timeline.Segment
	at    time.Time
	place int // above the event with that index
	taken bool
}

// A packet socket on a busy machine may have a segment's time from when it was read: of a capture the places tell
// nothing. (A wire's are exact.)
func (s *real) after(event int) bool { return s.Fate == "" || s.place > event }
func (s *real) by(event int) bool    { return s.Fate == "" || s.place <= event }

// apart takes the segments out of a run.
func apart(events []timeline.Event) (rest []timeline.Event, segments []*real) {
	for _, e := range events {
		if b, ok := e.Body.(*timeline.Segment); ok {
			if b.Fate != "held" {
				segments = append(segments, &real{Segment: b, at: e.Time, place: len(rest)})
			}
			continue
		}
		rest = append(rest, e)
	}
	return rest, segments
}

// entryAt has the places of segments as they are when connect() has an entry of its own.
func entryAt(rest []timeline.Event, segments []*real) []timeline.Event {
	with := entries(rest)
	shift, n := make([]int, len(rest)+1), 0
	for i, e := range rest {
		if e.Body.Kind() == "call" && with[i+n].Body.Kind() == "enter" {
			shift[i] = n // what stands above the call may have come before its entry
			n++
			continue
		}
		shift[i] = n
	}
	shift[len(rest)] = n
	for _, s := range segments {
		s.place += shift[s.place]
	}
	return with
}

// kindOf is what the truth is held against: SYN, SYN ACK, FIN, RST, data; "" is anything else.
func kindOf(flags []string, bytes int) string {
	has := func(f string) bool { return slices.Contains(flags, f) }
	switch {
	case has("RST"):
		return "RST"
	case has("SYN") && has("ACK"):
		return "SYN ACK"
	case has("SYN"):
		return "SYN"
	case has("FIN"):
		return "FIN"
	case bytes > 0:
		return "data"
	}
	return ""
}

func (s *real) is(kind string) bool {
	return kindOf(s.Flags, s.Len) == kind || kind == "FIN" && slices.Contains(s.Flags, "FIN") && kindOf(s.Flags, 0) == "FIN"
}

// fits says whether the segment can be the one that was inferred: between its cause and what shows it, of its
// connection, and delivered unless nothing says so.
func (s *real) fits(a *inferred, kind string) bool {
	same := func(a, b netip.AddrPort) bool { return !a.IsValid() || a.Port() == 0 || a == b }
	return s.From == a.From && s.is(kind) && same(a.Ends.Local, s.Src) && same(a.Ends.Remote, s.Dst) &&
		s.after(a.cause) && s.by(a.shown) && (a.Open || s.Fate != "dropped")
}

// score counts the segments that were there, for the first time, and those of them that were inferred.
type score struct{ real, inferred, bytes, bytesInferred int }

// judge holds what is inferred from a run without its segments against them.
func judge(t *testing.T, events []timeline.Event) score {
	t.Helper()
	rest, segments := apart(events)
	if len(segments) == 0 {
		t.Fatal("no segment was seen")
	}
	of := toldOf(rest)
	if !of.enough() {
		t.Fatal("nothing to infer from: no calls, or not both ends' states")
	}
	with := entryAt(rest, segments)
	var sum score
	reset := map[timeline.Ends]bool{}
	for _, s := range segments {
		sum.bytes += s.Len
		again := slices.ContainsFunc(s.Marks, func(m string) bool { return strings.Contains(m, "retransmission") })
		if kindOf(s.Flags, 0) == "RST" { // the first; each segment that still comes is answered with one more
			way := timeline.Ends{Local: s.Src, Remote: s.Dst}
			again = again || reset[way]
			reset[way] = true
		}
		if kind := kindOf(s.Flags, 0); kind != "" && s.Fate != "dropped" && !again {
			sum.real++
		}
	}
	flowed := map[timeline.Ends]int{}
	for _, a := range infer(with, of.calls) {
		if !watched(segments, a.Ends) {
			continue
		}
		switch kind := kindOf(a.Flags, a.Bytes); kind {
		case "":
		case "data":
			flowed[a.Ends] += a.Bytes
			sum.bytesInferred += a.Bytes
			if came := delivered(segments, &a, with[a.shown].Time); came < flowed[a.Ends] {
				t.Errorf("%s says %s: by then %d bytes had come that way, and not %d", describe(&a), a.Why, came, flowed[a.Ends])
			}
		default:
			if !a.Open {
				sum.inferred++
			}
			i := slices.IndexFunc(segments, func(s *real) bool { return !s.taken && s.fits(&a, kind) })
			if i < 0 {
				t.Errorf("%s, %s (events %d to %d): there was none", describe(&a), a.Why, a.cause, a.shown)
				continue
			}
			segments[i].taken = true
		}
	}
	return sum
}

// watched says whether a connection was seen from its first SYN on: a packet socket may be told of it too late. One
// whose addresses are not known is taken for seen.
func watched(segments []*real, ends timeline.Ends) bool {
	return !ends.Local.IsValid() || !ends.Remote.IsValid() || ends.Local.Port() == 0 || slices.ContainsFunc(segments, func(s *real) bool {
		e := timeline.Ends{Local: s.Src, Remote: s.Dst}
		return s.is("SYN") && (e == ends || e == ends.Other())
	})
}

func describe(a *inferred) string { return fmt.Sprintf("%s's %s %v", a.From, a.Says, a.Ends) }

// aLook is how long the kernel may take to answer: what a look found has the time at which it began.
const aLook = time.Millisecond

// delivered is how far the data of an inferred arrow's direction had come by the event that shows it.
func delivered(segments []*real, a *inferred, shown time.Time) (n int) {
	seen := map[[2]uint32]bool{}
	for _, s := range segments {
		part := [2]uint32{s.Seq, uint32(s.Len)}
		if s.Src == a.Ends.Local && s.is("SYN") {
			clear(seen) // another connection between these addresses
		}
		if s.Src == a.Ends.Local && s.Dst == a.Ends.Remote && s.Fate != "dropped" && (s.by(a.shown) || s.at.Sub(shown) < aLook) && !seen[part] {
			seen[part] = true
			n += s.Len
		}
	}
	return n
}

// Every scenario on the wire: no arrow is inferred that was not there, and of the core lessons nearly all of them are.
func TestInferredArrowsWereOnTheWire(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every scenario")
	}
	echoc := build(t)
	plain, onlyWire := names(t, echoc)
	least := map[string]float64{"handshake": 0.9, "half-close": 0.9, "server-close": 0.9, "linger-reset": 0.7, "refused": 0.7}
	for _, name := range append(plain, onlyWire...) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := played(t, echoc, "--wire", name)
			held(t, name, judge(t, events), least[name])
			for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
				held(t, name+", without the calls of the "+string(side), judge(t, withoutCalls(events, side)), 0)
				judgeLive(t, withoutCalls(events, side))
			}
			live, whole := judgeLive(t, events)
			for again := 0; again < 20 && float64(live) < least[name]*float64(whole); again++ { // what shows itself late is not drawn: so it is on a busy machine
				live, whole = judgeLive(t, played(t, echoc, "--wire", name))
			}
			if t.Logf("%d of %d arrows while the run goes on", live, whole); float64(live) < least[name]*float64(whole) {
				t.Errorf("%s: only %d of %d arrows are drawn while it goes on, in every one of many runs", name, live, whole)
			}
		})
	}
}

// withoutCalls is a run as the terminal of the other end has it.
func withoutCalls(events []timeline.Event, of timeline.Side) []timeline.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e timeline.Event) bool {
		k := e.Body.Kind()
		return e.Side == of && (k == "call" || k == "enter")
	})
}

// The same on loopback, where a packet socket has seen the segments.
func TestInferredArrowsPassedByOnLoopback(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every scenario")
	}
	echoc := build(t)
	plain, _ := names(t, echoc)
	for _, name := range plain {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := played(t, echoc, "--capture", name)
			held(t, name, judge(t, events), 0)
		})
	}
}

// held says how many of the segments are inferred, and that they are enough.
func held(t *testing.T, name string, s score, least float64) {
	t.Helper()
	t.Logf("%s: of %d SYN, FIN and RST segments %d are inferred; of %d bytes of data %d", name, s.real, s.inferred, s.bytes, s.bytesInferred)
	if float64(s.inferred) < least*float64(s.real) {
		t.Errorf("%s: of %d segments only %d are inferred", name, s.real, s.inferred)
	}
}
