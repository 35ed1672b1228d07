package observe

import (
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// slackOfTimers is how much longer a timer may have than was asked for: two of the kernel's ticks, of 10 ms at most,
// and what is lost until we look.
const slackOfTimers = 40 * time.Millisecond

// timerFor tells what the kernel's timer "on" (1) is for, where its other fields leave one answer; "" where they do
// not. Under that number sock_diag has the retransmission timer, the tail loss probe and RACK's reordering timer
// (net/ipv4/inet_diag.c: ICSK_TIME_RETRANS, ICSK_TIME_LOSS_PROBE, ICSK_TIME_REO_TIMEOUT).
//
// The latter two need SACK, and run for about one or two round trips: the probe 2 SRTT, but 200 ms more where one
// segment alone is outstanding (tcp_schedule_loss_probe). Then it is as long as the retransmission timer, and nothing
// tells them apart.
func timerFor(d *tcpinfo.Socket) string {
	i := d.Info
	if d.Timer.Kind != tcpinfo.TimerOn {
		return ""
	}
	if d.State == tcpinfo.SynSent {
		return timeline.ForRetransmission
	}
	if i == nil || d.State == tcpinfo.SynReceived {
		return ""
	}
	short := 2*i.RTT + slackOfTimers
	quiet := i.CAState == tcpinfo.CAOpen || i.CAState == tcpinfo.CACWR
	switch {
	case i.Options&tcpinfo.OptSACK == 0:
		return timeline.ForRetransmission
	case d.Timer.Expires > short && (i.Unacked > 1 || !quiet):
		return timeline.ForRetransmission
	case quiet && i.Sacked == 0 && i.Unacked > 1 && d.Timer.Retrans == 0 && d.Timer.Expires+i.LastDataSent <= short && i.RTO > 2*short:
		return timeline.ForLossProbe
	}
	return ""
}
