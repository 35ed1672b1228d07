package main

import (
	"slices"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// In the table each transition has what brought it about and where, or why it was not seen.
func TestTheDiagramAsATable(t *testing.T) {
	got := asTable("here", []*timeline.Coverage{
		{State: tcpinfo.Listen, Seen: true},
		{From: tcpinfo.Closed, To: tcpinfo.Listen, Seen: true, Scenario: "a", Source: "tcp_info", Causes: []timeline.Cause{{By: "listen()", Scenario: "a"}, {By: "x", Scenario: "b"}}},
		{From: tcpinfo.Listen, To: tcpinfo.Closed, Seen: true, Scenario: "c", Source: "sock_diag"},
		{From: tcpinfo.Closed, To: tcpinfo.SynSent, WhyNot: "no"},
	}).Rows
	want := [][]string{
		{"1", "CLOSED → LISTEN", "listen() (a), x (b)", "tcp_info"},
		{"2", "LISTEN → CLOSED", "seen in c, but not what brought it about", "sock_diag"},
		{"3", "CLOSED → SYN-SENT", "not seen: no", ""},
	}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("%q", got)
	}
}
