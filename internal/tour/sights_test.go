package tour

import (
	"net/netip"
	"testing"
	"time"

	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
)

var here, there = netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:2")

// look gives the sights a state as a source told it.
func look(s *Sights, at time.Duration, source, from, to string) {
	s.Event(timeline.Event{At: at, Side: timeline.Server, Body: &timeline.State{Local: here, Remote: there, From: from, To: to, Source: source}})
}

func seen(s *Sights, from, to string) (*timeline.Coverage, bool) {
	for _, c := range s.Coverage() {
		if c.From == from && c.To == to && c.State == "" {
			return c, c.Seen
		}
	}
	return nil, false
}

// Two samples are a transition only where nothing else leads from the one to the other.
func TestWhatCountsAsSeen(t *testing.T) {
	for _, c := range []struct {
		source, from, to string
		want             bool
	}{
		{"tcp_info", timeline.Established, timeline.FinWait1, true},
		{"tcp_info", timeline.Established, timeline.CloseWait, true},
		{"sock_diag", timeline.FinWait2, timeline.TimeWait, true},
		{"tcp_info", timeline.Established, timeline.Closed, false}, // reset, or a whole close passed unseen
		{"tracepoint", timeline.Established, timeline.Closed, true},
		{"tcp_info", timeline.CloseWait, timeline.Closed, false},
		{"sock_diag", timeline.FinWait1, timeline.TimeWait, false}, // by way of FIN-WAIT-2, or of CLOSING
		{"sock_diag", "", timeline.SynReceived, false},
	} {
		s := NewSights()
		s.visit("test")
		look(s, 0, c.source, c.from, c.to)
		if _, got := seen(s, c.from, c.to); got != c.want {
			t.Errorf("%s to %s by %s: %v", c.from, c.to, c.source, got)
		}
	}
}

func TestAnEntryThatAppearsCameFromListen(t *testing.T) {
	s := NewSights()
	s.visit("syn-queue")
	look(s, 0, "sock_diag", "", timeline.SynReceived)
	if c, ok := seen(s, timeline.Listen, timeline.SynReceived); !ok || c.Scenario != "syn-queue" || c.Source != "sock_diag" {
		t.Errorf("%+v", c)
	}
}

func TestANewConnectionOverTimeWait(t *testing.T) {
	for _, c := range []struct {
		name string
		gone time.Duration // when TIME-WAIT was seen to end; 0: not at all
		want bool
	}{{"still there", 0, true}, {"gone at the same look", time.Second, true}, {"gone long before", 500 * time.Millisecond, false}} {
		s := NewSights()
		s.visit("reuse")
		look(s, 0, "sock_diag", timeline.FinWait2, timeline.TimeWait)
		if c.gone > 0 {
			look(s, c.gone, "sock_diag", timeline.TimeWait, timeline.Closed)
		}
		look(s, time.Second, "sock_diag", "", timeline.SynReceived)
		if _, got := seen(s, timeline.TimeWait, timeline.SynReceived); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestTheTableIsWhole(t *testing.T) {
	table := NewSights().Coverage()
	if len(table) != len(rfc9293.States)+len(rfc9293.Transitions) {
		t.Errorf("%d rows", len(table))
	}
	for _, c := range table {
		if c.Seen || c.WhyNot == "" {
			t.Errorf("%+v: nothing was seen, and no reason is given", c)
		}
	}
}
