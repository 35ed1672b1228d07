package stage

import (
	"fmt"
	"slices"
	"strings"

	"socklife/internal/lab"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// What a user who steps through what is on the wire (WireConfig.Step) asks of it.

// Line is the wire itself: what it holds, and what to do about it.
func (w *Wire) Line() *lab.Wire { return w.lab.Wire }

// Describe is a packet in one line, numbered as the timeline numbers it.
func (w *Wire) Describe(p lab.Packet) string {
	if p.ICMP != nil {
		return fmt.Sprintf("%s: %s", p.From, p.ICMP)
	}
	return fmt.Sprintf("%s: %s", p.From, w.segments.Line(p))
}

// Brief is a packet in a few words: what one decides by.
func (w *Wire) Brief(p lab.Packet) string {
	if p.ICMP != nil {
		return w.Describe(p)
	}
	return fmt.Sprintf("%s: %s", p.From, w.segments.Brief(p))
}

// Look samples both ends, and has everything that is known shown.
func (w *Wire) Look() {
	w.run.look()
	w.run.log.Flush()
}

// States are what each end is in, as last seen.
func (w *Wire) States() (ends []string) {
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		ends = append(ends, fmt.Sprintf("%s %s", side, strings.Join(w.states(side), ", ")))
	}
	return ends
}

func (w *Wire) states(side timeline.Side) (list []string) {
	listens := false
	for _, c := range w.Connections(side) {
		last := c.Last()
		switch {
		case last.Gone:
		case last.State == tcpinfo.Listen:
			listens = true
		default:
			list = append(list, last.State.String())
		}
	}
	switch {
	case len(list) == 0 && listens:
		return []string{tcpinfo.Listen.String()}
	case len(list) == 0:
		return []string{"no connection"}
	}
	slices.Reverse(list)
	return list
}

// Sockets are both ends in full.
func (w *Wire) Sockets() (lines []string) {
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		list, err := w.host(side).diag.Dump(tcpinfo.Filter{})
		if err != nil {
			return append(lines, err.Error())
		}
		for _, s := range list {
			lines = append(lines, inFull(side, s))
		}
	}
	return lines
}

// inFull is one socket with all that somebody who reads segments asks for.
func inFull(side timeline.Side, s tcpinfo.Socket) string {
	words := []string{fmt.Sprintf("%s %s %s > %s", side, s.State, s.Local, s.Remote), fmt.Sprintf("Recv-Q %d Send-Q %d", s.RecvQ, s.SendQ)}
	if s.Timer.Kind != tcpinfo.TimerNone {
		words = append(words, fmt.Sprintf("timer %s %v retrans %d", s.Timer.Kind, s.Timer.Expires, s.Timer.Retrans))
	}
	if i := s.Info; i != nil && s.State != tcpinfo.Listen {
		words = append(words, fmt.Sprintf("cwnd %d ssthresh %d rto %v rtt %v unacked %d retrans %d lost %d snd_wnd %d rcv_wnd %d",
			i.SndCwnd, i.SndSsthresh, i.RTO, i.RTT, i.Unacked, i.Retrans, i.Lost, i.SndWnd, i.RcvWnd))
	}
	return strings.Join(words, "; ")
}
