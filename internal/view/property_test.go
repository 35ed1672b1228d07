package view

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"

	"golang.org/x/sys/unix"
)

var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// wellFormed checks what holds of everything that is drawn: no line is wider than the terminal, and a terminal is never
// told anything but text, new lines and, if so wished, colours.
func wellFormed(t *testing.T, out string, o Options) {
	t.Helper()
	if o.Color {
		out = sgr.ReplaceAllString(out, "")
	}
	if !utf8.ValidString(out) {
		t.Errorf("not UTF-8: %q", out)
	}
	for _, line := range strings.Split(out, "\n") {
		if n := utf8.RuneCountInString(line); o.Width > 0 && n > max(o.Width, minWidth) {
			t.Errorf("%d columns in a terminal of %d: %q", n, o.Width, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("spaces at the end: %q", line)
		}
		for _, r := range line {
			if r < ' ' || r == 0x7f || r > 0x7e && (o.ASCII || !narrow(r) && !strings.ContainsRune("─├┤▶◀┃✓✗→–", r)) {
				t.Errorf("%U in %q", r, line)
			}
		}
	}
}

func TestEverySampleIsWellFormedAtEveryWidth(t *testing.T) {
	for width := minWidth; width <= 130; width += 7 {
		for _, o := range []Options{{Width: width}, {Width: width, Color: true}, {Width: width, ASCII: true}, {Width: width, Lanes: 1}, {Width: width, Lanes: 2}, {Width: width, Alone: C}} {
			wellFormed(t, drawn(o), o)
		}
	}
}

func TestColourIsAllThatColourAdds(t *testing.T) {
	for _, width := range []int{60, 80, 120} {
		with, without := drawn(Options{Width: width, Color: true}), drawn(Options{Width: width})
		if sgr.ReplaceAllString(with, "") != without {
			t.Errorf("at %d columns the text depends on the colour", width)
		}
	}
}

// solid is a text without white space, as which it must be found again in what was drawn, however it was wrapped.
func solid(s string) string { return strings.Join(strings.Fields(s), "") }

func TestNothingIsLostInWrapping(t *testing.T) {
	texts := func(e timeline.Event) []string {
		switch b := e.Body.(type) {
		case *timeline.Call:
			one := callBlock(callText(b), 1000)
			return []string{new(palette).paint(one[0])}
		case *timeline.State:
			return []string{b.To.String(), passed(b, knowledge{}).String()}
		case *timeline.Check:
			if b.OK {
				return []string{b.Expect}
			}
			return []string{b.Expect, b.Got}
		case *timeline.Note:
			return []string{b.Text}
		}
		return nil
	}
	for _, s := range samples {
		for _, e := range s.script().events {
			for width := minWidth; width <= 130; width += 9 {
				var b bytes.Buffer
				term := newTerminal(&b, Options{Width: width})
				term.headed, term.started = true, true
				term.Event(e)
				term.Flush()
				for _, want := range texts(e) {
					if !strings.Contains(solid(b.String()), solid(want)) {
						t.Errorf("at %d columns %q is lost in\n%s", width, want, b.String())
					}
				}
			}
		}
	}
}

// chance makes events of anything: of a seed's numbers, and of strings that a fuzzer has found.
type chance struct {
	*rand.Rand
	strings []string
}

func (c *chance) str() string {
	all := append([]string{"", "a", "ESTABLISHED", "LISTEN", "CLOSED", "TIME-WAIT", "127.0.0.1:7007", "127.0.0.1:0", "\x1b[31m", "\u202eright to left", "a\nb",
		"漢字", "dropped", "read", "accept4", "setsockopt", "{sa_family=", `"data"...`, "[1]", "client", "sock_diag", "tracepoint", "\xff\xfe"}, c.strings...)
	return all[c.IntN(len(all))]
}

func (c *chance) strs() (out []string) {
	for range c.IntN(6) {
		out = append(out, c.str())
	}
	return out
}

// state is one of those there are, none, or one that has no name.
func (c *chance) state() tcpinfo.State { return tcpinfo.State(c.IntN(16)) }

func (c *chance) addr() netip.AddrPort {
	ip := []netip.Addr{{}, netip.AddrFrom4([4]byte{127, 0, 0, byte(c.IntN(3))}), netip.MustParseAddr("fe80::1").WithZone(c.str())}[c.IntN(3)]
	return netip.AddrPortFrom(ip, uint16(c.IntN(3)))
}

// call is one with any value in any of its fields.
func (c *chance) call() *sockapi.Call {
	names := []string{"socket", "bind", "listen", "accept4", "connect", "shutdown", "close", "read", "write", "recvfrom", "sendto",
		"getsockname", "getpeername", "dup", "setsockopt", "getsockopt", "ioctl", "ppoll", c.str()}
	values := []any{nil, true, c.IntN(9), time.Duration(c.Int64()), sockapi.Linger{OnOff: true, Seconds: c.IntN(9)}, sockapi.PortRange{}, unix.ECONNRESET,
		c.Uint64(), []byte(c.str()), make([]unix.SockFilter, c.IntN(3))}
	n := func() int { return c.IntN(80) - 2 }
	return &sockapi.Call{Name: names[c.IntN(len(names))], FD: n(), Addr: c.addr(), Domain: n(), Type: n(), Protocol: n(), Backlog: n(), How: n(),
		Flags: n(), Option: sockapi.OptionID{LevelName: c.str(), Name: c.str()}, Request: uintptr(c.Uint32()), Value: values[c.IntN(len(values))],
		Buf: []byte(c.str()), Len: c.IntN(80), LenBack: c.IntN(80), Ret: n(), Errno: unix.Errno(c.IntN(2)), Returned: time.Unix(int64(c.IntN(2)), 0)}
}

func (c *chance) event() timeline.Event {
	side := []timeline.Side{C, S, W, "", timeline.Side(c.str())}[c.IntN(5)]
	i64, i, u32, ack := c.Int64()-c.Int64(), c.IntN(5), c.Uint32N(3), c.Uint32()
	made := c.call()
	bodies := []timeline.Body{
		&timeline.Call{Call: c.str(), Args: c.strs(), FD: i, Ret: c.IntN(3) - 1, Errno: c.str(), TookUS: c.NormFloat64() * 1e9},
		&timeline.Call{Call: made.Name, Args: made.Args(), FD: i, Ret: c.IntN(3) - 1, Errno: c.str()},
		&timeline.Enter{Call: made.Name, Args: made.Args(), FD: i},
		&timeline.State{Local: c.addr(), Remote: c.addr(), From: c.state(), To: c.state(), Source: c.str(), Timer: c.str(), ExpiresMS: &i64, Retrans: &i, RecvQ: &u32,
			SendQ: &ack, Shutdown: c.strs()},
		&timeline.State{From: c.state(), To: c.state(), Source: "tcp_info"},
		&timeline.Queue{Local: c.addr(), AcceptQueue: u32, AcceptLimit: ack, SynQueue: &i},
		&timeline.Segment{From: timeline.Side(c.str()), Flags: c.strs(), Seq: ack, Ack: &ack, Len: i, Options: c.strs(), Fate: c.str(), Marks: c.strs()},
		&timeline.Counter{Name: c.str(), Delta: i64},
		&timeline.Note{Text: c.str() + " " + c.str()},
		&timeline.Check{Expect: c.str(), Got: c.str(), OK: c.IntN(2) == 0},
		&timeline.Coverage{State: c.state(), From: c.state(), To: c.state(), Seen: c.IntN(2) == 0, Scenario: c.str(), Source: c.str(), WhyNot: c.str()},
		&timeline.Summary{Scenario: c.str(), OK: c.IntN(2) == 0, Checks: i, Failed: c.IntN(2)},
	}
	at := time.Duration(c.Int64N(1 << uint(1+c.IntN(62))))
	return timeline.Event{Seq: 1, At: at, Time: time.Unix(0, int64(at)).UTC(), Side: side, Body: bodies[c.IntN(len(bodies))]}
}

func (c *chance) options() Options {
	return Options{Width: minWidth + c.IntN(110), Lanes: c.IntN(3), Color: c.IntN(2) == 0, ASCII: c.IntN(2) == 0, ManyConns: c.IntN(2) == 0, All: c.IntN(2) == 0, Alone: []timeline.Side{"", "", C, S}[c.IntN(4)],
		Title: c.str(), Hint: c.str(), Lesson: c.str(), Ref: c.str(), ClientLabel: c.str(), ServerLabel: c.str(), ClientSource: c.str(), ServerSource: c.str(), Own: S}
}

func drawAnything(t *testing.T, seed uint64, found ...string) {
	c := &chance{rand.New(rand.NewPCG(seed, 1)), found}
	o := c.options()
	var lanes, lines bytes.Buffer
	term, narrator := newTerminal(&lanes, o), NewNarrator(&lines, o)
	for range c.IntN(40) {
		e := c.event()
		term.Event(e)
		narrator.Event(e)
		if c.IntN(10) == 0 {
			term.Flush()
		}
	}
	term.Flush()
	wellFormed(t, lanes.String(), o)
	o.Width = 0 // narration is not wrapped
	wellFormed(t, lines.String(), o)
}

func TestAnythingIsDrawnWellFormed(t *testing.T) {
	for seed := range uint64(150) {
		drawAnything(t, seed)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzDraw(f *testing.F) {
	f.Add(uint64(1), "text from \x1b]0;the network\x07", "\xc2\x9b31m", "wide 漢字 and \u200bnone\u0301")
	f.Fuzz(func(t *testing.T, seed uint64, a, b, c string) { drawAnything(t, seed, a, b, c) })
}
