package ladder

import (
	"fmt"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// enters: a call of e enters the kernel.
func (in *inference) enters(e *end, b *timeline.Enter) {
	switch {
	case isWrite(b.Call):
		if e.inFlight == nil {
			e.inFlight = map[int64]int{}
		}
		e.inFlight[b.ID] = b.Arguments().Len()
	case b.Arguments().EndsSending() && e.ending == 0:
		e.ending = in.at
	}
}

// returns: a call of e has returned.
func (in *inference) returns(e *end, b *timeline.Call) {
	switch {
	case isWrite(b.Call):
		delete(e.inFlight, b.ID)
		e.sent += max(0, b.Ret)
	case isRead(b.Call):
		in.read(e, b)
	case b.Call == "connect":
		in.connects(e, b)
	case b.Arguments().EndsReading() && b.Ret == 0:
		e.shutRead = true
	}
	if b.Arguments().EndsSending() && b.Ret == 0 && (e.ending == 0 || b.Call == "shutdown" && !b.Split) {
		e.ending = in.at
	}
	if b.Errno == "ECONNRESET" || b.Arguments().SocketError() == "ECONNRESET" {
		in.sentRST(e.peer)
	}
	if b.Errno == "EPIPE" && isWrite(b.Call) && e.ending == 0 && !e.errored && e.state == tcpinfo.CloseWait {
		in.sentRST(e.peer) // in CLOSE-WAIT a reset is EPIPE
	}
	e.errored = e.errored || tellsOfReset(b)
}

func (in *inference) connects(e *end, b *timeline.Call) {
	switch b.Errno {
	case "":
		in.connected(e)
	case "ECONNREFUSED":
		in.sentSYN(e)
		if !e.peer.rst {
			e.peer.rst = true
			in.draw(e.peer, e.entered, "RST", "RST ACK", "RST", "ACK")
		}
	case "EADDRNOTAVAIL": // the state was set, and nothing was sent
		e.synSent = false
	case "ETIMEDOUT":
		e.synSent, e.synSentWhy = true, said(b)
	}
}

// read: what e has read has come.
func (in *inference) read(e *end, b *timeline.Call) {
	switch {
	case b.Ret > 0 && !b.Arguments().BesideStream():
		e.got += b.Ret
		in.came(e.peer, e.got)
	case b.Ret == 0 && b.Arguments().Len() > 0 && !e.shutRead && !e.errored && e.state != tcpinfo.Closed && !e.peer.rst:
		in.sentFIN(e.peer)
	}
}

// isIn: e is in a state.
func (in *inference) isIn(e *end, b *timeline.State) {
	was := e.state
	e.state = b.To
	switch b.To {
	case tcpinfo.SynSent:
		if b.Local.Port() != 0 { // connect(2) sets the state before it has a port, without which nothing is sent
			e.synSent, e.synSentWhy = true, in.why
		}
		e.retrans = e.retrans || b.Retrans != nil && *b.Retrans > 0
	case tcpinfo.SynReceived:
		in.sentSYN(e.peer)
	case tcpinfo.Closed:
		in.closed(e, b, was)
		return
	}
	if b.To == tcpinfo.SynSent || b.To == tcpinfo.SynReceived {
		return
	}
	if e.entered >= 0 {
		in.connected(e)
	} else {
		in.wasAccepted(e)
	}
	if b.To == tcpinfo.FinWait2 {
		in.sentFIN(e) // above what has come meanwhile: nobody knows which was first, and the FIN's call stands above
	}
	in.queues(e, b)
	switch b.To {
	case tcpinfo.CloseWait, tcpinfo.LastAck, tcpinfo.Closing:
		in.sentFIN(e.peer)
	case tcpinfo.FinWait2:
		in.ackedFIN(e)
	case tcpinfo.TimeWait:
		in.sentFIN(e)
		if was == tcpinfo.Closing {
			in.ackedFIN(e)
		}
		in.sentFIN(e.peer)
	}
}

// queues: what e has in its Recv-Q has come, and what it has no more in its Send-Q has come to the other end. A FIN
// counts 1 in either.
func (in *inference) queues(e *end, b *timeline.State) {
	if b.To == tcpinfo.TimeWait {
		return // its queues are no more
	}
	if b.RecvQ != nil && *b.RecvQ > 0 {
		n := int(*b.RecvQ)
		switch b.To {
		case tcpinfo.CloseWait, tcpinfo.LastAck, tcpinfo.Closing:
			n--
		default:
			if !in.calls[e.peer.side] {
				n-- // the kernel reads the queue after the state: a FIN may have come meanwhile
			}
		}
		why := in.why
		in.why = fmt.Sprintf("the %s's Recv-Q %d", e.side, *b.RecvQ)
		in.came(e.peer, e.got+n)
		in.why = why
	}
	if b.SendQ != nil {
		n := int(*b.SendQ)
		switch b.To {
		case tcpinfo.FinWait1, tcpinfo.LastAck, tcpinfo.Closing:
			n = max(0, n-1)
		}
		why := in.why
		in.why = fmt.Sprintf("the %s's Send-Q %d", e.side, *b.SendQ)
		in.came(e, e.sent-n)
		in.why = why
	}
}

// closed: e is CLOSED. What this program's calls did before says how it came to that.
func (in *inference) closed(e *end, b *timeline.State, was tcpinfo.State) {
	switch b.How {
	case timeline.EndedAbort:
		if was != tcpinfo.SynSent && was != tcpinfo.Closed && was != 0 {
			in.aborted(e)
		}
		return
	case timeline.EndedByOther:
		in.sentRST(e.peer)
		return
	}
	if e.reset || e.peer.reset || e.errored {
		return
	}
	if (was == tcpinfo.LastAck || was == tcpinfo.CloseWait) && (e.peer.timeWait || e.peer.sawEnd) && (e.ending != 0 || !in.calls[e.side]) {
		in.sentFIN(e)
		in.ackedFIN(e)
	}
}
