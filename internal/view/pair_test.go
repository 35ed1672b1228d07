package view

import (
	"bytes"
	"strings"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// body is what a script draws at 80 columns, below the lanes' heads.
func body(s *script, o Options) string {
	var b bytes.Buffer
	t := newTerminal(&b, o)
	t.started, t.headed = true, true
	s.show(t)
	return b.String()
}

func TestWhatOneLookFoundStandsSideBySide(t *testing.T) {
	c2, s2 := pair2("127.0.0.1:40114", serverAddr), pair2(serverAddr, "127.0.0.1:40114")
	closing := func(c, s int64) *script {
		return (&script{}).
			at(c, C, st(tcpinfo.FinWait1, tcpinfo.FinWait2, client)).
			at(s, S, st(tcpinfo.Established, tcpinfo.CloseWait, server))
	}
	for _, c := range []struct {
		name   string
		script *script
		o      Options
		want   []string
	}{
		{"both ends", closing(100, 150), Options{}, []string{
			"    0.100   FIN-WAIT-1 → FIN-WAIT-2             ESTABLISHED → CLOSE-WAIT",
			"              local 127.0.0.1:40112               local 127.0.0.1:7007"}},
		{"the server first", (&script{}).
			at(100, S, st(tcpinfo.Established, tcpinfo.CloseWait, server)).
			at(150, C, st(tcpinfo.FinWait1, tcpinfo.FinWait2, client)), Options{ManyConns: true}, []string{
			"    0.100   :40112 FIN-WAIT-1 → FIN-WAIT-2      :40112 ESTABLISHED → CLOSE-WAIT"}},
		{"not the same look", closing(100, 9000), Options{ManyConns: true}, []string{
			"    0.100   :40112 FIN-WAIT-1 → FIN-WAIT-2",
			"    9.000                                       :40112 ESTABLISHED → CLOSE-WAIT"}},
		{"other connections", (&script{}).
			at(100, C, st(tcpinfo.FinWait1, tcpinfo.FinWait2, client)).
			at(101, S, st(tcpinfo.Established, tcpinfo.CloseWait, s2)).
			at(102, C, st(tcpinfo.FinWait1, tcpinfo.FinWait2, c2)).
			at(103, S, st(tcpinfo.Established, tcpinfo.CloseWait, server)), Options{ManyConns: true}, []string{
			"    0.100   :40112 FIN-WAIT-1 → FIN-WAIT-2",
			"            :40114 FIN-WAIT-1 → FIN-WAIT-2      :40114 ESTABLISHED → CLOSE-WAIT",
			"                                                :40112 ESTABLISHED → CLOSE-WAIT"}},
		{"a connection stands before the queue that counts it", (&script{}).
			at(100, C, st(tcpinfo.SynSent, tcpinfo.Established, client)).
			at(101, S, queue(1, 128, 0)).
			at(102, S, st(tcpinfo.SynReceived, tcpinfo.Established, server)), Options{ManyConns: true}, []string{
			"    0.100   :40112 SYN-SENT → ESTABLISHED       :40112 SYN-RECEIVED →",
			"                                                  ESTABLISHED",
			"                                                accept queue 1/128"}},
		{"a listener and its queue are one", (&script{}).
			at(100, S, st(0, tcpinfo.Listen, pair2(serverAddr, ""))).
			at(101, S, queue(0, 1, 0)), Options{}, []string{
			"    0.100                                       first seen LISTEN",
			"                                                  accept queue 0/1",
			"                                                  local 127.0.0.1:7007"}},
		{"checks", (&script{}).at(0, C, met("one")).at(1, S, met("two")).at(2, S, met("three")), Options{}, []string{
			"          ✓ one                               ✓ two",
			"                                              ✓ three"}},
		{"checks stand below what they are of", (&script{}).
			at(0, S, queue(2, 1, 0)).at(1, C, met("one")).at(2, S, met("two")), Options{}, []string{
			"    0.000                                       accept queue 2/1 (full)",
			"          ✓ one                               ✓ two"}},
	} {
		want := strings.Join(c.want, "\n") + "\n"
		if got := body(c.script, c.o); got != want {
			t.Errorf("%s:\ngot\n%swant\n%s", c.name, got, want)
		}
	}
}

// Whether the last look at the server missed LAST-ACK or an abort is known when the client is in TIME-WAIT: the FIN has
// come.
func TestWhatOneEndIsInSaysWhatTheOtherHasPassed(t *testing.T) {
	gone := st(tcpinfo.CloseWait, tcpinfo.Closed, server)
	alone := body((&script{}).at(0, S, gone), Options{})
	if !strings.Contains(alone, "LAST-ACK unseen, or aborted") {
		t.Errorf("alone:\n%s", alone)
	}
	both := body((&script{}).at(0, C, st(tcpinfo.FinWait2, tcpinfo.TimeWait, client)).at(50000, S, gone), Options{})
	if !strings.Contains(both, "LAST-ACK passed unseen") {
		t.Errorf("after the client's TIME-WAIT:\n%s", both)
	}
}

func TestASourceIsNamedWhereItIsNotTheHeads(t *testing.T) {
	s := func() *script { return (&script{}).at(0, S, st(tcpinfo.Listen, tcpinfo.Closed, diag)) }
	if got := body(s(), Options{}); !strings.Contains(got, "(sock_diag)") {
		t.Errorf("sock_diag is not named:\n%s", got)
	}
	var b bytes.Buffer
	s().show(newTerminal(&b, Options{ServerSource: "sock_diag"}))
	if got := b.String(); strings.Contains(got, "(sock_diag)") || !strings.Contains(got, "the server's from sock_diag") {
		t.Errorf("sock_diag is named in the row, or not in the head:\n%s", got)
	}
}

// A burst of ordinary segments is cut short, and what is left out is counted; anything else among them is shown.
func TestABurstOfSegmentsIsCounted(t *testing.T) {
	var out bytes.Buffer
	term := New(&out, Options{Width: 80, ASCII: true})
	data := func(seq uint32, flags ...string) timeline.Event {
		return timeline.Event{Side: timeline.Wire, Body: &timeline.Segment{Flags: flags, Seq: seq, Len: 1000, Fate: "delivered", From: timeline.Server}}
	}
	for i := range 10 {
		term.Event(data(uint32(i), "ACK"))
	}
	term.Event(data(99, "ACK", "FIN"))
	again := data(3, "ACK")
	again.Body.(*timeline.Segment).Marks = []string{"retransmission"}
	term.Event(again)
	term.Flush()
	text := out.String()
	for want, n := range map[string]int{"len=1000": bulkShown + 2, "7 more segments, 7000 bytes from the server": 1, "FIN": 1, "[retransmission]": 1} {
		if got := strings.Count(text, want); got != n {
			t.Errorf("%q %d times, want %d\n%s", want, got, n, text)
		}
	}
}
