package watchlog

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"socklife/internal/board"
	"socklife/internal/diagnose"
	"socklife/internal/owner"
	"socklife/internal/survey"
	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/tcpinfo"
)

// kept is the record of a watch that took place, a line each.
func kept(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/watch.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(string(text)))
}

// with has something in the place of something else, which must be there.
func with(t testing.TB, line, old, new string) string {
	t.Helper()
	if !strings.Contains(line, old) {
		t.Fatalf("no %s in %s", old, line)
	}
	return strings.Replace(line, old, new, 1)
}

// Of any file what can be read is shown, and what is wrong is said, in one line, with its place; nothing is left out
// and not said.
func TestWhatIsWrongWithARecord(t *testing.T) {
	t.Parallel()
	w := kept(t)
	head, listener, leak, end := w[0], w[1], w[2], w[len(w)-1]
	whole := strings.Join(w, "")
	last := fmt.Sprintf("FILE: line %d: ", len(w))
	const at = `"seq":1,"at_us":1,"time":"2026-11-21T19:00:00Z"`
	call := `{` + at + `,"side":"client","kind":"call","call":"read","args":["4"],"fd":4,"ret":0,"took_us":1,"id":1,"entered_us":1}` + "\n"
	run := `{` + at + `,"side":"client","kind":"record","format":1,"program":"echoc","version":"v1","kernel":"6","machine":"m","boot":"b","clock":"c","sides":["client","server"],"args":[],"title":"close"}` + "\n"
	begin := `{` + at + `,"side":"client","kind":"begin","scenario":"close"}` + "\n"
	put := func(line string) string { return head + listener + line + strings.Join(w[3:], "") }
	for name, c := range map[string]struct {
		text, shows, problem string
	}{
		"whole":                       {whole, "STUCK CLOSE-WAIT", ""},
		"cut in a line":               {whole[:len(whole)-30], "STUCK CLOSE-WAIT", last + "it ends in the middle of this line: the rest was cut off"},
		"cut between two":             {strings.Join(w[:len(w)-1], ""), "STUCK CLOSE-WAIT", "it ends before the watch does"},
		"its first line":              {head, "", "it ends before the watch does"},
		"headless":                    {strings.Join(w[1:], ""), "STUCK CLOSE-WAIT", "FILE: line 1: it has no record's first line"},
		"newer kinds":                 {put(with(t, leak, `"kind":"socket"`, `"kind":"dream"`)), "ok LISTEN", ""},
		"newer fields":                {put(with(t, leak, `"what":`, `"later":{"a":[1]},"what":`)), "STUCK CLOSE-WAIT", ""},
		"foreign":                     {"Dear reader,\n", "", "FILE: line 1: not a record of echoc or echod"},
		"a run's events":              {head + begin + call + end, "", "FILE: line 2: not an event of a watch: begin, which is of a run"},
		"a run's event within":        {put(call + leak), "", "FILE: line 3: not an event of a watch: call, which is of a run"},
		"a watch's events":            {run + strings.Join(w[1:], ""), "", "FILE: line 2: not an event of a run: socket, which is of a watch"},
		"two":                         {whole + whole, "watched for", fmt.Sprintf("FILE: line %d: another record begins here", len(w)+1)},
		"a number as text":            {put(with(t, leak, `"recv_q":1`, `"recv_q":"NaN"`)), "", "FILE: line 3: not an event: socket: "},
		"no number":                   {put(with(t, leak, `"recv_q":1`, `"recv_q":NaN`)), "", "FILE: line 3: not an event: invalid character"},
		"a negative number":           {put(with(t, leak, `"recv_q":1`, `"recv_q":-1`)), "", "FILE: line 3: not an event: socket: "},
		"a negative time":             {put(with(t, leak, `"for_ms":`, `"for_ms":-`)), "", "FILE: line 3: not an event: socket: for_ms -"},
		"too long a time":             {put(with(t, leak, `"for_ms":`, `"expires_ms":9223372036855,"for_ms":`)), "", "FILE: line 3: not an event: socket: expires_ms 9223372036855 is not from 0 to 9223372036854"},
		"too many retransmissions":    {put(with(t, leak, `"for_ms":`, `"retrans":256,"for_ms":`)), "", "FILE: line 3: not an event: socket: retrans 256 is not from 0 to 255"},
		"a time that is none":         {put(with(t, leak, `"at_us":`, `"at_us":9999999999999`)), "", "FILE: line 3: not an event: at_us 9999999999999"},
		"less than nothing, a look":   {put(`{` + at + `,"side":"host","kind":"look","look":1,"sockets":-1,"stuck":0,"waiting":0,"healthy":0,"states":{}}` + "\n"), "", "FILE: line 3: not an event: look: sockets -1 "},
		"less than nothing, a state":  {put(`{` + at + `,"side":"host","kind":"look","look":1,"sockets":1,"stuck":0,"waiting":0,"healthy":0,"states":{"LISTEN":-1}}` + "\n"), "", "FILE: line 3: not an event: look: states -1 "},
		"less than nothing, the end":  {strings.Join(w[:len(w)-1], "") + with(t, end, `"came":`, `"came":-`), "STUCK", last + "not an event: tally: came -"},
		"a grade that is none":        {put(with(t, leak, `"stuck"`, `"dire"`)), "", `FILE: line 3: not an event: socket: grade "dire" is none of healthy, waiting and stuck`},
		"a state that is none":        {put(with(t, leak, `"to":"CLOSE-WAIT"`, `"to":"OPEN-WAIT"`)), "", `FILE: line 3: not an event: socket: `},
		"changed, and never appeared": {head + with(t, leak, `"there"`, `"changed"`) + strings.Join(w[3:], ""), "STUCK CLOSE-WAIT", ""},
		"gone, and never appeared":    {put(with(t, leak, `"what":"there"`, `"what":"gone","from":"CLOSE-WAIT"`)), "ok LISTEN", ""},
		"its own other end":           {put(with(t, leak, `"other_socket":3`, `"other_socket":2`)), "STUCK CLOSE-WAIT", ""},
	} {
		views, _, err := replayed([]byte(c.text), ways)
		if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) || err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, c.problem)
		}
		if out := views["table"]; c.shows == "" && out != "" || !strings.Contains(out, c.shows) {
			t.Errorf("%s: shown is %s, want %q", name, out, c.shows)
		}
	}
}

// What a watch that took place has written is read, and written as it was.
func TestWhatWasWrittenIsRead(t *testing.T) {
	t.Parallel()
	w := kept(t)
	views, again, err := replayed([]byte(strings.Join(w, "")), ways)
	if err != nil || body(again) != strings.Join(w[1:], "") {
		t.Errorf("%v: %s", err, differs(strings.Join(w[1:], ""), body(again)))
	}
	for _, want := range []string{"STUCK CLOSE-WAIT 127.0.0.1:8080", "127.0.0.1:8080 SYN seq=0", "CLOSED → SYN-SENT", "7 transitions, none lost.", "now 1 stuck, 3 waiting, 3 healthy"} {
		if !strings.Contains(views["table"], want) {
			t.Errorf("no %q in\n%s", want, views["table"])
		}
	}
}

// More transitions than an int has are a number all the same.
func TestManyTransitions(t *testing.T) {
	t.Parallel()
	w := kept(t)
	end := with(t, w[len(w)-1], `"transitions":7`, `"lost_transitions":18446744073709551615,"transitions":18446744073709551614`)
	views, _, err := replayed([]byte(strings.Join(w[:len(w)-1], "")+end), ways)
	if want := "18446744073709551614 transitions; at least 18446744073709551615 more lost."; err != nil || !strings.Contains(views["table"], want) {
		t.Errorf("%v: %s", err, views["table"])
	}
}

// A newer version finds what this one has no words for: it is shown, many of it, too.
func TestFindingsOfANewerVersion(t *testing.T) {
	t.Parallel()
	w := kept(t)
	var text strings.Builder
	text.WriteString(w[0])
	for i := range 60 {
		b := filled("x", func(b *timeline.Watched) {
			b.Socket, b.What, b.Grade, b.Finding, b.From, b.OtherSocket, b.Shown = i+1, "there", "stuck", "unheard-of", 0, 0, nil
			b.Local, b.Remote = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(1000+i)), netip.AddrPort{}
			b.Says, b.Who = fmt.Sprint("says ", i), fmt.Sprint("somebody ", i)
		})
		line, err := timeline.Event{Side: timeline.Host, Body: b}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	text.WriteString(`{"seq":1,"at_us":1,"time":"2026-11-21T19:00:00Z","side":"host","kind":"look","look":1,"sockets":60,"stuck":60,"waiting":0,"healthy":0,"states":{"ESTABLISHED":60}}` + "\n" + w[len(w)-1])
	views, _, err := replayed([]byte(text.String()), ways)
	if err != nil || !strings.Contains(views["table"], "STUCK 60 × ESTABLISHED") || !strings.Contains(views["table"], "unheard-of") {
		t.Errorf("%v: %s", err, views["table"])
	}
}

// sockets are so many connections of a server, as a look has found them: of each both ends.
func sockets(n int) *survey.Turn {
	t := &survey.Turn{At: time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC), First: true}
	server := netip.MustParseAddrPort("10.0.0.1:8080")
	for i := range n / 2 {
		client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 16), byte(i >> 8)}), uint16(10_000+i&0xff))
		a := &diagnose.Facts{For: time.Minute, Owners: []owner.Holder{{Process: "server", PID: 7, FD: i + 4}}}
		a.Local, a.Remote, a.State, a.Inode, a.RecvQ, a.Cookie = server, client, tcpinfo.CloseWait, uint32(i+1), 1, uint64(2*i+1)
		b := &diagnose.Facts{For: time.Minute}
		b.Local, b.Remote, b.State, b.Cookie = client, server, tcpinfo.FinWait2, uint64(2*i+2)
		a.Other, b.Other = b, a
		for j, f := range []*diagnose.Facts{a, b} {
			s := &survey.Socket{Facts: f, Number: 2*i + j + 1, Finding: diagnose.Of(f), Server: j == 0}
			t.Sockets, t.Changes = append(t.Sockets, s), append(t.Changes, survey.Change{Socket: s, What: "new"})
		}
	}
	return t
}

// 100,000 sockets of one look are told, written, read and shown in a time that one would wait for.
func TestALookWithManySockets(t *testing.T) {
	t.Parallel()
	const n = 100_000
	var text, shown strings.Builder
	text.WriteString(kept(t)[0])
	live := NewPrinter(&shown, board.Options{Title: "echoc watch all"})
	began := time.Now()
	log := timeline.New(view.NewJSONLines(&text), live)
	w := &Writer{Log: log, Shown: true}
	w.Turn(sockets(n))
	if stuck := w.End(time.Second, timeline.Tally{}); stuck != n/2 {
		t.Errorf("%d stuck", stuck)
	}
	log.Close()
	live.Flush()
	views, again, err := replayed([]byte(text.String()), map[string]board.Options{"table": {}})
	t.Logf("%v, %d MB", time.Since(began), text.Len()>>20)
	if err != nil || body(again) != body([]byte(text.String())) {
		t.Errorf("%v: %s", err, differs(body([]byte(text.String())), body(again)))
	}
	for _, want := range []string{": 100000 sockets", "50000 stuck, 50000 waiting", "STUCK 50000 × CLOSE-WAIT ↔ FIN-WAIT-2 at 10.0.0.1:8080", "and 49997 more"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("no %q in %s", want, shown.String())
		}
	}
	if views["table"] != shown.String() {
		t.Errorf("replayed as\n%s\nshown\n%s", views["table"], shown.String())
	}
}

// Of a socket that is gone nothing is kept: a watch may go on for months.
func TestNothingIsKeptOfWhatIsGone(t *testing.T) {
	t.Parallel()
	l := &Lines{Table: func(*survey.Turn) {}, News: func(view.Line) {}}
	for i := range 1000 {
		b := timeline.Watched{Socket: i + 1, What: "new", Local: netip.MustParseAddrPort("127.0.0.1:1"), To: tcpinfo.Established, Grade: "healthy", Finding: "open"}
		for _, what := range []string{"new", "gone"} {
			b := b
			if b.What = what; what == "gone" {
				b.From = tcpinfo.Established
			}
			l.Event(timeline.Event{Side: timeline.Host, Body: &b})
			l.Event(timeline.Event{Side: timeline.Host, Body: &timeline.Look{Look: i + 2}})
		}
	}
	if len(l.servers) != 0 || len(l.turns.known) != 0 {
		t.Errorf("%d sides and %d sockets of those that are gone", len(l.servers), len(l.turns.known))
	}
}
