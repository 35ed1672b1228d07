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
