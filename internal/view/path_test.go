package view

import (
	"net/netip"
	"strings"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// states are the steps of a path; "-" is what was before a socket was seen.
func states(path string) (steps [][2]tcpinfo.State) {
	words := strings.Fields(path)
	for i := 1; i < len(words); i++ {
		from, _ := tcpinfo.ParseState(words[i-1])
		to, _ := tcpinfo.ParseState(words[i])
		steps = append(steps, [2]tcpinfo.State{from, to})
	}
	return steps
}

func TestPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, source string
		finArrived   bool
		want         string
	}{
		{"CLOSED SYN-SENT ESTABLISHED", "tcp_info", false, "CLOSED → SYN-SENT → ESTABLISHED"},
		{"CLOSED ESTABLISHED", "tcp_info", false, "CLOSED → (SYN-SENT) → ESTABLISHED"},
		{"- SYN-RECEIVED ESTABLISHED", "sock_diag", false, "first seen SYN-RECEIVED → ESTABLISHED"},
		{"FIN-WAIT-1 TIME-WAIT", "sock_diag", false, "FIN-WAIT-1 → (FIN-WAIT-2 or CLOSING) → TIME-WAIT"},
		{"FIN-WAIT-1 TIME-WAIT", "tracepoint", false, "FIN-WAIT-1 → TIME-WAIT"},
		{"CLOSE-WAIT CLOSED", "sock_diag", true, "CLOSE-WAIT → (LAST-ACK) → CLOSED"},
		{"CLOSE-WAIT CLOSED", "sock_diag", false, "CLOSE-WAIT → CLOSED, LAST-ACK unseen, or aborted"},
		{"ESTABLISHED CLOSED", "sock_diag", false, "ESTABLISHED → CLOSED, aborted, or closed unseen"},
	} {
		l := &life{side: S}
		for _, st := range states(c.path) {
			l.states = append(l.states, &timeline.State{From: st[0], To: st[1], Source: c.source})
		}
		if got := new(palette).paint(newSymbols(false).path(l, knowledge{finArrived: c.finArrived, listened: true})); strings.ReplaceAll(got, "\u00a0", " ") != c.want {
			t.Errorf("%s (%s): %s, want %s", c.path, c.source, got, c.want)
		}
	}
}

// Where nobody has seen the other end listen, SYNs may have crossed: what may have been passed is in parentheses too.
func TestPathOfWhichOnlyAPartIsCertain(t *testing.T) {
	t.Parallel()
	l := &life{side: C, states: []*timeline.State{{From: tcpinfo.Closed, To: tcpinfo.Established, Source: "tcp_info"}}}
	got := strings.ReplaceAll(new(palette).paint(newSymbols(false).path(l, knowledge{})), "\u00a0", " ")
	if want := "CLOSED → (SYN-SENT, perhaps SYN-RECEIVED) → ESTABLISHED"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Which state belongs to which socket: the same addresses may be used again, and queues that change are no step.
func TestLives(t *testing.T) {
	t.Parallel()
	a := timeline.Ends{Local: addr(clientAddr), Remote: addr(serverAddr)}
	var ls lives
	add := func(side timeline.Side, e timeline.Ends, path string) {
		for _, st := range states(path) {
			ls.add(side, &timeline.State{Local: e.Local, Remote: e.Remote, From: st[0], To: st[1], Source: "tcp_info"})
		}
	}
	add(S, timeline.Ends{Local: addr(serverAddr), Remote: netip.AddrPort{}}, "CLOSED LISTEN LISTEN CLOSED")
	add(C, a, "CLOSED ESTABLISHED ESTABLISHED FIN-WAIT-1")
	add(S, a.Other(), "- ESTABLISHED CLOSE-WAIT")
	add(C, a, "FIN-WAIT-1 TIME-WAIT")
	add(S, a.Other(), "CLOSE-WAIT CLOSED")
	add(C, a, "CLOSED SYN-SENT") // in the place of TIME-WAIT
	var got []string
	for _, side := range []timeline.Side{C, S} {
		for _, l := range ls.shown(side) {
			got = append(got, string(side)+" "+new(palette).paint(newSymbols(true).path(l, ls.knows(l))))
		}
	}
	want := "client CLOSED -> (SYN-SENT) -> ESTABLISHED -> FIN-WAIT-1 -> (FIN-WAIT-2 or CLOSING) -> TIME-WAIT\nclient CLOSED -> SYN-SENT\n" +
		"server first seen ESTABLISHED -> CLOSE-WAIT -> (LAST-ACK) -> CLOSED"
	if all := strings.ReplaceAll(strings.Join(got, "\n"), "\u00a0", " "); all != want {
		t.Errorf("%s\nwant:\n%s", all, want)
	}
}
