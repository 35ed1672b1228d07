package tour

import (
	"net/netip"
	"testing"
	"time"

	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

var here, there = netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:2")

// look gives the coverage a state as a source told it.
func look(s *Coverage, at time.Duration, source string, from, to tcpinfo.State) {
	s.Event(timeline.Event{At: at, Side: timeline.Server, Body: &timeline.State{Local: here, Remote: there, From: from, To: to, Source: source}})
}

func seen(s *Coverage, from, to tcpinfo.State) (*timeline.Coverage, bool) {
	for _, c := range s.Table() {
		if c.From == from && c.To == to && c.State == 0 {
			return c, c.Seen
		}
	}
	return nil, false
}

// Two samples are a transition only where nothing else leads from the one to the other.
func TestWhatCountsAsSeen(t *testing.T) {
	for _, c := range []struct {
		source   string
		from, to tcpinfo.State
		want     bool
	}{
		{"tcp_info", tcpinfo.Established, tcpinfo.FinWait1, true},
		{"tcp_info", tcpinfo.Established, tcpinfo.CloseWait, true},
		{"sock_diag", tcpinfo.FinWait2, tcpinfo.TimeWait, true},
		{"tcp_info", tcpinfo.Established, tcpinfo.Closed, false}, // reset, or a whole close passed unseen
		{"tracepoint", tcpinfo.Established, tcpinfo.Closed, true},
		{"tcp_info", tcpinfo.CloseWait, tcpinfo.Closed, false},
		{"sock_diag", tcpinfo.FinWait1, tcpinfo.TimeWait, false}, // by way of FIN-WAIT-2, or of CLOSING
		{"sock_diag", 0, tcpinfo.SynReceived, false},
	} {
		s := NewCoverage()
		s.begin("test")
		look(s, 0, c.source, c.from, c.to)
		if _, got := seen(s, c.from, c.to); got != c.want {
			t.Errorf("%s to %s by %s: %v", c.from, c.to, c.source, got)
		}
	}
}

func TestAnEntryThatAppearsCameFromListen(t *testing.T) {
	s := NewCoverage()
	s.begin("syn-queue")
	look(s, 0, "sock_diag", 0, tcpinfo.SynReceived)
	if c, ok := seen(s, tcpinfo.Listen, tcpinfo.SynReceived); !ok || c.Scenario != "syn-queue" || c.Source != "sock_diag" {
		t.Errorf("%+v", c)
	}
}

func TestANewConnectionOverTimeWait(t *testing.T) {
	for _, c := range []struct {
		name string
		gone time.Duration // when TIME-WAIT was seen to end; 0: not at all
		want bool
	}{{"still there", 0, true}, {"gone at the same look", time.Second, true}, {"gone long before", 500 * time.Millisecond, false}} {
		s := NewCoverage()
		s.begin("reuse")
		look(s, 0, "sock_diag", tcpinfo.FinWait2, tcpinfo.TimeWait)
		if c.gone > 0 {
			look(s, c.gone, "sock_diag", tcpinfo.TimeWait, tcpinfo.Closed)
		}
		look(s, time.Second, "sock_diag", 0, tcpinfo.SynReceived)
		if _, got := seen(s, tcpinfo.TimeWait, tcpinfo.SynReceived); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestTheTableIsWhole(t *testing.T) {
	table := NewCoverage().Table()
	if len(table) != len(rfc9293.States)+len(rfc9293.Transitions) {
		t.Errorf("%d rows", len(table))
	}
	for _, c := range table {
		if c.Seen || c.WhyNot == "" {
			t.Errorf("%+v: nothing was seen, and no reason is given", c)
		}
	}
}
