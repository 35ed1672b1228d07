package watchlog

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"socklife/internal/board"
	"socklife/internal/record"
	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/tcpinfo"
)

var update = flag.Bool("update", false, "write testdata/hostile.jsonl, which the page's tests read, too")

const hostile = "\x1b[2J\x1b]0;x\x07\u009b31m\x7f\r\n\u202e\x00\u0085\xff<script>alert(1)</script>&amp;\"'`{{.}}"

// fill puts a text into every field that takes one, and a number into the others.
func fill(v reflect.Value, s string) {
	switch p := v.Addr().Interface().(type) {
	case *netip.AddrPort:
		*p = netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(s), 7007)
		return
	case *tcpinfo.State:
		*p = tcpinfo.Established
		return
	case *json.RawMessage:
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), s)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), s)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), s)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(s), reflect.ValueOf(2))
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(2)
	default:
		v.SetInt(2)
	}
}

func filled[T any](s string, but func(*T)) *T {
	v := new(T)
	fill(reflect.ValueOf(v).Elem(), s)
	but(v)
	return v
}

// recordOf is a record of a watch that has a text in every field of each event.
func recordOf(t testing.TB, s string) []byte {
	t.Helper()
	bodies := []timeline.Body{filled(s, func(r *timeline.Record) {
		r.Format, r.Sides = timeline.RecordFormat, []timeline.Side{timeline.Host}
	})}
	n := 0
	watched := func(what, grade string, but func(*timeline.Watched)) {
		n++
		bodies = append(bodies, filled(s, func(b *timeline.Watched) {
			b.Socket, b.What, b.Grade, b.From = n, what, grade, 0
			b.Local = netip.AddrPortFrom(b.Local.Addr(), uint16(n))
			but(b)
		}))
	}
	look := func(which int) {
		bodies = append(bodies, filled(s, func(l *timeline.Look) { l.Look = which }))
	}
	for _, what := range []string{"there", "new", "changed", "gone", s} {
		for _, grade := range []string{"healthy", "waiting", "stuck"} {
			watched(what, grade, func(b *timeline.Watched) { b.Told = false })
			watched(what, grade, func(b *timeline.Watched) { b.To, b.Remote = tcpinfo.Listen, netip.AddrPort{} })
			watched(what, grade, func(b *timeline.Watched) { b.From, b.Socket, b.Told = tcpinfo.CloseWait, n-2, false })
		}
	}
	look(1)
	watched("new", "stuck", func(b *timeline.Watched) { b.Told = false })
	watched("changed", "healthy", func(b *timeline.Watched) { b.Socket, b.Told = n-1, false })
	look(2)
	bodies = append(bodies,
		filled(s, func(b *timeline.State) { b.From, b.To = tcpinfo.Closed, tcpinfo.SynSent }),
		filled(s, func(b *timeline.Segment) {}), filled(s, func(b *timeline.Note) {}),
		filled(s, func(b *timeline.State) { b.From, b.To = tcpinfo.Established, tcpinfo.Closed }),
		filled(s, func(b *timeline.Tally) {}),
	)
	var out bytes.Buffer
	lines := view.NewJSONLines(&out)
	at := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	for i, b := range bodies {
		e := timeline.Event{Seq: int64(i), At: time.Duration(i) * time.Millisecond, Time: at.Add(time.Duration(i) * time.Millisecond), Side: timeline.Host, Body: b}
		if _, is := b.(*timeline.Note); is {
			e.Side = timeline.Wire
		}
		lines.Event(e)
	}
	return out.Bytes()
}

// ways are how a record is shown.
var ways = map[string]board.Options{"table": {}, "narrow": {Options: view.Options{Width: 30, ASCII: true}}, "screen": {Options: view.Options{Width: 200}, Height: 24}}

// replayed is what is shown of a record, the events as they are written again, and how reading it ends.
func replayed(text []byte, ways map[string]board.Options) (views map[string]string, again []byte, err error) {
	r, err := record.NewReader("FILE", bytes.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	out, list := map[string]*bytes.Buffer{}, map[string]*Printer{}
	for name, o := range ways {
		o.Title, out[name] = r.About.Title, &bytes.Buffer{}
		list[name] = NewPrinter(out[name], o)
	}
	var lines bytes.Buffer
	json := view.NewJSONLines(&lines)
	if r.About.Format > 0 {
		json.Event(timeline.Event{Body: r.About, Side: timeline.Host})
	}
	for {
		e, bad := r.Next()
		if err = bad; err != nil {
			break
		}
		for _, p := range list {
			p.Event(e)
		}
		json.Event(e)
	}
	views = map[string]string{}
	for name, p := range list {
		p.Flush()
		views[name] = out[name].String()
	}
	if err == io.EOF {
		err = nil
	}
	return views, lines.Bytes(), err
}

// clean says whether a terminal takes it for text and nothing else.
func clean(out string) error {
	for _, r := range out {
		if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r == utf8.RuneError) {
			return fmt.Errorf("%U in %q", r, out)
		}
	}
	return nil
}

// body is a record's events without its first line, which has the time at which it was read.
func body(lines []byte) string {
	_, rest, _ := bytes.Cut(lines, []byte("\n"))
	return string(rest)
}

// differs is where two texts do.
func differs(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return fmt.Sprintf("at %d: %q, %q", i, a[max(i-40, 0):min(i+40, len(a))], b[max(i-40, 0):min(i+40, len(b))])
}

// Whatever stands in a field, what is shown is text; and what was read is written as it was.
func TestHostileTextInEveryField(t *testing.T) {
	t.Parallel()
	text := recordOf(t, hostile)
	const file = "testdata/hostile.jsonl"
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if old, err := os.ReadFile(file); err != nil || !bytes.Equal(old, text) {
		t.Errorf("%s is another: go test -run TestHostile -update (%v)", file, err)
	}
	views, again, err := replayed(text, ways)
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range views {
		if err := clean(out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range []string{"script", "STUCK", "watched for", "new: ESTABLISHED"} {
			if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
				t.Errorf("%s: no %q in %s", name, want, out)
			}
		}
	}
	if body(again) != body(text) {
		t.Errorf("written again it is another: %s", differs(body(text), body(again)))
	}
}

// A text may be long: it takes no longer to show than its length says.
func TestLongText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("<b>\x1b", 1000)
	views, again, err := replayed(recordOf(t, long), ways)
	if err != nil || len(views["table"]) < len(long) {
		t.Errorf("%v, %d bytes", err, len(views["table"]))
	}
	if body(again) != body(recordOf(t, long)) {
		t.Error("written again it is another")
	}
}

// What any file shows is text, and what was read of it can be read again, and is the same then. What is tried stands
// behind a record's first line, before the end of a look and of the watch.
func FuzzReplay(f *testing.F) {
	w := kept(f)
	head, end := w[0], w[len(w)-1]
	look := `{"seq":9,"at_us":9,"time":"2026-11-21T19:00:00Z","side":"host","kind":"look","look":1,"sockets":1,"stuck":0,"waiting":0,"healthy":1,"states":{}}` + "\n"
	for _, line := range w {
		f.Add([]byte(line))
	}
	for line := range strings.Lines(string(recordOf(f, "<\x1b\xff"))) {
		if strings.Contains(line, "stuck") {
			f.Add([]byte(line))
		}
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		views, again, err := replayed(slices.Concat([]byte(head), lines, []byte("\n"+look+end)), ways)
		for name, out := range views {
			if err := clean(out); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %q", err)
		}
		if _, twice, err := replayed(again, nil); !bytes.Equal(again, twice) {
			t.Errorf("written again it is another: %s (%v)", differs(string(again), string(twice)), err)
		}
	})
}
