package scenario

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/segment"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Reason one for TIME-WAIT: the last ACK can be lost. Then the peer sends its FIN again, and somebody must be there to
// acknowledge it. Without TIME-WAIT the answer would be RST. In LAST-ACK that is no error of read(), which gives 0;
// only SO_ERROR has it. With net.ipv4.tcp_max_tw_buckets=0 on the hosts, where there is no TIME-WAIT, the lesson shows
// that.
var lostLastAck = &stage.Scenario{
	Name: "lost-last-ack", Group: stage.Closing, OnlyWire: true,
	Lesson: "the last ACK is lost: what TIME-WAIT is for",
	Source: "RFC 9293 3.6",
	Server: lostLastAckServer, Client: lostLastAckClient,

	ServerNeeds: stage.Needs{RTO: 100_000},

	Prepare: func(w *stage.Wire) {
		w.Rule("drop client ack 1 after server fin")
		w.Rule("hold server fin 2..") // each that comes again; one is released, when the lesson has come to it
	},
	Wire: lostLastAckWire,
}

func lostLastAckServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Read(64)
	before := s.Counters()
	conn.Close()
	if s.Sysctl(stage.MaxTimeWaits) == "0" {
		conn.ExpectGone("a RST came in LAST-ACK: this end is CLOSED too, and there is no descriptor left to be told")
		return
	}
	conn.ExpectEnded("the second ACK came: no error, no reset")
	rose := s.Counted(before, "TCPLossProbes", "TCPTimeouts")
	switch {
	case rose["TCPTimeouts"] == 0:
		s.Note("what had the FIN sent again was a tail loss probe (RFC 8985), which the kernel tries before it waits for the retransmission timer")
	case rose["TCPLossProbes"] == 0:
		s.Note("what had the FIN sent again was the retransmission timer")
	default:
		s.Note("what had the FIN sent again was a tail loss probe (RFC 8985) first, and then the retransmission timer")
	}
	s.Check("the kernel counted what had the FIN sent again", rose["TCPLossProbes"]+rose["TCPTimeouts"] >= 1, "TCPLossProbes +%d, TCPTimeouts +%d", rose["TCPLossProbes"], rose["TCPTimeouts"])
}

func lostLastAckClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	if c.Sysctl(stage.MaxTimeWaits) == "0" { // after close() it would be gone in FIN-WAIT-2 already
		conn.Shutdown(unix.SHUT_WR)
		conn.ReadToEnd()
		conn.Close()
		conn.ExpectGone("tcp_max_tw_buckets is 0, so there is no TIME-WAIT: nothing is left that could answer")
		return
	}
	conn.Close()
	conn.Expect("we have acknowledged the server's FIN, for all we know", tcpinfo.TimeWait)
}

func lostLastAckWire(w *stage.Wire) {
	fin := w.AwaitSegment(1, "server fin")
	w.AwaitAnswer(fin) // the ACK that is dropped
	w.Expect(timeline.Server, "its FIN is not acknowledged: the last ACK was lost", tcpinfo.LastAck)
	w.Hold()
	again := w.AwaitHeld("server fin")
	w.Check("nobody had acknowledged the FIN: it was sent again, 200 ms later or a little more",
		stage.Apart(fin, again) >= 150*time.Millisecond, "after %v", stage.Apart(fin, again))
	w.Release(again)
	if w.ReadSysctl(timeline.Client, stage.MaxTimeWaits) == "0" {
		rst := w.AwaitSegment(1, "client rst")
		w.Check("without TIME-WAIT nobody remembers the connection: the answer is RST", rst.Segment.Flags.Has(segment.RST), "%s", rst.Segment.Flags)
		return
	}
	ack := w.AwaitAnswer(again)
	w.Check("TIME-WAIT answers it", ack.Segment.Len() == 0 && !ack.Segment.Flags.Has(segment.RST), "%s", ack.Segment.Flags)
	// The timer began when the first FIN came. Were it not restarted, it would have less left than the time since.
	w.Await("and TIME-WAIT begins anew: 60 s from now", func() (string, bool) {
		for _, c := range w.Connections(timeline.Client) {
			d, found := c.TryDiag()
			if !found || d.State != tcpinfo.TimeWait {
				continue
			}
			since := time.Since(fin.Seen)
			return fmt.Sprintf("%v left, %v after the first FIN", d.Timer.Expires.Round(time.Millisecond), since.Round(time.Millisecond)),
				d.Timer.Expires > 60*time.Second-since+50*time.Millisecond
		}
		return "no TIME-WAIT", false
	})
}
