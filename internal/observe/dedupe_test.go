package observe

import (
	"net/netip"
	"slices"
	"testing"

	"socklife/internal/timeline"
)

// What the tracepoint told is not told again by who sampled it. The end of a connection that had the same addresses before is
// not taken for the end of the new one.
func TestEachTransitionIsToldOnce(t *testing.T) {
	addr := netip.MustParseAddrPort
	a, b, nameless := addr("127.0.0.1:40000"), addr("127.0.0.1:7007"), addr("127.0.0.1:0")
	var d dedupe
	told := []string{}
	for _, s := range []timeline.State{
		{Local: nameless, Remote: b, From: "CLOSED", To: "SYN-SENT", Source: "tracepoint"},
		{Local: a, Remote: b, From: "CLOSED", To: "SYN-SENT", Source: "sock_diag"}, // the same: connect() has chosen a port
		{Local: a, Remote: b, From: "SYN-SENT", To: "ESTABLISHED", Source: "tracepoint"},
		{Local: a, Remote: b, From: "SYN-SENT", To: "ESTABLISHED", Source: "sock_diag"},
		{Local: a, Remote: b, From: "ESTABLISHED", To: "FIN-WAIT-1", Source: "tracepoint"},
		{Local: a, Remote: b, From: "FIN-WAIT-1", To: "FIN-WAIT-2", Source: "tracepoint"},
		{Local: a, Remote: b, From: "FIN-WAIT-1", To: "TIME-WAIT", Source: "sock_diag"}, // its way to FIN-WAIT-2 is known
		{Local: nameless, Remote: b, From: "CLOSED", To: "SYN-SENT", Source: "tracepoint"},
		{Local: a, Remote: b, From: "SYN-SENT", To: "ESTABLISHED", Source: "tracepoint"}, // over that TIME-WAIT
		{Local: a, Remote: b, From: "TIME-WAIT", To: "CLOSED", Source: "sock_diag"},
		{Local: a, Remote: b, From: "ESTABLISHED", To: "FIN-WAIT-1", Source: "tracepoint"},
		{Local: a, Remote: b, From: "FIN-WAIT-1", To: "FIN-WAIT-2", Source: "tracepoint"},
		{Local: a, Remote: b, From: "FIN-WAIT-2", To: "TIME-WAIT", Source: "sock_diag"},
		{Local: b, From: "CLOSED", To: "LISTEN", Source: "tracepoint"},
		{Local: b, From: "LISTEN", To: "CLOSED", Source: "tracepoint"},
		{Local: b, From: "LISTEN", To: "CLOSED", Source: "sock_diag"},
	} {
		if d.keep(timeline.Client, &s) {
			told = append(told, s.From+" "+s.To)
		}
	}
	want := []string{
		"CLOSED SYN-SENT", "SYN-SENT ESTABLISHED", "ESTABLISHED FIN-WAIT-1", "FIN-WAIT-1 FIN-WAIT-2", "FIN-WAIT-2 TIME-WAIT",
		"CLOSED SYN-SENT", "SYN-SENT ESTABLISHED", "TIME-WAIT CLOSED", "ESTABLISHED FIN-WAIT-1", "FIN-WAIT-1 FIN-WAIT-2", "FIN-WAIT-2 TIME-WAIT",
		"CLOSED LISTEN", "LISTEN CLOSED",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told:\n%q\nwant:\n%q", told, want)
	}
}
