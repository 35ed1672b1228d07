package watchpage

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"socklife/internal/record"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// pageOf is the page of the events of a record.
func pageOf(t testing.TB, from io.Reader) string {
	t.Helper()
	r, err := record.NewReader("FILE", from)
	if err != nil {
		t.Fatal(err)
	}
	p := New(r.About.Title, r.About.Kernel)
	for {
		e, err := r.Next()
		if err == io.EOF {
			return written(t, p)
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Event(e)
	}
}

func written(t testing.TB, p *Page) string {
	t.Helper()
	var b strings.Builder
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// kept is the page of a record of internal/watchlog's tests.
func kept(t testing.TB, name string) string {
	t.Helper()
	f, err := os.Open("../watchlog/testdata/" + name + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return pageOf(t, f)
}

// What a page consists of: nothing that runs, and nothing that is fetched.
var (
	elements   = strings.Fields("html head meta title style body header main section h1 h2 p table thead tbody tr th td")
	attributes = strings.Fields("lang charset name content http-equiv class")
	classes    = strings.Fields("dim findings numbers rows stuck waiting healthy socket transition segment note look")
)

var unclosed = regexp.MustCompile(`<(meta [^>]*)>`)

// read parses a page, as strictly as one parses XML, and gives the texts of its elements but for the style.
func read(t testing.TB, page string) (texts []string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(unclosed.ReplaceAllString(page, "<$1/>")))
	in := ""
	for {
		token, err := d.Token()
		if err == io.EOF {
			return texts
		}
		if err != nil {
			t.Fatalf("%v in %.2000s", err, page)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if in = token.Name.Local; !slices.Contains(elements, in) {
				t.Errorf("an element <%s>", in)
			}
			for _, a := range token.Attr {
				if !slices.Contains(attributes, a.Name.Local) || a.Name.Local == "class" && a.Value != "" && !slices.Contains(classes, a.Value) {
					t.Errorf("<%s %s=%q>", in, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			text := strings.TrimSpace(string(token))
			for _, r := range text {
				if r < ' ' && in != "style" || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r == '\ufffd' {
					t.Errorf("%U in %q", r, text)
				}
			}
			if text != "" && in != "style" {
				texts = append(texts, text)
			}
		case xml.Comment, xml.ProcInst:
			t.Errorf("%v", token)
		}
	}
}

// has fails where a text is in none of those that a page has.
func has(t testing.TB, texts []string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, w) }) {
			t.Errorf("no %q in %.3000q", w, texts)
		}
	}
}

// A page has what was shown: of a watch that took place.
func TestPageOfAWatch(t *testing.T) {
	t.Parallel()
	page := kept(t, "watch")
	has(t, read(t, page), "echoc watch all", "2026-11-22 09:14:04", "watched for 2 s, 7 looks", "7 transitions, none lost.",
		"STUCK", "not-closed", "CLOSE-WAIT 127.0.0.1:8080 ↔ 127.0.0.1:54186", "python3 (pid 9451, fd 4) has the peer's FIN and has not called close(); Recv-Q 1: the FIN, not read",
		"2 ESTABLISHED, 1 CLOSE-WAIT, 1 FIN-WAIT-2, 1 LISTEN", "127.0.0.1:54202 ↔ 127.0.0.1:8080 CLOSED → SYN-SENT", "SYN seq=0 win=65495", "1.183576 s")
}

// Whatever stands in a field, it is text on the page, and seen.
func TestHostileTextOnAPage(t *testing.T) {
	t.Parallel()
	texts := read(t, kept(t, "hostile"))
	seen := `\x1b[2J\x1b]0;x\x07\x9b31m\x7f \u202e\x00 \ufffd<script>alert(1)</script>&amp;"'` + "`{{.}}"
	for _, around := range []string{"UTC, %s", "LISTEN [fe80::1%%%s]:", "2 %s", "%s (pid 2, fd 2)", "STUCK %s: ", "<%s", "[%s]"} {
		has(t, texts, fmt.Sprintf(around, seen))
	}
}

// The policy lets in the style that is there, by its hash, and nothing else.
func TestPolicy(t *testing.T) {
	t.Parallel()
	page := kept(t, "watch")
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	if style == nil || regexp.MustCompile(`(?i)url\(|@import|expression|</`).MatchString(style[1]) {
		t.Fatalf("%q", style)
	}
	sum := sha256.Sum256([]byte(style[1]))
	hash := strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;")
	if want := `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-` + hash + `'; base-uri 'none'; form-action 'none'">`; !strings.Contains(page, want) {
		t.Errorf("no %s", want)
	}
}

// A page of what --json printed, of which nobody knows what was watched, has a title all the same.
func TestPageWithoutATitle(t *testing.T) {
	t.Parallel()
	page := written(t, New("", ""))
	if !strings.Contains(page, "<title>echoc watch</title>") {
		t.Error(page)
	}
	has(t, read(t, page), "No socket was there.", "Nothing after the first look.")
}

// event is one of a watch, after so many milliseconds.
func event(ms int, b timeline.Body) timeline.Event {
	at := time.Duration(ms) * time.Millisecond
	return timeline.Event{At: at, Time: time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC).Add(at), Side: timeline.Host, Body: b}
}

// watched is a connection that is stuck.
func watched(n int, what string) *timeline.Watched {
	return &timeline.Watched{Socket: n, What: what, To: tcpinfo.CloseWait, Grade: "stuck", Finding: "not-closed", Says: "server (pid 7, fd 9) does not close", Who: "server (pid 7)", Server: true,
		Local: netip.MustParseAddrPort("127.0.0.1:80"), Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 5000),
		Owners: []timeline.Holder{{Process: "server", PID: 7, FD: n}}}
}

// manySockets are found, then one after the other is gone.
func manySockets(n int) *Page {
	p := New("many", "")
	for i := range n {
		p.Event(event(0, watched(i+1, "there")))
	}
	p.Event(event(0, &timeline.Look{Look: 1, Sockets: n, Stuck: n, States: map[string]int{"CLOSE-WAIT": n}}))
	for i := range n {
		if i == n/2 { // as it is in the end
			break
		}
		b := watched(i+1, "gone")
		b.From = tcpinfo.CloseWait
		p.Event(event(i+1, b))
		p.Event(event(i+1, &timeline.Look{Look: i + 2, Sockets: n - i - 1, Stuck: n - i - 1, States: map[string]int{"CLOSE-WAIT": n - i - 1}}))
	}
	return p
}

// A page has as much as a browser shows well, and says how much more there was.
func TestAPageIsNotTooLong(t *testing.T) {
	t.Parallel()
	page := written(t, manySockets(20_000))
	texts := read(t, page)
	has(t, texts, "10000 × CLOSE-WAIT at 127.0.0.1:80", "19000 more are left out: --record keeps all.", "9501 earlier ones are left out.", "5000 earlier ones are left out: --record keeps all.")
	if rows := strings.Count(page, "<tr"); rows > 7000 || len(page) > 2<<20 {
		t.Errorf("%d rows, %d bytes", rows, len(page))
	}
	most := New("most", "")
	for i := range 300 { // a listener of 300 workers, and 300 kinds of findings
		b := watched(i+1, "there")
		b.Finding = fmt.Sprint("finding-", i)
		if i == 0 {
			for fd := range 300 {
				b.Owners = append(b.Owners, timeline.Holder{Process: "worker", PID: 1000 + fd, FD: 3})
			}
		}
		most.Event(event(0, b))
	}
	for i := range 10_000 { // no socket lives so often, but a file may say so
		most.Event(event(i, &timeline.State{Socket: 1, From: tcpinfo.Listen, To: []tcpinfo.State{tcpinfo.Established, tcpinfo.Listen}[i%2]}))
	}
	page = written(t, most)
	has(t, read(t, page), "100 more are left out", "and 293 more", "and 9981 more")
	for _, text := range read(t, page) {
		if len(text) > 1000 {
			t.Errorf("%.200q is %d bytes long", text, len(text))
		}
	}
}
