package view

import (
	"strings"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

func TestWhatTheCallsTellOfTheEnd(t *testing.T) {
	for _, c := range []struct {
		from tcpinfo.State
		e    timeline.Ended
		want string
	}{
		{tcpinfo.Established, timeline.Ended{How: timeline.EndedAbort, Why: "SO_LINGER is on, with 0 s"}, "aborted by close(): SO_LINGER is on, with 0 s"},
		{tcpinfo.Established, timeline.Ended{How: timeline.EndedTold, Why: "read() gave ECONNRESET"}, "aborted: read() gave ECONNRESET"},
		{tcpinfo.CloseWait, timeline.Ended{How: timeline.EndedByNone}, "aborted: no call here closed it"},
		{tcpinfo.Established, timeline.Ended{How: timeline.EndedUnaccepted}, "aborted: nobody had accepted it"},
		{tcpinfo.FinWait1, timeline.Ended{How: timeline.EndedByOther}, "aborted by the other end's close()"},
		{tcpinfo.CloseWait, timeline.Ended{How: timeline.EndedSent}, "LAST-ACK passed unseen"},
		{tcpinfo.CloseWait, timeline.Ended{How: timeline.EndedSecond}, "LAST-ACK passed unseen"},
		{tcpinfo.Established, timeline.Ended{How: timeline.EndedSecond}, "CLOSE-WAIT and LAST-ACK passed unseen"},
		{tcpinfo.Established, timeline.Ended{How: timeline.EndedSent}, "aborted, or closed unseen"}, // it did not come to TIME-WAIT
		{tcpinfo.LastAck, timeline.Ended{How: timeline.EndedSent}, ""},                              // no state was passed
		{tcpinfo.SynSent, timeline.Ended{How: timeline.EndedByNone}, ""},
	} {
		if got := passed(&timeline.State{From: c.from, To: tcpinfo.Closed, Ended: c.e}, knowledge{}).String(); got != c.want {
			t.Errorf("%s to CLOSED, %+v: %q, want %q", c.from, c.e, got, c.want)
		}
	}
}

func TestTimersSayWhatTheyDo(t *testing.T) {
	ms := int64(408)
	for _, c := range []struct {
		b    timeline.State
		want string
	}{
		{timeline.State{Timer: "on"}, "retransmission or probe in 408 ms"},
		{timeline.State{Timer: "on", TimerFor: timeline.ForRetransmission}, "retransmission in 408 ms"},
		{timeline.State{Timer: "on", TimerFor: timeline.ForLossProbe}, "tail loss probe in 408 ms"},
		{timeline.State{Timer: "on", To: tcpinfo.SynReceived}, "SYN-ACK timer 408 ms"},
		{timeline.State{Timer: "persist"}, "zero-window probe in 408 ms"},
		{timeline.State{Timer: "keepalive"}, "keepalive probe in 408 ms"},
		{timeline.State{Timer: "delack"}, "delayed ACK in 408 ms"},
		{timeline.State{Timer: "timewait", To: tcpinfo.TimeWait}, "2MSL: 408 ms"},
		{timeline.State{Timer: "timewait", To: tcpinfo.FinWait2}, "FIN-WAIT-2 ends in 408 ms (tcp_fin_timeout, TCP_LINGER2)"},
		{timeline.State{Timer: "UNKNOWN(9)"}, "timer UNKNOWN(9) 408 ms"},
	} {
		if c.b.ExpiresMS = &ms; plainText(text(nil).add(plain, timerWords(newSymbols(false), &c.b))) != strings.ReplaceAll(c.want, "408 ms", glued("408 ms")) {
			t.Errorf("%+v: %q, want %q", c.b, timerWords(newSymbols(false), &c.b), c.want)
		}
	}
	for _, says := range timers {
		if inTime(says, nil) == "" {
			t.Errorf("%q says nothing without a time", says)
		}
	}
}
