package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/tcpinfo"
)

const head = `{"seq":0,"at_us":0,"time":"2026-11-21T19:00:00Z","side":"client","kind":"record","format":1,"program":"echoc","version":"v1","kernel":"6","machine":"m","boot":"b","clock":"c","sides":["client"],"args":[],"title":"close"}` + "\n"

const (
	begin   = `{"seq":1,"at_us":0,"time":"2026-11-21T19:00:00.0000007Z","side":"client","kind":"begin","scenario":"close"}` + "\n"
	note    = `{"seq":2,"at_us":5,"time":"2026-11-21T19:00:00.000006Z","side":"client","kind":"note","text":"a note"}` + "\n"
	look    = `{"seq":2,"at_us":5,"time":"2026-11-21T19:00:00.000006Z","side":"host","kind":"look","look":1,"sockets":0,"stuck":0,"waiting":0,"healthy":0,"states":{}}` + "\n"
	summary = `{"seq":3,"at_us":6,"time":"2026-11-21T19:00:00.000007Z","side":"client","kind":"summary","scenario":"close","ok":true,"checks":1,"failed":0}` + "\n"
)

// all reads a record to its end.
func all(text string) (events []timeline.Event, unknown int, err error) {
	r, err := NewReader("FILE", strings.NewReader(text))
	if err != nil {
		return nil, 0, err
	}
	for {
		e, err := r.Next()
		if err != nil {
			if _, again := r.Next(); again == nil {
				err = errors.New("it goes on after " + err.Error())
			}
			return events, r.Unknown, err
		}
		events = append(events, e)
	}
}

// What can be read is read, and what is wrong is said in one line, with its place.
func TestWhatIsWrongWithAFile(t *testing.T) {
	t.Parallel()
	unknown := strings.ReplaceAll(note, `"note"`, `"dream"`)
	for name, c := range map[string]struct {
		text, want string
		events     int
	}{
		"whole":                {head + begin + note + summary, "", 3},
		"no new line":          {head + begin + note + strings.TrimSpace(summary), "", 3},
		"newer kinds":          {head + begin + unknown + unknown + summary, "", 2},
		"newer fields":         {head + strings.Replace(begin, `,"scenario"`, `,"later":{"a":[1]},"scenario"`, 1) + summary, "", 2},
		"empty":                {"", "FILE: it is empty", 0},
		"a text":               {"Dear reader,\n", "FILE: line 1: not a record of echoc or echod", 0},
		"binary":               {"\x7fELF\x00\x00", "not a record of echoc or echod", 0},
		"other JSON":           {`{"a":1}` + "\n", "FILE: line 1: not a record", 0},
		"of nobody":            {strings.Replace(head, `["client"]`, `[]`, 1), "FILE: line 1: not a record", 0},
		"what --json prints":   {begin + note + summary, "FILE: line 1: it has no record's first line", 3},
		"cut in a line":        {head + begin + note + summary[:40], "FILE: line 4: it ends in the middle of this line", 2},
		"cut in its first":     {head[:40], "FILE: line 1: it ends in the middle", 0},
		"cut between lines":    {head + begin + note, "FILE: line 4: it ends before the run does", 2},
		"a bad line":           {head + begin + "garbage\n" + summary, "FILE: line 3: not an event: invalid character 'g'", 1},
		"a bad side":           {head + begin + strings.Replace(note, `"client"`, `"nobody"`, 1) + summary, `FILE: line 3: not an event: side "nobody"`, 1},
		"a watch's":            {head + begin + look + summary, "FILE: line 3: not an event of a run: look, which is of a watch", 1},
		"a run in a watch's":   {strings.Replace(head, `["client"]`, `["host"]`, 1) + begin + summary, "FILE: line 2: not an event of a watch: begin", 0},
		"two":                  {head + begin + summary + head + begin + summary, "FILE: line 4: another record begins here", 2},
		"a watch's --json":     {look + look, "FILE: line 1: it has no record's first line", 2},
		"bytes 0":              {head + begin + "\x00\x00\n", "FILE: line 3: not an event: it has bytes 0 in it", 1},
		"too long":             {head + begin + `{"` + strings.Repeat("x", longest) + "\n", "FILE: line 3: not an event: longer than 16 MB", 1},
		"long, and not so bad": {head + begin + strings.Replace(note, "a note", strings.Repeat("x", 1<<20), 1) + summary, "", 3},
	} {
		events, unknown, err := all(c.text)
		if c.want == "" && err != io.EOF || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) || err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if len(events) != c.events || (unknown == 2) != (name == "newer kinds") {
			t.Errorf("%s: %d events, want %d; %d unknown", name, len(events), c.events, unknown)
		}
	}
	r, err := NewReader("FILE", strings.NewReader(strings.Replace(head, `"format":1`, `"format":2`, 1)))
	if err != nil || !strings.Contains(r.Newer(), "of format 2 (echoc v1)") {
		t.Errorf("a newer format: %v, %q", err, r.Newer())
	}
}

// A time is what it was to the nanosecond, and not cut to the microsecond.
func TestTimesAreExact(t *testing.T) {
	t.Parallel()
	events, _, err := all(head + begin + note + summary)
	if err != io.EOF || events[1].At != 5300*time.Nanosecond || events[0].At != 0 {
		t.Errorf("%v: %v, %v", err, events[0].At, events[1].At)
	}
}

// What is written is read, and there is no file before it is complete, nor of a run in which nothing happened.
func TestWrittenAndRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	about := Here(timeline.Record{Sides: []timeline.Side{timeline.Server}, Title: "close", Many: true}, "echod v7", []string{"a b"})
	w, err := Create(path, false, about)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("there is a record of nothing")
	}
	if w, err = Create(path, false, about); err != nil {
		t.Fatal(err)
	}
	log := timeline.New(w)
	log.Begin(timeline.Server, &timeline.Begin{Scenario: "close"})
	log.Add(timeline.Server, time.Time{}, &timeline.Summary{Scenario: "close", OK: true})
	log.Close()
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := NewReader(path, file)
	if err != nil {
		t.Fatal(err)
	}
	a := r.About
	if a.Format != 1 || a.Program != "echod" || a.Version != "v7" || a.Title != "close" || !a.Many || a.Both() || !a.Has(timeline.Server) || a.Kernel == "" || a.Boot == "" || len(a.Args) != 1 {
		t.Errorf("%+v", a)
	}
	for _, want := range []timeline.Kind{"begin", "summary"} {
		if e, err := r.Next(); err != nil || e.Body.Kind() != want {
			t.Errorf("%v, %v; want %s", e, err, want)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
}

const hostile = "\x1b[2J\x1b]0;x\x07\u009b31m\x7f\r\u202e\x00\u0085\xff<script>"

// bodies have a text in every field that takes one.
func bodies(s string) []timeline.Body {
	local, remote := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("[fe80::1]:7007")
	remote = netip.AddrPortFrom(remote.Addr().WithZone(s), 7007)
	label := timeline.Label{Name: s}
	args := []string{s, `"` + s + `"`, s, s, s}
	list := []timeline.Body{
		&timeline.Begin{Scenario: s},
		&timeline.State{Local: local, Remote: remote, To: tcpinfo.Established, Source: s, Timer: s, TimerFor: s, Shutdown: []string{s}, FromSource: s, DetailsSource: s,
			Ended: timeline.Ended{How: timeline.How(s), Why: s}, Label: label},
		&timeline.State{Local: local, To: tcpinfo.Listen, Source: s, Ended: timeline.Ended{How: timeline.EndedTold, Why: s}},
		&timeline.State{Local: local, Remote: remote, From: tcpinfo.Established, To: tcpinfo.Closed, Source: s, Ended: timeline.Ended{How: timeline.EndedAbort, Why: s}},
		&timeline.Queue{Local: local, AcceptQueue: 1, Label: label},
		&timeline.Segment{Src: local, Dst: remote, Flags: []string{s}, Options: []string{s}, Fate: s, From: timeline.Side(s), Marks: []string{s}, Header: s, Label: label},
		&timeline.Counter{Name: s, Delta: 1}, &timeline.Note{Text: s}, &timeline.Note{Text: s, Heading: true},
		&timeline.Check{Expect: s, Got: s, OK: true, Met: s}, &timeline.Check{Expect: s, Got: s},
		&timeline.Table{Title: s, Head: []string{s, s}, Rows: [][]string{{s, s}, {s}, {}, {s, s, s}}},
		&timeline.Coverage{To: tcpinfo.Established, Seen: true, Scenario: s, Source: s}, &timeline.Coverage{To: tcpinfo.Established, WhyNot: s},
		&timeline.Summary{Scenario: s, Why: s, Options: s}, &timeline.Summary{Scenario: s, OK: true, Checks: 2},
	}
	for _, call := range []string{s, "socket", "accept4", "read", "write", "recvfrom", "setsockopt", "getsockopt", "connect", "close"} {
		list = append(list, &timeline.Enter{ID: 1, Call: call, Args: args, Label: label}, &timeline.Call{ID: 1, Call: call, Args: args, Errno: s, Label: label},
			&timeline.Call{ID: 2, Call: call, Args: args, Label: label, TookUS: 1e9}, &timeline.Call{ID: 3, Call: call})
	}
	return list
}

// recordOf is a record with these bodies, and what its first line says.
func recordOf(t testing.TB, s string) []byte {
	t.Helper()
	about := &timeline.Record{Format: 1, Program: s, Version: s, Kernel: s, Machine: s, Boot: s, Clock: s, Sides: []timeline.Side{timeline.Client}, Args: []string{s},
		Title: s, Lesson: s, Ref: s, ClientLabel: s, ServerLabel: s, ClientSource: s, ServerSource: s}
	var b bytes.Buffer
	lines := view.NewJSONLines(&b)
	at := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	for i, body := range append([]timeline.Body{about}, bodies(s)...) {
		lines.Event(timeline.Event{Seq: int64(i), At: time.Duration(i) * time.Millisecond, Time: at.Add(time.Duration(i) * time.Millisecond), Side: timeline.Client, Body: body})
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	return b.Bytes()
}

// drawn is what every view makes of a record, and what is said of it.
func drawn(text []byte) (views map[string]string, said string, events int) {
	r, err := NewReader("FILE", bytes.NewReader(text))
	if err != nil {
		return nil, err.Error(), 0
	}
	out := map[string]*bytes.Buffer{"terminal": {}, "narrow": {}, "one": {}, "narrator": {}, "json": {}}
	a := r.About
	o := view.Options{Title: a.Title, Lesson: a.Lesson, Ref: a.Ref, ClientLabel: a.ClientLabel, ServerLabel: a.ServerLabel, ClientSource: a.ClientSource, ServerSource: a.ServerSource,
		ManyConns: a.Many, Alone: a.Alone}
	narrow, one := o, o
	o.Infer, narrow.Width, narrow.All, narrow.Infer, one.Alone = true, 40, true, true, timeline.Server
	list := []view.View{view.New(out["terminal"], o), view.New(out["narrow"], narrow), view.New(out["one"], one), view.NewNarrator(out["narrator"], o), view.NewJSONLines(out["json"])}
	for err == nil {
		var e timeline.Event
		if e, err = r.Next(); err == nil {
			events++
			for _, v := range list {
				v.Event(e)
			}
		}
	}
	views = map[string]string{}
	for i, name := range []string{"terminal", "narrow", "one", "narrator", "json"} {
		list[i].Flush()
		views[name] = out[name].String()
	}
	return views, err.Error() + r.Newer(), events
}

// clean: no text but new lines can do something to a terminal.
func clean(out string) error {
	for _, r := range out {
		if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0) {
			return fmt.Errorf("%U in %q", r, out)
		}
	}
	if !utf8.ValidString(out) {
		return fmt.Errorf("not UTF-8: %q", out)
	}
	return nil
}

// Whatever stands in a field of a record, no view gives a terminal anything but text.
func TestHostileTextInEveryField(t *testing.T) {
	t.Parallel()
	text := recordOf(t, hostile)
	views, _, events := drawn(text)
	if want := len(bodies("")); events != want {
		t.Fatalf("%d events of %d: the record is not read", events, want)
	}
	for name, out := range views {
		if err := clean(out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(out, "script") {
			t.Errorf("%s: the text is not shown at all", name)
		}
	}
}

func FuzzReplay(f *testing.F) {
	f.Add([]byte(head + begin + note + summary))
	f.Add(recordOf(f, "x"))
	f.Add(recordOf(f, hostile))
	f.Fuzz(func(t *testing.T, text []byte) {
		views, _, _ := drawn(text)
		for name, out := range views {
			if err := clean(out); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if name != "json" {
				continue
			}
			for line := range strings.Lines(out) {
				if !json.Valid([]byte(line)) {
					t.Errorf("not JSON: %q", line)
				}
			}
		}
	})
}
