package board

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"socklife/internal/diagnose"
	"socklife/internal/owner"
	"socklife/internal/survey"
	"socklife/internal/view"
	"socklife/tcpinfo"
)

// held is a connection that somebody has open, and its finding.
func held(n int, state tcpinfo.State, process string) *survey.Socket {
	f := &diagnose.Facts{Owners: []owner.Holder{{Process: process, PID: 800 + n%50, FD: n}}, Asked: true, Root: true, For: time.Minute}
	f.State, f.Inode, f.RecvQ = state, uint32(n), 1
	f.Local, f.Remote = netip.MustParseAddrPort(fmt.Sprintf("[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:%d", 1+n%50)), netip.MustParseAddrPort(fmt.Sprintf("[2001:db8::2]:%d", 1+n))
	f.Info, f.Shutdown = &tcpinfo.Info{State: state, LastDataRecv: time.Hour}, new(tcpinfo.RcvShutdown)
	return &survey.Socket{Facts: f, Finding: diagnose.Of(f), Number: n, Server: n%3 > 0}
}

// However many there are, and whatever their names are: the lines have room on the screen, nobody's name does anything
// to the terminal, and where not all are shown it says so.
func TestTheTableHasRoom(t *testing.T) {
	states := []tcpinfo.State{tcpinfo.CloseWait, tcpinfo.Established, tcpinfo.FinWait2, tcpinfo.LastAck}
	for _, n := range []int{0, 1, 2, 7, 50, 3000} {
		turn := &survey.Turn{At: time.Now()}
		for i := range n {
			turn.Sockets = append(turn.Sockets, held(i+1, states[i%4], "a\x1b[31m\n名"))
		}
		if n > 1 { // both ends
			turn.Sockets[0].Other, turn.Sockets[1].Other = turn.Sockets[1].Facts, turn.Sockets[0].Facts
		}
		for _, height := range []int{0, 3, 10, 24, 100} {
			for _, width := range []int{20, 80, 200} {
				for _, ascii := range []bool{false, true} {
					lines := Table(turn, Options{Options: view.Options{Width: width, ASCII: ascii}, Height: height, Title: "echoc watch all"})
					text := strings.Join(lines, "\n")
					if height >= 10 && width >= 80 && len(lines) > height {
						t.Errorf("%d sockets, %d × %d: %d lines\n%s", n, width, height, len(lines), text)
					}
					if strings.ContainsAny(text, "\x1b\r") || ascii && strings.ContainsFunc(text, func(r rune) bool { return r > 126 }) {
						t.Errorf("%q", text)
					}
					for _, line := range lines {
						if utf8.RuneCountInString(line) > width {
							t.Errorf("%d columns, want %d: %s", utf8.RuneCountInString(line), width, line)
						}
					}
					flat := strings.Join(strings.Fields(text), " ")
					if !strings.Contains(flat, fmt.Sprintf("%d socket", n)) || n == 0 && !strings.Contains(flat, "no socket fits") {
						t.Errorf("%d sockets:\n%s", n, text)
					}
				}
			}
		}
	}
}

// What happens to both ends stands side by side, and what happens to many is one line.
func TestChanges(t *testing.T) {
	a, b := held(1, tcpinfo.CloseWait, "server"), held(2, tcpinfo.FinWait2, "client")
	a.Server, b.Server = true, false
	a.Other, b.Other = b.Facts, a.Facts
	turn := &survey.Turn{Changes: []survey.Change{
		{Socket: a, What: "changed", From: tcpinfo.Established}, {Socket: b, What: "changed", From: tcpinfo.Established}}}
	o := view.Options{Width: 200}
	lines := view.Lines(Changes(turn, 2*time.Second), o)
	if strings.Count(strings.Join(lines, "\n"), " s ") != 1 || strings.Count(lines[0], "ESTABLISHED →") != 2 || strings.Index(lines[0], "client") > strings.Index(lines[0], "│") || len(lines) != 2 || !strings.Contains(lines[1], "]:2 STUCK not-closed") {
		t.Errorf("%s", strings.Join(lines, "\n"))
	}
	was := diagnose.Finding{Name: "not-closed", Grade: diagnose.Waiting}
	turn.Changes = []survey.Change{{Socket: a, What: "changed", From: a.State, Was: was}, {Socket: b, What: "changed", From: b.State, Was: b.Finding}}
	if lines := view.Lines(Changes(turn, 2*time.Second), o); len(lines) != 1 || !strings.HasPrefix(strings.TrimSpace(lines[0]), "2.0 s [2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:2 STUCK not-closed: ") {
		t.Errorf("the states are as they were: %s", strings.Join(lines, "\n"))
	}
	turn.Changes = nil
	for i := range 400 {
		s := held(1, tcpinfo.TimeWait, "x")
		s.Number, s.Finding = i, diagnose.Finding{Name: "closed-first"}
		turn.Changes = append(turn.Changes, survey.Change{Socket: s, What: "changed", From: tcpinfo.Established})
	}
	if lines := view.Lines(Changes(turn, 0), o); len(lines) != 1 || !strings.Contains(lines[0], "400 × ESTABLISHED → … → TIME-WAIT") {
		t.Errorf("%s", strings.Join(lines, "\n"))
	}
}

// What is said of many is true of each: no descriptor of one of them, and where they are.
func TestManyChangesAreOneLine(t *testing.T) {
	turn := &survey.Turn{}
	for i := range 9 {
		s := held(1, tcpinfo.CloseWait, "x")
		s.Owners = []owner.Holder{{Process: "leaky", PID: 812, FD: 100 + i}}
		s.Finding, s.Number, s.Server = diagnose.Of(s.Facts), i, true
		turn.Changes = append(turn.Changes, survey.Change{Socket: s, What: "changed", From: tcpinfo.Established})
	}
	lines := view.Lines(Changes(turn, 0), view.Options{Width: 300})
	if want := "9 × ESTABLISHED → CLOSE-WAIT at [2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:2 STUCK not-closed: leaky (pid 812) has the peer's FIN and has not called close()"; len(lines) != 1 || !strings.HasSuffix(lines[0], want) {
		t.Errorf("%s\nwant %s", strings.Join(lines, "\n"), want)
	}
}

// On a screen with little room each is a name, and who must act; what there is to say of the watching stands above.
func TestLittleRoom(t *testing.T) {
	turn := &survey.Turn{At: time.Now()}
	for i := range 12 {
		turn.Sockets = append(turn.Sockets, held(i+1, tcpinfo.CloseWait, "leaky"))
	}
	o := Options{Options: view.Options{Width: 120}, Title: "echoc watch all", Height: 16, Note: "a look takes 40 ms"}
	text := strings.Join(Table(turn, o), "\n")
	for _, want := range []string{"a look takes 40 ms", "12 stuck", "STUCK not-closed: CLOSE-WAIT at [2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:2; leaky (pid 801)", "echoc --explain NAME"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	o.Height = 8
	if text = strings.Join(Table(turn, o), "\n"); !strings.Contains(text, "STUCK 12 × not-closed: CLOSE-WAIT; the application here") && !strings.Contains(text, "of them stuck: --json has all of them") {
		t.Errorf("%s", text)
	}
}

// The summary adds up what was stuck at any time.
func TestSummary(t *testing.T) {
	a := held(1, tcpinfo.CloseWait, "x")
	seen := &Seen{Every: time.Second}
	seen.Add(&survey.Turn{First: true, Sockets: []*survey.Socket{a}, Changes: []survey.Change{{Socket: a, What: "new"}}})
	better := *a
	better.Finding = diagnose.Finding{Name: "not-closed", Grade: diagnose.Waiting}
	for range 3 { // and again: it is one socket
		seen.Add(&survey.Turn{Changes: []survey.Change{{Socket: &better, What: "changed", From: a.State, Was: a.Finding}}})
		seen.Add(&survey.Turn{Changes: []survey.Change{{Socket: a, What: "changed", From: a.State, Was: better.Finding}}})
	}
	seen.Add(&survey.Turn{Changes: []survey.Change{{Socket: a, What: "gone", From: tcpinfo.CloseWait, Was: a.Finding}}})
	seen.For = 12 * time.Second // so much for every second
	text := strings.Join(view.Lines(seen.Summary(), view.Options{}), "\n")
	for _, want := range []string{"watched for 12 s, 8 looks, one every 1 s: 0 came, 1 went", "now 0 stuck, 0 waiting, 0 healthy\n", "1 was stuck, or is, with not-closed: echoc --explain not-closed"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
