package page

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

var update = flag.Bool("update", false, "write testdata/*.golden from what is made now")

// recorded are runs of the commands, as --json wrote them.
var recorded = []string{"half-close", "backlog", "wire-simultaneous-close"}

// read is a recorded run.
func read(t testing.TB, name string) *ladder.Ladder {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var events []timeline.Event
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		var e timeline.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	var joiner timeline.Joiner
	for _, e := range events {
		joiner.Join(e)
	}
	title := strings.TrimPrefix(name, "wire-")
	return ladder.Of(ladder.Head{Title: title, Lesson: "what it shows", Ref: "RFC 9293 3.6"}, events)
}

func written(t testing.TB, l *ladder.Ladder) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, l, "Linux 6.18.2"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What a page is given of a recorded run: its sockets, connections, outcome and the ways in the diagram.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, name := range recorded {
		r := newRun(read(t, name), "")
		var b strings.Builder
		fmt.Fprintf(&b, "%s: %v, %s; %d steps\n", r.Title, r.Outcome.OK, r.Outcome.Says, len(r.Steps))
		for _, w := range r.Words {
			fmt.Fprintf(&b, "%s: %s\n", w.Mark, w.Says)
		}
		for i, s := range r.Sockets {
			fmt.Fprintf(&b, "socket %d: %s %q %s %s listener=%v\n", i, s.Side, s.Label, s.Local, s.Remote, s.Listener)
		}
		for i, c := range r.Connections {
			fmt.Fprintf(&b, "connection %q: client %s, server %s, main=%v\n", c.Label, index(c.Client), index(c.Server), i == r.Main)
		}
		for _, s := range r.Steps {
			switch {
			case s.Walk != nil:
				fmt.Fprintf(&b, "%d: socket %s goes %s unseen=%v %s\n", s.Event.Seq, index(s.Socket), names(s.Walk.Way), s.Walk.Unseen, s.Walk.Says)
			case s.Arrow != nil:
				fmt.Fprintf(&b, "%s: from the %s %s %s, connection %s\n", number(s.Event), s.Arrow.From, s.Arrow.Says, s.Arrow.Fate, index(s.Connection))
			}
		}
		golden(t, name, b.String())
	}
}

// number is an event's, which an arrow that was inferred does not have.
func number(e *timeline.Event) string {
	if e == nil {
		return "inferred"
	}
	return fmt.Sprint(e.Seq)
}

func index(i *int) string {
	if i == nil {
		return "none"
	}
	return fmt.Sprint(*i)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is no longer as in %s (-update writes it):\n%s", name, path, got)
	}
}

// Without events, or without an end, there is a page too, and it says so.
func TestOutcome(t *testing.T) {
	t.Parallel()
	end := func(b *timeline.Summary) *ladder.Ladder {
		return ladder.Of(ladder.Head{}, []timeline.Event{{Side: timeline.Client, Body: b}})
	}
	for says, l := range map[string]*ladder.Ladder{
		"the run did not come to its end": {},
		"1 check met":                     end(&timeline.Summary{OK: true, Checks: 1}),
		"2 of 13 checks not met":          end(&timeline.Summary{Checks: 13, Failed: 2, Why: "2 of 13"}),
		"failed: interrupted":             end(&timeline.Summary{Checks: 3, Why: timeline.Interrupted}),
	} {
		if got := newRun(l, "").Outcome; got.Says != says || got.OK != (says == "1 check met") {
			t.Errorf("%+v, want %s", got, says)
		}
		written(t, l)
	}
}

// What stands before a server's run has a time before 0.
func TestBeforeTheRun(t *testing.T) {
	t.Parallel()
	zero := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	r := newRun(ladder.Of(ladder.Head{}, []timeline.Event{
		{At: 5 * time.Millisecond, Time: zero.Add(-3 * time.Second), Side: timeline.Server, Body: &timeline.Note{Text: "listening"}},
		{Time: zero, Side: timeline.Server, Body: &timeline.Begin{}},
		{At: time.Millisecond, Time: zero.Add(time.Millisecond), Side: timeline.Server, Body: &timeline.Note{Text: "a client"}},
	}), "")
	if len(r.Steps) != 2 || r.Steps[0].AtUS != -3e6 || r.Steps[1].AtUS != 1000 {
		t.Errorf("%+v", r.Steps)
	}
}

// Every way from one state to another is drawn as seen only where it was.
func TestWalk(t *testing.T) {
	t.Parallel()
	s := &sockets{listeners: map[uint16]bool{7007: true}}
	server, client := netip.MustParseAddrPort("127.0.0.1:7007"), netip.MustParseAddrPort("127.0.0.1:40000")
	for _, c := range []struct {
		b    timeline.State
		want string
	}{
		{timeline.State{From: tcpinfo.Established, To: tcpinfo.FinWait1}, "ESTABLISHED, FIN-WAIT-1 seen"},
		{timeline.State{From: tcpinfo.Established, To: tcpinfo.Established}, "none"},
		{timeline.State{From: tcpinfo.Closed, To: tcpinfo.Established, Local: client, Remote: server}, "CLOSED, SYN-SENT, ESTABLISHED unseen"},
		{timeline.State{From: tcpinfo.Closed, To: tcpinfo.Established, Local: client, Remote: client}, "CLOSED, SYN-SENT, SYN-RECEIVED, ESTABLISHED unseen"},
		{timeline.State{From: tcpinfo.Closed, To: tcpinfo.Established, Local: server, Remote: client}, "CLOSED, ESTABLISHED unseen"}, // both SYNs may have crossed
		{timeline.State{From: tcpinfo.SynSent, To: tcpinfo.Established, Local: client, Remote: server}, "SYN-SENT, ESTABLISHED seen"},
		{timeline.State{From: tcpinfo.SynSent, To: tcpinfo.Established, Local: client, Remote: client}, "SYN-SENT, SYN-RECEIVED, ESTABLISHED unseen"},
		{timeline.State{From: tcpinfo.FinWait1, To: tcpinfo.TimeWait, Local: client, Remote: server}, "FIN-WAIT-1, TIME-WAIT unseen"},
		{timeline.State{To: tcpinfo.Established, Local: server, Remote: client}, "LISTEN, SYN-RECEIVED, ESTABLISHED unseen"},
		{timeline.State{To: tcpinfo.SynReceived, Local: server, Remote: client}, "LISTEN, SYN-RECEIVED seen"},
		{timeline.State{To: tcpinfo.Listen, Local: server}, "none"},
		{timeline.State{From: tcpinfo.Established, To: tcpinfo.Closed}, "ESTABLISHED, CLOSED unseen"},
		{timeline.State{From: tcpinfo.Established, To: tcpinfo.Closed, Ended: timeline.Ended{How: timeline.EndedTold}}, "ESTABLISHED, CLOSED seen"},
		{timeline.State{From: tcpinfo.Established, To: tcpinfo.Closed, Source: "tracepoint"}, "ESTABLISHED, CLOSED seen"},
		{timeline.State{From: tcpinfo.CloseWait, To: tcpinfo.Closed, Ended: timeline.Ended{How: timeline.EndedSecond}}, "CLOSE-WAIT, LAST-ACK, CLOSED unseen"},
	} {
		got := "none"
		if w := s.walk(&c.b); w != nil {
			got = names(w.Way) + map[bool]string{true: " unseen", false: " seen"}[w.Unseen]
		}
		if got != c.want {
			t.Errorf("%s to %s %s: %s, want %s", c.b.From, c.b.To, c.b.How, got, c.want)
		}
	}
}

// Every transition that has words beside its arrow is one of the RFC's, and only aborts and what the figure leaves out
// have none.
func TestEdges(t *testing.T) {
	t.Parallel()
	n := 0
	for _, e := range edges() {
		if e.Short != "" {
			n++
		}
	}
	if n != len(beside) {
		t.Errorf("%d arrows have words, %d are written", n, len(beside))
	}
}

// What a peer or a lesson may have said, at its worst.
const hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202egnp\u2028\u2066\x00\"'`${1}<!--\xff&lt;"

// hostileRun has it in every field that can have it.
func hostileRun() *ladder.Ladder {
	at := func(side timeline.Side, b timeline.Body) timeline.Event {
		return timeline.Event{Seq: 1, Side: side, Body: b}
	}
	label := timeline.Label{Name: hostile}
	ack := uint32(1)
	l := ladder.Of(ladder.Head{Title: hostile, Lesson: hostile, Ref: hostile, ClientLabel: hostile, ServerLabel: hostile}, []timeline.Event{
		at(timeline.Client, &timeline.Enter{ID: 1, Call: hostile, Args: []string{hostile}, Socket: 1, Label: label}),
		at(timeline.Client, &timeline.Call{ID: 1, Call: hostile, Args: []string{hostile}, Ret: -1, Errno: hostile, Socket: 1, Label: label}),
		at(timeline.Client, &timeline.State{From: tcpinfo.Closed, To: tcpinfo.SynSent, Source: hostile, Timer: hostile, TimerFor: hostile, Shutdown: []string{hostile}, Socket: 1,
			FromSource: hostile, DetailsSource: hostile, Ended: timeline.Ended{How: hostile, Why: hostile}, Label: label}),
		at(timeline.Server, &timeline.Queue{Socket: 2, Label: label}),
		at(timeline.Wire, &timeline.Segment{Flags: []string{hostile}, Ack: &ack, Options: []string{hostile}, Fate: hostile, Marks: []string{hostile}, Header: hostile, From: hostile, Label: label}),
		at(timeline.Client, &timeline.Counter{Name: hostile, Delta: 1}),
		at(timeline.Client, &timeline.Note{Text: hostile}),
		at(timeline.Client, &timeline.Check{Expect: hostile, Got: hostile}),
		at(timeline.Client, &timeline.Table{Title: hostile, Head: []string{hostile}, Rows: [][]string{{hostile}}}),
		at(timeline.Client, &timeline.Foreign{Named: "new", JSON: json.RawMessage(`{"seq":1,"at_us":0,"side":"client","kind":"new","x":"</script><b>"}`)}),
		at(timeline.Client, &timeline.Summary{Scenario: hostile, Why: hostile, Options: hostile}),
	})
	l.Steps = append(l.Steps, ladder.Step{Arrow: &ladder.Arrow{From: timeline.Server, Flags: []string{hostile}, Says: hostile, More: []string{hostile}, Inferred: true, Why: hostile}})
	l.Inferred = true
	return l
}

var markup = regexp.MustCompile(`(?i)<(script|img|b>|!--)|-->|[\x00-\x08\x0b-\x1f\x{2028}\x{2029}]`)

// Whatever is in an event, the page has the markup that every page has, and no more.
func TestHostileBytesAreData(t *testing.T) {
	t.Parallel()
	plain := markup.FindAllString(written(t, &ladder.Ladder{}), -1)
	got := markup.FindAllString(written(t, hostileRun()), -1)
	if fmt.Sprintf("%q", plain) != fmt.Sprintf("%q", got) {
		t.Errorf("%q, want %q", got, plain)
	}
}

// Any string is data: the page's JSON is read back as it was, and there is no other script.
func FuzzWrite(f *testing.F) {
	f.Add(hostile)
	f.Add("-->")
	f.Fuzz(func(t *testing.T, s string) {
		l := ladder.Of(ladder.Head{Title: s}, []timeline.Event{{Side: timeline.Client, Body: &timeline.Note{Text: s}}})
		page := written(t, l)
		_, data, _ := strings.Cut(page, `id="run">`)
		data, _, _ = strings.Cut(data, "</script>")
		var got run
		if err := json.Unmarshal([]byte(data), &got); err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(s) && got.Title != s {
			t.Errorf("%q became %q", s, got.Title)
		}
		if n := strings.Count(page, "<script"); n != 2 {
			t.Errorf("%q: %d scripts", s, n)
		}
	})
}

// A page is small: most of it is the run.
func TestSize(t *testing.T) {
	t.Parallel()
	if empty := len(written(t, &ladder.Ladder{})); empty > 80<<10 {
		t.Errorf("%d bytes without a run", empty)
	}
	if n := len(written(t, read(t, "half-close"))); n > 150<<10 {
		t.Errorf("half-close: %d bytes", n)
	}
}

// The policy names the style and the script that the page has, so that the browser runs these and no others.
func TestPolicy(t *testing.T) {
	t.Parallel()
	page := written(t, read(t, "half-close"))
	for _, what := range []string{"style", "script"} {
		_, body, _ := strings.Cut(page, "<"+what+">")
		body, _, _ = strings.Cut(body, "</"+what+">")
		if want := what + "-src '" + strings.ReplaceAll(hash(body), "+", "&#43;") + "'"; !strings.Contains(page, want) {
			t.Errorf("without %s", want)
		}
	}
	for _, no := range []string{"innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "http://", "fetch("} {
		if strings.Contains(strings.ReplaceAll(page, "http://www.w3.org/2000/svg", ""), no) {
			t.Errorf("the page has %s", no)
		}
	}
}
