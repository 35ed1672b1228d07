package watch

import "socklife/tcpinfo"

// known is what was reported of a socket, against which the next sample is held.
type known struct {
	state    tcpinfo.State // 0 before the first sight
	gone     bool
	timeWait bool // the kernel keeps a small entry instead of the socket: TIME-WAIT, or an orphan's FIN-WAIT-2

	timer       tcpinfo.TimerKind
	retransmits uint8
	probes      uint8
	shutdown    tcpinfo.Shutdown
	recvQ       uint32

	acceptQueue, acceptLimit uint32
	synQueue                 int
}

// judge says what is new in a sample, and what is known after it. A detail that the sample does not have stays as it
// was known. looked is set when the sample was asked for, not polled: only then is RecvQ alone news.
func judge(before known, s Sample, looked bool) (after known, what Kind) {
	after = before
	after.state, after.gone = s.State, s.Gone
	after.timeWait = s.Diag != nil && isTimeWait(s.Diag)
	after.timer = meaningfulTimer(before.timer, s)
	after.noteRetransmissions(s)
	if s.State == tcpinfo.Listen {
		after.noteQueues(s)
	}
	if s.Diag != nil && s.Diag.Shutdown != nil {
		after.shutdown = *s.Diag.Shutdown
	}
	if hasRecvQ(s) {
		after.recvQ = s.Diag.RecvQ
	}

	what = after.differs(before)
	if what == RecvQChanged && !looked {
		after.recvQ = before.recvQ // so that the next Sample finds it new
		return after, 0
	}
	return after, what
}

func (k known) differs(o known) (what Kind) {
	for _, c := range []struct {
		differs bool
		kind    Kind
	}{
		{k.state != o.state, StateChanged},
		{k.timer != o.timer, TimerChanged},
		{k.retransmits != o.retransmits || k.probes != o.probes, RetransChanged},
		{k.shutdown != o.shutdown, ShutdownChanged},
		{k.recvQ != o.recvQ, RecvQChanged},
		{k.acceptQueue != o.acceptQueue || k.acceptLimit != o.acceptLimit || k.synQueue != o.synQueue, QueueChanged},
	} {
		if c.differs {
			what |= c.kind
		}
	}
	return what
}

// noteRetransmissions reads the counts where the kernel has them: TCP_INFO tells retransmissions and probes apart, a
// half-open entry has only its timer's count. In CLOSED they are what was left behind, and not news.
func (k *known) noteRetransmissions(s Sample) {
	switch {
	case s.State == tcpinfo.Closed || s.State == tcpinfo.Listen:
	case s.Info != nil && s.Info.State != tcpinfo.Closed:
		k.retransmits, k.probes = s.Info.Retransmits, s.Info.Probes
	case s.Diag != nil:
		k.retransmits, k.probes = s.Diag.Timer.Retrans, 0
	}
}

func (k *known) noteQueues(s Sample) {
	k.acceptQueue, k.acceptLimit = s.AcceptQueue, s.AcceptLimit
	if s.SynQueue >= 0 {
		k.synQueue = s.SynQueue
	}
}

// hasRecvQ says whether the sample knows how much is waiting to be read. For time-wait and half-open entries, which
// have no TCP_INFO, the kernel writes 0, and for a listener the accept queue.
func hasRecvQ(s Sample) bool {
	return s.Diag != nil && s.Diag.Info != nil && s.State != tcpinfo.Listen && s.State != tcpinfo.Closed
}

// isTimeWait recognises the small entry that the kernel keeps of a closed connection (struct inet_timewait_sock).
func isTimeWait(d *tcpinfo.Socket) bool { return d.Timer.Kind == tcpinfo.TimerTimeWait }

// meaningfulTimer is the timer of a sample as far as it is news. While a segment is under way the retransmission timer
// hides the keepalive timer, which goes on beneath: what was known before tells.
func meaningfulTimer(before tcpinfo.TimerKind, s Sample) tcpinfo.TimerKind {
	if s.Diag == nil {
		if s.State == tcpinfo.Closed || s.State == tcpinfo.Listen {
			return tcpinfo.TimerNone
		}
		return before
	}
	switch kind := s.Diag.Timer.Kind; {
	case kind == tcpinfo.TimerOn && waitsForAnswer(s), kind != tcpinfo.TimerOn && kind != tcpinfo.TimerDelack:
		return kind
	case before == tcpinfo.TimerKeepalive:
		return tcpinfo.TimerKeepalive
	}
	return tcpinfo.TimerNone
}

// waitsForAnswer tells a retransmission timer that means something from the one that runs until the next ACK.
func waitsForAnswer(s Sample) bool {
	switch s.State {
	case tcpinfo.SynSent, tcpinfo.SynReceived, tcpinfo.FinWait1, tcpinfo.Closing, tcpinfo.LastAck:
		return true
	}
	return s.Diag.Timer.Retrans > 0 || s.Info != nil && (s.Info.Retransmits > 0 || s.Info.Backoff > 0)
}

// sourceOf names who told what is new: the details that only sock_diag has, or else whoever told the state.
func sourceOf(s Sample, what Kind, before, after known) Source {
	queues := before.acceptQueue != after.acceptQueue || before.acceptLimit != after.acceptLimit
	switch {
	case what&^(TimerChanged|ShutdownChanged|RecvQChanged) == 0,
		what == QueueChanged && !queues:
		return SockDiag
	}
	return s.Source
}
