package figure

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

var update = flag.Bool("update", false, "write testdata/*.golden from what is drawn now")

// samples are runs as --json wrote them: three that saw no segments of loopback, or all of a wire, or lost one there.
var samples = []string{"half-close", "backlog", "simultaneous-close-wire", "syn-loss-wire"}

// sample is one of them.
func sample(t testing.TB, name string) *ladder.Ladder {
	t.Helper()
	lines, err := os.ReadFile(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return ladder.Of(ladder.Head{Title: name, Lesson: "what it shows", Ref: "RFC 9293 3.6"}, decoded(t, lines))
}

func decoded(t testing.TB, lines []byte) (events []timeline.Event) {
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

// drawn is a ladder as one of the figures.
func drawn(t testing.TB, draw func(*strings.Builder) error) string {
	t.Helper()
	var b strings.Builder
	if err := draw(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func asMermaid(t testing.TB, l *ladder.Ladder) string {
	return drawn(t, func(b *strings.Builder) error { return Mermaid(b, l, Options{All: true}) })
}

func asSVG(t testing.TB, l *ladder.Ladder) string {
	return drawn(t, func(b *strings.Builder) error { return SVG(b, l, Options{All: true}) })
}

// hostile is a run that has one string, and the kernel's numbers, wherever an event has room for them.
func hostile(s string) *ladder.Ladder {
	client, server := netip.MustParseAddrPort("[2001:db8::1]:40112"), netip.MustParseAddrPort("[2001:db8::2]:7007")
	label := timeline.Label{Name: s}
	n, big := 1, uint32(1<<32-1)
	var events []timeline.Event
	add := func(side timeline.Side, b timeline.Body) {
		events = append(events, timeline.Event{Seq: int64(len(events)), At: time.Duration(len(events)) * time.Millisecond, Side: side, Body: b})
	}
	add(timeline.Client, &timeline.Begin{Scenario: s})
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		ends := timeline.Ends{Local: client, Remote: server}
		if side == timeline.Server {
			ends = ends.Other()
		}
		add(side, &timeline.Enter{ID: 1, Call: s, Args: []string{s, s, s}, Socket: 1, Label: label})
		add(side, &timeline.Call{ID: 1, Call: s, Args: []string{s, s, s}, Errno: s, Split: true, Socket: 1, Label: label})
		add(side, &timeline.Call{ID: 2, Call: "connect", Args: []string{s}, Socket: 1, Label: label})
		for _, to := range []tcpinfo.State{tcpinfo.Established, tcpinfo.TimeWait, tcpinfo.Closed, tcpinfo.State(99)} {
			add(side, &timeline.State{Local: ends.Local, Remote: ends.Remote, From: tcpinfo.Closed, To: to, Source: s, Timer: s, TimerFor: s, RecvQ: &big, SendQ: &big,
				Shutdown: []string{s}, Socket: 1, FromSource: s, DetailsSource: s, Ended: timeline.Ended{How: timeline.How(s), Why: s}, Label: label})
		}
		add(side, &timeline.Queue{Local: ends.Local, AcceptQueue: big, SynQueue: &n, Label: label})
		add(side, &timeline.Check{Expect: s, Got: s, Met: s})
		add(side, &timeline.Note{Text: s, Heading: side == timeline.Client})
		add(side, &timeline.Counter{Name: s})
	}
	add(timeline.Wire, &timeline.Note{Text: s})
	add(timeline.Wire, &timeline.Table{Title: s, Head: []string{s}, Rows: [][]string{{s}}})
	add(timeline.Wire, &timeline.Summary{Scenario: s, Why: s, Options: s})
	l := ladder.Of(ladder.Head{Title: s, Lesson: s, Ref: s, ClientLabel: s, ServerLabel: s}, events)
	for _, fate := range []string{"", "delivered", "dropped", "held", "duplicated", s} {
		b := &timeline.Segment{Src: client, Dst: server, From: timeline.Client, Flags: []string{s}, Options: []string{s}, Marks: []string{s}, Fate: fate, Label: label}
		l.Steps = append(l.Steps, ladder.Of(ladder.Head{}, []timeline.Event{{Side: timeline.Wire, Body: b}}).Steps...)
	}
	return l
}

// attacks are strings that mean something to a terminal, to XML, HTML, Markdown, Mermaid or a script.
var attacks = []string{
	"", " ", "end", "END of it", "a\nb", "a\r\nparticipant X", "```\n", "#", "#35;", ";", "%%{init: {}}%%", "%%", `"quoted" 'twice'`, "<script>alert(1)</script>", "]]>", "--> A",
	"A->>B: x", "\x00\x01\x1b[2J", "\xff\xfe broken", "\u202e right to left", "\u200b", "🙂 漢字 é", "&amp; &#x41; &", "style a fill:#fff;", "classDef x fill:#000;", "wrap: x", "nowrap:x",
	"state x {", "}", "[*]", ":::x", "note right of client", "loop x", "alt", "$$x$$", "`code` **bold**", "javascript:alert(1)", "https://example.org/", "\\", "a:b", "<br/>", "direction LR",
	strings.Repeat("long ", 400), strings.Repeat("x", 3000),
}
