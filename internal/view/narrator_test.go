package view

import (
	"strings"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Lines of one connection begin with the same port, whichever end they are about.
func TestBothEndsHaveOneName(t *testing.T) {
	var out strings.Builder
	n := NewNarrator(&out, Options{Own: timeline.Server})
	client, server := addr("127.0.0.1:34440"), addr("127.0.0.1:7007")
	n.Event(timeline.Event{Side: timeline.Server, Body: &timeline.State{Local: server, Remote: client, To: tcpinfo.Established}})
	n.Event(timeline.Event{Side: timeline.Client, Body: &timeline.State{Local: client, Remote: server, To: tcpinfo.Established}})
	for line := range strings.Lines(out.String()) {
		if !strings.Contains(line, ":34440") || strings.Contains(line, ":7007") {
			t.Errorf("%q does not begin with the client's port", line)
		}
	}
}

// A segment stands on its client's line, and what it says that a terminal of 80 columns has no room for below itself.
// In a file it is one line.
func TestASegmentInTheNarration(t *testing.T) {
	client, server := addr("127.0.0.1:34440"), addr("127.0.0.1:7007")
	ack := uint32(1)
	syn := &timeline.Segment{
		Src: server, Dst: client, From: timeline.Server, Flags: []string{"SYN", "ACK"}, Ack: &ack, Win: 65483,
		Options: []string{"mss 65495", "sackOK", "TS val 1772159002 ecr 3132526605", "wscale 10"},
	}
	for _, c := range []struct {
		own   timeline.Side
		width int
		want  string
	}{
		{timeline.Server, 80, `
00:00:00.000  :34440  server ──▶ SYN ACK seq=0 ack=1 win=65483 <mss 65495,
                                 sackOK, TS val 1772159002 ecr 3132526605,
                                 wscale 10>
`},
		{timeline.Client, 80, `
00:00:00.000    server ──▶ SYN ACK seq=0 ack=1 win=65483 <mss 65495, sackOK,
                           TS val 1772159002 ecr 3132526605, wscale 10>
`},
		{timeline.Server, 0, `
00:00:00.000  :34440  server ──▶ SYN ACK seq=0 ack=1 win=65483 <mss 65495, sackOK, TS val 1772159002 ecr 3132526605, wscale 10>
`},
	} {
		var out strings.Builder
		n := NewNarrator(&out, Options{Own: c.own, Width: c.width})
		n.Event(timeline.Event{Side: timeline.Wire, Body: syn})
		if got := "\n" + out.String(); got != c.want {
			t.Errorf("own side %s, %d columns:%swant:%s", c.own, c.width, got, c.want)
		}
	}
}

// On a terminal no line is wider than it, and what goes on below is indented; in a file an event is a line.
func TestTheNarrationIsWrapped(t *testing.T) {
	client, server := addr("127.0.0.1:34440"), addr("127.0.0.1:7007")
	events := []timeline.Event{
		{Side: timeline.Server, Body: &timeline.Call{Call: "socket", Args: []string{"AF_INET", "SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK", "IPPROTO_IP"}, Ret: 8}},
		{Side: timeline.Server, Body: &timeline.State{Local: server, Remote: client, To: tcpinfo.Established, Source: "sock_diag"}},
		{Side: timeline.Client, Body: &timeline.State{Local: client, Remote: server, From: tcpinfo.Established, To: tcpinfo.TimeWait, Source: "sock_diag"}},
		{Side: timeline.Server, Body: &timeline.Note{Text: "many connections are open: the states of further ones are not told, their calls are"}},
	}
	for _, width := range []int{20, 40, 50, 80, 0} {
		var out strings.Builder
		n := NewNarrator(&out, Options{Own: timeline.Server, Width: width})
		for _, e := range events {
			n.Event(e)
		}
		if lines := strings.Count(out.String(), "\n"); width == 0 && lines != len(events) || width > 0 && lines <= len(events) {
			t.Errorf("%d columns: %d lines\n%s", width, lines, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if columns := len([]rune(line)) - 1; width >= little && columns > width {
				t.Errorf("%d columns: %d in %q", width, columns, line)
			}
		}
	}
	var out strings.Builder
	NewNarrator(&out, Options{Own: timeline.Server, Width: 80}).Event(events[2])
	if want := `00:00:00.000  :34440  client: ESTABLISHED → TIME-WAIT (sock_diag)  FIN-WAIT-1,
                        then FIN-WAIT-2 or CLOSING, passed unseen
`; out.String() != want {
		t.Errorf("shows\n%swanted\n%s", out.String(), want)
	}
}
