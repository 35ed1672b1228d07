package tour

import (
	"testing"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// A cause is named only if it was seen: the call that was made, the segment that came, the timer that ran out.
func TestWhatBroughtATransitionAbout(t *testing.T) {
	const ms = time.Millisecond
	ms204, again, none := int64(204), 3, 0
	segment := func(flags ...string) timeline.Body {
		return &timeline.Segment{Src: there, Dst: here, Flags: flags, Fate: "delivered"}
	}
	for _, c := range []struct {
		name   string
		before []timeline.Event
		from   tcpinfo.State
		state  timeline.State
		want   string
	}{
		{"a call", []timeline.Event{{At: ms, Body: &timeline.Call{Call: "shutdown", Socket: 1}}}, tcpinfo.Established, timeline.State{To: tcpinfo.FinWait1, Socket: 1}, "shutdown()"},
		{"another socket's call", []timeline.Event{{At: ms, Body: &timeline.Call{Call: "close", Socket: 2}}}, tcpinfo.Established, timeline.State{To: tcpinfo.FinWait1, Socket: 1}, ""},
		{"a call that does not do that", []timeline.Event{{At: ms, Body: &timeline.Call{Call: "write", Socket: 1}}}, tcpinfo.Established, timeline.State{To: tcpinfo.FinWait1, Socket: 1}, ""},
		{"a close that aborts", []timeline.Event{{At: ms, Body: &timeline.Enter{Call: "close", Socket: 1}}}, tcpinfo.Established, timeline.State{To: tcpinfo.Closed, Socket: 1}, "close()"},
		{"a close that has long returned: a RST that nobody saw", []timeline.Event{{At: ms, Body: &timeline.Call{Call: "close", Socket: 1}}}, tcpinfo.FinWait1, timeline.State{To: tcpinfo.Closed, Socket: 1}, ""},
		{"a segment", []timeline.Event{{At: ms, Body: segment("FIN", "ACK")}}, tcpinfo.Established, timeline.State{To: tcpinfo.CloseWait, Local: here, Remote: there}, "FIN arrives"},
		{"a segment that was lost", []timeline.Event{{At: ms, Body: &timeline.Segment{Src: there, Dst: here, Flags: []string{"FIN"}, Fate: "dropped"}}}, tcpinfo.Established, timeline.State{To: tcpinfo.CloseWait, Local: here, Remote: there}, ""},
		{"the other end's segment", []timeline.Event{{At: ms, Body: segment("FIN")}}, tcpinfo.Established, timeline.State{To: tcpinfo.CloseWait, Local: there, Remote: here}, ""},
		{"a segment after the call", []timeline.Event{{At: ms, Body: &timeline.Enter{Call: "close", Socket: 1}}, {At: 2 * ms, Body: segment("RST")}},
			tcpinfo.CloseWait, timeline.State{To: tcpinfo.Closed, Socket: 1, Local: here, Remote: there}, "RST arrives"},
		{"a SYN at the listener", []timeline.Event{{At: ms, Body: segment("SYN")}}, tcpinfo.Listen, timeline.State{To: tcpinfo.SynReceived, Local: here}, "SYN arrives"},
		{"a timer", []timeline.Event{{At: 300 * ms, Body: &timeline.State{Timer: "on", ExpiresMS: &ms204, Retrans: &again, Socket: 1}}}, tcpinfo.SynReceived, timeline.State{To: tcpinfo.Closed, Socket: 1}, "retransmission timer"},
		{"a timer that has not run out", []timeline.Event{{At: 400 * ms, Body: &timeline.State{Timer: "on", ExpiresMS: &ms204, Retrans: &again, Socket: 1}}}, tcpinfo.SynReceived, timeline.State{To: tcpinfo.Closed, Socket: 1}, ""},
		{"a timer that ran out long before", []timeline.Event{{At: 0, Body: &timeline.State{Timer: "on", ExpiresMS: &ms204, Retrans: &again, Socket: 1}}}, tcpinfo.SynReceived, timeline.State{To: tcpinfo.Closed, Socket: 1}, ""},
		{"a timer that has not run out before: an ACK that nobody saw", []timeline.Event{{At: 300 * ms, Body: &timeline.State{Timer: "on", ExpiresMS: &ms204, Retrans: &none, Socket: 1}}}, tcpinfo.LastAck, timeline.State{To: tcpinfo.Closed, Socket: 1}, ""},
		{"2MSL", []timeline.Event{{At: 300 * ms, Body: &timeline.State{Timer: "timewait", ExpiresMS: &ms204, Retrans: &none, Socket: 1}}}, tcpinfo.TimeWait, timeline.State{To: tcpinfo.Closed, Socket: 1}, "timewait timer"},
		{"a close that sent FIN, and then a RST that nobody saw", []timeline.Event{{At: ms, Body: &timeline.Enter{Call: "close", Socket: 1}}, {At: 2 * ms, Body: &timeline.State{From: tcpinfo.Established, To: tcpinfo.FinWait1, Socket: 1}}},
			tcpinfo.FinWait1, timeline.State{To: tcpinfo.Closed, Socket: 1}, ""},
		{"a timer that was stopped", []timeline.Event{{At: 300 * ms, Body: &timeline.State{Timer: "on", ExpiresMS: &ms204, Retrans: &again, Socket: 1}}, {At: 301 * ms, Body: &timeline.State{Socket: 1}}},
			tcpinfo.SynReceived, timeline.State{To: tcpinfo.Closed, Socket: 1}, ""},
	} {
		seen := newCauses()
		for _, e := range c.before {
			seen.note(e)
		}
		if got := seen.of(500*ms, c.from, &c.state); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
