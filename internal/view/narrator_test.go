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
