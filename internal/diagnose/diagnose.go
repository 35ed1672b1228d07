package diagnose

import (
	"fmt"
	"strings"

	"socklife/tcpinfo"
)

// Grade is how bad a finding is.
type Grade uint8

// The grades, from the best to the worst.
const (
	Healthy Grade = iota
	Waiting       // in passing, or a timer ends it, or it is the other end's turn: look again
	Stuck         // it has lasted, and somebody must act
)

func (g Grade) String() string { return [...]string{"healthy", "waiting", "stuck"}[g] }

// MarshalText makes a grade readable in JSON.
func (g Grade) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// Finding is what can be said of a socket.
type Finding struct {
	Name  string // what echoc --explain takes
	Grade Grade
	// A sentence: By + " " + Says, or Says alone. All is By for several sockets of the same process.
	By, All, Says string
	Detail        string // numbers of this socket: Recv-Q 1
	Who           string // who must act
}

// Sentence is what is said of one socket.
func (f Finding) Sentence() string { return strings.TrimSpace(f.By + " " + f.Says) }

// Common is what is said of several that have the same.
func (f Finding) Common() string { return strings.TrimSpace(f.All + " " + f.Says) }

const (
	peersApplication = "the peer's application"
	network          = "the network, or the peer"
	peersKernel      = "nobody: the peer's kernel answers"
	timerEnds        = "nobody: a timer ends it"
	nobody           = "nobody"
)

// Of says what is the matter with a socket; the worst first.
func Of(f *Facts) Finding {
	switch f.State {
	case tcpinfo.Listen:
		return listener(f)
	case tcpinfo.SynSent:
		return opening(f)
	case tcpinfo.SynReceived:
		if f.Info == nil {
			return halfOpen(f)
		}
		return notAccepted(f)
	case tcpinfo.TimeWait:
		return timeWait(f)
	case tcpinfo.Closed:
		return f.own("bound", Healthy, "has bound an address, and neither listens nor connects")
	case tcpinfo.FinWait2:
		return finWait2(f)
	case tcpinfo.FinWait1, tcpinfo.Closing, tcpinfo.LastAck:
		return finSent(f)
	}
	if f.Unaccepted() {
		return notAccepted(f)
	}
	if sending := sending(f); sending.Grade == Stuck || f.State == tcpinfo.CloseWait && sending.Name != "" {
		return sending
	} else if f.State == tcpinfo.CloseWait {
		return closeWait(f)
	} else if reading := reading(f); reading.Grade >= sending.Grade && reading.Name != "" {
		return reading
	} else if sending.Name != "" {
		return sending
	}
	return open(f)
}

// own is a finding about the process that has the socket: it must act, if anybody.
func (f *Facts) own(name string, g Grade, says string, detail ...string) Finding {
	one, many := f.who()
	x := Finding{Name: name, Grade: g, By: f.each(one), All: f.each(many), Says: says, Detail: strings.Join(detail, ", "), Who: many}
	if g == Healthy {
		x.Who = nobody
	}
	return x
}

// of is one about somebody else.
func of(name string, g Grade, says, who string, detail ...string) Finding {
	return Finding{Name: name, Grade: g, Says: says, Who: who, Detail: strings.Join(detail, ", ")}
}

func listener(f *Facts) Finding {
	queue := acceptQueue(f)
	if f.Half > 0 {
		queue += fmt.Sprintf(", SYN queue %d", f.Half)
	}
	if f.Waiting >= Lasting {
		queue += ", one has been waiting for at least " + Ago(f.Waiting)
	}
	switch {
	case f.Full():
		return f.own("accept-queue-full", Stuck, "is not accepting, or not fast enough: the accept queue is full, new SYNs are dropped", queue)
	case f.RecvQ > 0 && f.Waiting >= Lasting:
		return f.own("accept-queue-waits", Stuck, "is not accepting, or not fast enough: connections wait for accept()", queue)
	case f.RecvQ > 0:
		return f.own("accept-queue-waits", Waiting, "has connections waiting for accept()", queue)
	}
	return f.own("listening", Healthy, "listens, and nobody waits for accept()", queue)
}

func acceptQueue(l *Facts) string { return fmt.Sprintf("accept queue %d/%d", l.RecvQ, l.SendQ) }

func opening(f *Facts) Finding {
	if f.Timer.Retrans == 0 {
		return of("connecting", Waiting, "the SYN is under way", peersKernel)
	}
	again := "sent again " + times(f.Timer.Retrans)
	if l := f.Reaches; l != nil && l.Full() {
		_, many := l.who()
		return of("syn-unanswered", Stuck, "the SYN is not answered: the accept queue of "+many+" is full", many, again, acceptQueue(l))
	}
	return of("syn-unanswered", Stuck, "nobody answers the SYN", network, again)
}

func halfOpen(f *Facts) Finding {
	if f.Timer.Retrans == 0 {
		return of("handshake-unfinished", Waiting, "the handshake is not completed yet: its last ACK is under way, or TCP_DEFER_ACCEPT waits for data", "the peer")
	}
	again := "SYN-ACK sent again " + times(f.Timer.Retrans)
	if l := f.Listener; l != nil && l.Full() {
		_, many := l.who()
		return of("handshake-unfinished", Waiting, "the handshake is not completed: the accept queue of "+many+" is full", many, again, acceptQueue(l))
	}
	return of("handshake-unfinished", Waiting, "the handshake is not completed: no ACK came, or TCP_DEFER_ACCEPT waits for data", network, again)
}

// notAccepted is about a connection that nobody has open though nobody has closed it.
func notAccepted(f *Facts) Finding {
	grade := Waiting
	if f.Queue >= Lasting {
		grade = Stuck
	}
	var detail []string
	if f.RecvQ > 0 {
		detail = append(detail, f.received())
	}
	l := f.Listener
	if l == nil {
		return of("not-accepted", grade, "no descriptor leads to it: it is still in an accept queue", "the application here that listens", detail...)
	}
	_, many := l.who()
	return of("not-accepted", grade, "no descriptor leads to it: it is still in the accept queue of "+many, many,
		append(detail, acceptQueue(l))...)
}

// received says what is in the receive queue.
func (f *Facts) received() string {
	switch n := f.unread(); {
	case f.RecvQ == 0:
		return "Recv-Q 0: all was read, the FIN too"
	case n == 0:
		return "Recv-Q 1: the FIN, not read"
	case n < f.RecvQ:
		return fmt.Sprintf("Recv-Q %d: data and the FIN, not read", f.RecvQ)
	}
	return fmt.Sprintf("Recv-Q %d", f.RecvQ)
}

// sending is about what this side has sent, or cannot send: nothing of a socket that has nothing to send.
func sending(f *Facts) Finding {
	switch t := f.Timer; {
	case t.Kind == tcpinfo.TimerPersist:
		return windowFull(f, "peer-window-full", "")
	case t.Kind == tcpinfo.TimerOn && t.Retrans > 1:
		return of("unacknowledged", Stuck, "what was sent is not acknowledged: the peer is gone, or segments get lost", network, f.again()...)
	case t.Kind == tcpinfo.TimerOn && t.Retrans == 1:
		return of("unacknowledged", Waiting, "what was sent had to be sent again", network, f.again()...)
	case t.Kind == tcpinfo.TimerKeepalive && t.Retrans > 1:
		return of("keepalive-unanswered", Stuck, "the peer does not answer keepalive: it is gone, or segments get lost", network, probes(t))
	case t.Kind == tcpinfo.TimerKeepalive && t.Retrans == 1:
		return of("keepalive-unanswered", Waiting, "the peer has not answered a keepalive probe yet", network, probes(t))
	case f.SendQ == 0 && (f.State != tcpinfo.CloseWait || !f.hasSent(Lasting)):
		return Finding{}
	case f.State == tcpinfo.CloseWait:
		return f.own("half-closed", Healthy, "still sends after the peer's FIN, as it may", sendQ(f))
	}
	return of("in-flight", Healthy, "what was sent is under way", peersKernel, sendQ(f))
}

func sendQ(f *Facts) string { return fmt.Sprintf("Send-Q %d", f.SendQ) }

func probes(t tcpinfo.Timer) string {
	return fmt.Sprintf("probed %s without an answer, the next in %s", times(t.Retrans), Ago(t.Expires))
}

// again is how often something was sent again, and since when nothing was heard.
func (f *Facts) again() []string {
	detail := []string{sendQ(f), "sent again " + times(f.Timer.Retrans)}
	if d := f.since(ackRecv); d >= Lasting {
		detail = append(detail, "nothing heard for "+Ago(d))
	}
	return append(detail, "next try in "+Ago(f.Timer.Expires))
}

// windowFull is about a peer that has no room. Probes double their distance: the fourth comes after more than a second.
func windowFull(f *Facts, name, before string) Finding {
	grade := Waiting
	if f.Held >= Lasting || f.Info != nil && f.Info.Backoff > 3 {
		grade = Stuck
	}
	detail := []string{sendQ(f)}
	if f.Info != nil && f.Info.Backoff > 0 {
		detail = append(detail, fmt.Sprintf("probed %s", times(f.Info.Backoff)))
	}
	if f.Timer.Retrans > 1 {
		grade = Stuck
		return of(name, grade, before+"the peer's window is full, and probes are not answered", network, append(detail, fmt.Sprintf("%d in vain", f.Timer.Retrans))...)
	}
	if o := f.Other; o != nil && o.RecvQ > 0 {
		detail = append(detail, fmt.Sprintf("the peer's Recv-Q %d", o.RecvQ))
		if o.held() {
			_, many := o.who()
			return of(name, grade, before+"the peer's window is full: "+o.each(many)+notRead(grade), many, detail...)
		}
		if o.Listener != nil {
			_, many := o.Listener.who()
			return of(name, grade, before+"the peer's window is full: it is still in the accept queue of "+many, many, detail...)
		}
	}
	return of(name, grade, before+"the peer's window is full: its application"+notRead(grade), peersApplication, detail...)
}

// notRead is what an application does with what came.
func notRead(g Grade) string {
	if g == Stuck {
		return " does not read"
	}
	return " has not read yet what came"
}

// reading is about what has come: nothing of a socket that has nothing unread.
func reading(f *Facts) Finding {
	if f.RecvQ == 0 {
		return Finding{}
	}
	detail := []string{fmt.Sprintf("Recv-Q %d", f.RecvQ)}
	switch since := f.since(dataRecv); {
	case f.reads():
		return f.own("not-read", Healthy, "has not read yet all that came", detail...)
	case f.Unread >= Lasting && f.Unread > since:
		detail = append(detail, "nothing of it read for "+Ago(f.Unread))
	case f.Unread >= Lasting, since >= Pause:
		detail = append(detail, "the last of it came "+Ago(since)+" ago")
	case since >= Lasting:
		return f.own("not-read", Waiting, "has not read yet all that came", append(detail, "the last of it came "+Ago(since)+" ago")...)
	default:
		return f.own("not-read", Healthy, "has not read yet all that came", detail...)
	}
	if f.Info.Has("rcv_wnd") && f.Info.RcvWnd == 0 {
		detail = append(detail, "its window is 0: the peer cannot send more")
	}
	return f.own("not-read", Stuck, "does not read what came", detail...)
}

func closeWait(f *Facts) Finding {
	if !f.lasts() || f.hasSent(Pause) || f.RecvQ > 0 && f.reads() { // and may go on
		return f.own("not-closed", Waiting, "has the peer's FIN, and has not called close() yet", f.received())
	}
	return f.own("not-closed", Stuck, "has the peer's FIN and has not called close()", f.received())
}

func open(f *Facts) Finding {
	if f.Info == nil {
		return f.own("open", Healthy, "has it open; nothing waits to be read or acknowledged")
	}
	idle := min(f.Info.LastDataSent, f.Info.LastDataRecv)
	if idle < Lasting {
		return f.own("open", Healthy, "has it open; nothing waits to be read or acknowledged")
	}
	return f.own("open", Healthy, "has it open; nothing waits to be read or acknowledged", "idle for "+Ago(idle))
}

func finWait2(f *Facts) Finding {
	end := ""
	who := peersApplication
	if o := f.Other; o != nil && o.State == tcpinfo.CloseWait {
		_, many := o.who()
		end, who = ": "+o.each(many)+" has not closed the other end", many
		if !o.held() {
			end = ": the other end has not been accepted yet"
			if o.Listener != nil {
				_, who = o.Listener.who()
			}
		}
	}
	switch {
	case !f.held():
		return of("orphaned", Waiting, "closed here, and not by the peer; nobody has it open"+end, timerEnds, Ago(f.Timer.Expires)+" left")
	case f.since(dataRecv) < Lasting && f.Info != nil && f.Info.DataSegsIn > 0 || !f.lasts():
		return f.own("peer-not-closed", Healthy, "has finished sending, and the peer has not"+end)
	}
	one, many := f.who()
	return Finding{Name: "peer-not-closed", Grade: Waiting, By: f.each(one), All: f.each(many), Says: "has finished sending, and waits for the peer's FIN" + end, Who: who}
}

// finSent is about a FIN that is not acknowledged yet.
func finSent(f *Facts) Finding {
	switch t := f.Timer; {
	case t.Kind == tcpinfo.TimerPersist:
		return windowFull(f, "fin-behind-data", "the FIN waits behind data: ")
	case t.Kind == tcpinfo.TimerOn && t.Retrans > 0 && f.SendQ > 1:
		grade := Waiting
		if t.Retrans > 1 {
			grade = Stuck
		}
		return of("fin-unacknowledged", grade, "data before the FIN had to be sent again, and is not acknowledged", network, f.again()...)
	case t.Kind == tcpinfo.TimerOn && t.Retrans > 1:
		return of("fin-unacknowledged", Stuck, "the FIN is not acknowledged: the peer is gone, or segments get lost", network, f.again()...)
	case t.Kind == tcpinfo.TimerOn && t.Retrans == 1:
		return of("fin-unacknowledged", Waiting, "the FIN had to be sent again", network, f.again()...)
	}
	if f.SendQ > 1 {
		return of("fin-in-flight", Waiting, "the FIN is under way, or data before it", peersKernel, sendQ(f))
	}
	return of("fin-in-flight", Waiting, "the FIN is under way", peersKernel, sendQ(f))
}

func timeWait(f *Facts) Finding {
	switch {
	case f.Alike.above(50) && f.Reused:
		return of("ports-used-up", Waiting, "most ports for connect() to that address are in TIME-WAIT; tcp_tw_reuse lets it take them over after a second", "nobody, unless connect() fails", f.Alike.String("ports"))
	case f.Alike.above(90):
		return of("ports-used-up", Stuck, "nearly all ports for connect() to that address are in TIME-WAIT", "the application here that connects", f.Alike.String("ports"))
	case f.Alike.above(50):
		return of("ports-used-up", Waiting, "more than half of the ports for connect() to that address are in TIME-WAIT", "the application here that connects", f.Alike.String("ports"))
	case f.All.above(90):
		return of("buckets-used-up", Waiting, "nearly as many in TIME-WAIT as net.ipv4.tcp_max_tw_buckets", nobody, f.All.String(""))
	}
	return of("closed-first", Healthy, "over: this side closed first, or both at once", timerEnds, Ago(f.Timer.Expires)+" left")
}

func (s Share) String(of string) string {
	return strings.TrimSpace(fmt.Sprintf("%d of %d %s", s.N, s.Of, of))
}

func times(n uint8) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}
