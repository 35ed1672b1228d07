package scenario

import (
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// TIME-WAIT assassination (RFC 1337). An old segment of the server's comes late. TIME-WAIT answers it with an ACK; the
// server, which has long closed, answers that with RST; and the RST ends TIME-WAIT, before its time. tcp_rfc1337 has
// RST ignored.
var timeWaitReset = &stage.Scenario{
	Name: "time-wait-reset", Group: stage.Closing, OnlyWire: true, Injects: true,
	Lesson: "TIME-WAIT assassination: an old segment ends TIME-WAIT",
	Source: "RFC 1337, tcp(7) tcp_rfc1337",
	Server: timeWaitResetServer, Client: timeWaitResetClient,

	ClientNeeds: stage.Needs{TimeWaits: 1},

	Prepare: func(w *stage.Wire) { w.Sysctl(timeline.Client, "net.ipv4.tcp_rfc1337", "1") },
	Wire:    timeWaitResetWire,
}

func timeWaitResetServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Write([]byte("the answer\n"))
	conn.Read(64)
	conn.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	conn.Close() // second: the wire sees that nothing is left of it, before it brings the old segment
}

func timeWaitResetClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	conn.Read(64)
	conn.Close()
	conn.ExpectGone("TIME-WAIT has ended, long before the 60 s were over")
}

func timeWaitResetWire(w *stage.Wire) {
	old, fin := w.AwaitSegment(1, "server data"), w.AwaitSegment(1, "server fin")
	w.Expect(timeline.Client, "60 s begin", tcpinfo.TimeWait)
	w.AwaitAnswer(fin)
	w.Await("the server's host has nothing left of the connection: the passive closer has no TIME-WAIT", func() (string, bool) {
		for _, c := range w.Connections(timeline.Server) {
			if last := c.Last(); last.State != tcpinfo.Listen && !last.Gone {
				return last.State.String(), false
			}
		}
		return "gone", true
	})
	w.Hold()

	before := w.Count("client ack")
	w.Note("with tcp_rfc1337=1: the server's data comes once more; its numbers are behind the client by %d", fin.Segment.Seq+1-old.Segment.Seq)
	w.Inject(timeline.Server, old.Raw)
	answer, reset := w.AwaitSegment(before+1, "client ack"), w.AwaitSegment(1, "server rst")
	w.Check("TIME-WAIT answers it with the ACK that it last sent", answer.Segment.Ack == fin.Segment.Seq+1, "%+d from it",
		int32(answer.Segment.Ack-fin.Segment.Seq-1))
	w.Check("the server's host knows nothing of that connection: RST, with the very number that the ACK asks for",
		reset.Segment.Seq == answer.Segment.Ack, "%+d from it", int32(reset.Segment.Seq-answer.Segment.Ack))
	w.Expect(timeline.Client, "the RST is ignored", tcpinfo.TimeWait)

	w.Sysctl(timeline.Client, "net.ipv4.tcp_rfc1337", "0")
	w.Note("with tcp_rfc1337=0, which is what Linux has unless told otherwise: the same again")
	w.Inject(timeline.Server, old.Raw)
	w.AwaitSegment(2, "server rst")
}
