package scenario

import (
	"fmt"
	"time"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Any of the three segments of a handshake can be lost. Who notices, and sends again, is another one each time.

var synLoss = &stage.Scenario{
	Name: "syn-loss", Group: stage.Failure, OnlyWire: true, Seconds: 1,
	Lesson: "the SYN is lost: only the client knows, and sends it again",
	Source: "RFC 6298 2, tcp(7) tcp_syn_retries",
	Server: lossServer, Client: lossClient,

	ClientNeeds: stage.Needs{TimeWaits: 1},

	Prepare: func(w *stage.Wire) { w.Rule("drop client syn 1") },
	Wire:    synLossWire,
}

var synAckLoss = &stage.Scenario{
	Name: "syn-ack-loss", Group: stage.Failure, OnlyWire: true, Seconds: 1,
	Lesson: "the SYN-ACK is lost: both sides send again",
	Source: "RFC 6298 2, tcp(7) tcp_synack_retries",
	Server: lossServer, Client: lossClient,

	ServerNeeds: stage.Needs{HalfOpen: 1, SynAckRetries: 1},
	ClientNeeds: stage.Needs{TimeWaits: 1},

	Prepare: func(w *stage.Wire) { w.Rule("drop server syn+ack 1") },
	Wire:    synAckLossWire,
}

var ackLoss = &stage.Scenario{
	Name: "ack-loss", Group: stage.Failure, OnlyWire: true, Seconds: 1,
	Lesson: "the last ACK of the handshake is lost: connected here, half-open there",
	Source: "RFC 9293 3.5, tcp(7) tcp_synack_retries",
	Server: lossServer, Client: ackLossClient,

	ServerNeeds: stage.Needs{HalfOpen: 1, SynAckRetries: 1},
	ClientNeeds: stage.Needs{TimeWaits: 1},

	Prepare: func(w *stage.Wire) { w.Rule("drop client ack 1") },
	Wire:    ackLossWire,
}

// The server speaks first, so that no data of the client's takes the lost ACK's place.
func lossServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	conn.Write([]byte("welcome\n"))
	conn.Read(64)
	conn.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	conn.Close()
	conn.ExpectEnded("closed in good order")
}

func lossClient(c *stage.Side) {
	conn := c.Dial()
	conn.Expect("connected, in spite of it", tcpinfo.Established)
	welcome := conn.Read(64)
	c.Check("and the connection is as good as any", string(welcome) == "welcome\n", "%q", welcome)
	conn.Close()
	conn.Expect("closed in good order", tcpinfo.TimeWait)
}

// By RFC 9293 the SYN-ACK that comes again is outside the window. Linux lets it pass so far, and answers the SYN in it.
func ackLossClient(c *stage.Side) {
	before := c.Counters()
	conn := c.Dial()
	conn.Expect("connected, though the server cannot know it yet", tcpinfo.Established)
	welcome := conn.Read(64)
	c.Check("and the connection is as good as any", string(welcome) == "welcome\n", "%q", welcome)
	rose := c.Counted(before, "TCPSYNChallenge", "InErrs")
	c.Check("our kernel met the SYN-ACK in ESTABLISHED with a challenge ACK (RFC 5961)", rose["TCPSYNChallenge"] >= 1, "TCPSYNChallenge +%d", rose["TCPSYNChallenge"])
	conn.Close()
	conn.Expect("closed in good order", tcpinfo.TimeWait)
}

func synLossWire(w *stage.Wire) {
	w.Expect(timeline.Client, "no answer has come", tcpinfo.SynSent)
	w.Await("the retransmission timer runs: one second", func() (string, bool) {
		for _, c := range w.Connections(timeline.Client) {
			if d, found := c.TryDiag(); found {
				return fmt.Sprintf("%s, timer %s", d.State, d.Timer),
					d.State == tcpinfo.SynSent && d.Timer.Kind == tcpinfo.TimerOn && (d.Timer.Expires <= time.Second || d.Timer.Retrans > 0)
			}
		}
		return "no connection", false
	})
	w.Hold()
	first, again := w.AwaitSegment(1, "client syn"), w.AwaitSegment(2, "client syn")
	w.CheckAfter("the SYN is sent again", first, again, time.Second)
	w.Check("it has the sequence number of the first", first.Segment.Seq == again.Segment.Seq,
		"%d and %d", first.Segment.Seq, again.Segment.Seq)
	answer := w.AwaitSegment(1, "server syn+ack")
	w.Check("the server answers that one, and knows of no loss", answer.Seen.After(again.Seen) && answer.Segment.Ack == first.Segment.Seq+1,
		"%v after it", answer.Seen.Sub(again.Seen).Round(time.Microsecond))
}

func synAckLossWire(w *stage.Wire) {
	w.AwaitSegment(1, "server syn+ack")
	w.Expect(timeline.Client, "no answer has come", tcpinfo.SynSent)
	w.Expect(timeline.Server, "half-open: it has answered, and waits for the ACK", tcpinfo.SynReceived)
	w.Hold()
	first, again := w.AwaitSegment(1, "server syn+ack"), w.AwaitSegment(2, "server syn+ack")
	got := stage.Apart(first, again) // the two clocks began at different times: the client's with its SYN, the server's with its answer
	w.Check("the SYN-ACK is sent again, about a second later: on the server's timer, or because the client's SYN comes again",
		got > 500*time.Millisecond && got < 5*time.Second, "%v", got.Round(time.Millisecond))
	w.Check("it has the sequence number of the first", first.Segment.Seq == again.Segment.Seq,
		"%d and %d", first.Segment.Seq, again.Segment.Seq)
}

func ackLossWire(w *stage.Wire) {
	w.AwaitSegment(1, "client ack")
	w.Expect(timeline.Server, "half-open: the ACK has not come", tcpinfo.SynReceived)
	w.Expect(timeline.Client, "connected, as far as the client can know", tcpinfo.Established)
	w.Hold()
	first, again := w.AwaitSegment(1, "server syn+ack"), w.AwaitSegment(2, "server syn+ack")
	w.CheckAfter("the SYN-ACK is sent again", first, again, time.Second)
	answer := w.AwaitAnswer(again)
	w.Check("the client acknowledges again, from ESTABLISHED", answer.Segment.Ack == first.Segment.Seq+1, "ack K%+d",
		int32(answer.Segment.Ack-first.Segment.Seq))
}
