package scenario

import (
	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// The client closes first. Its FIN, the server's acknowledgement; the server's FIN, the client's acknowledgement: four
// segments, or three where the server closes so soon that its FIN and its acknowledgement are one. The side that closed
// first ends in TIME-WAIT, the other is free at once.
var closing = &stage.Scenario{
	Name: "close", Group: stage.Closing,
	Lesson: "both sides close: who goes through which states",
	Source: "RFC 9293 3.6",
	Server: closeServer,
	Client: closeClient,

	ClientNeeds: stage.Needs{TimeWaits: 1},

	Wire: closeWire,
}

func closeServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	end := conn.Read(64)
	s.Check("read() gives 0: the client's FIN has come, after all its data", len(end) == 0, "%d bytes", len(end))
	conn.Expect("it is this application's turn to close", tcpinfo.CloseWait)
	conn.AwaitPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	s.Hold()
	conn.Close()
	conn.ExpectEnded("our FIN is acknowledged (LAST-ACK ended); the passive closer's port is free at once")
}

func closeClient(c *stage.Side) {
	conn := c.Dial()
	conn.Expect("connected", tcpinfo.Established)
	conn.Write(c.Request())
	conn.Close()
	conn.Expect("we closed first, and the kernel does the rest without us",
		tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	conn.Expect("both FINs are acknowledged; 60 s until the socket pair is free again", tcpinfo.TimeWait)
	conn.ExpectPeerGone("the passive closer has no TIME-WAIT")
}

// closeWire has the segments: here the server waits before it closes, so there are four.
func closeWire(w *stage.Wire) {
	ours, theirs := w.AwaitSegment(1, "client fin"), w.AwaitSegment(1, "server fin")
	answer, last := w.AwaitAnswer(ours), w.AwaitAnswer(theirs)
	end := ours.Segment.Seq + ours.Segment.SeqLen()
	w.Check("the FIN takes one number of the sequence: the server acknowledges the number behind it", answer.Segment.Ack == end,
		"%+d from the FIN's own", int32(answer.Segment.Ack-ours.Segment.Seq-uint32(ours.Segment.Len())))
	w.Check("so does the server's", last.Segment.Ack == theirs.Segment.Seq+theirs.Segment.SeqLen(),
		"%+d from the FIN's own", int32(last.Segment.Ack-theirs.Segment.Seq))
	w.Check("four segments: FIN, ACK, FIN, ACK", answer.ID < theirs.ID && theirs.ID < last.ID, "the server's ACK came before its FIN: %v", answer.ID < theirs.ID)
}
