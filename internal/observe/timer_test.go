package observe

import (
	"testing"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

func TestWhatTheRetransmissionTimerIsFor(t *testing.T) {
	const ms = time.Millisecond
	sack := tcpinfo.OptSACK
	info := func(o tcpinfo.TCPOptions, ca tcpinfo.CAState, unacked uint32) *tcpinfo.Info {
		return &tcpinfo.Info{Options: o, CAState: ca, Unacked: unacked, RTT: ms, RTO: 204 * ms}
	}
	for name, c := range map[string]struct {
		state   tcpinfo.State
		expires time.Duration
		info    *tcpinfo.Info
		want    string
	}{
		"a SYN":                    {tcpinfo.SynSent, time.Second, nil, timeline.ForRetransmission},
		"a half-open entry":        {tcpinfo.SynReceived, time.Second, nil, ""},
		"no TCP_INFO":              {tcpinfo.FinWait1, 204 * ms, nil, ""},
		"no SACK":                  {tcpinfo.FinWait1, 204 * ms, info(0, tcpinfo.CAOpen, 1), timeline.ForRetransmission},
		"one segment":              {tcpinfo.FinWait1, 204 * ms, info(sack, tcpinfo.CAOpen, 1), ""}, // a probe waits as long
		"several, and long":        {tcpinfo.FinWait1, 204 * ms, info(sack, tcpinfo.CAOpen, 2), timeline.ForRetransmission},
		"several, and short":       {tcpinfo.FinWait1, 8 * ms, info(sack, tcpinfo.CAOpen, 2), timeline.ForLossProbe},
		"after a timeout":          {tcpinfo.FinWait1, 400 * ms, info(sack, tcpinfo.CALoss, 1), timeline.ForRetransmission},
		"in recovery, short: RACK": {tcpinfo.FinWait1, 8 * ms, info(sack, tcpinfo.CARecovery, 5), ""},
	} {
		d := &tcpinfo.Socket{State: c.state, Timer: tcpinfo.Timer{Kind: tcpinfo.TimerOn, Expires: c.expires}, Info: c.info}
		if got := timerFor(d); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := timerFor(&tcpinfo.Socket{Timer: tcpinfo.Timer{Kind: tcpinfo.TimerPersist}}); got != "" {
		t.Errorf("persist: %q", got)
	}
}
