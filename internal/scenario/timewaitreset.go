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
	Prepare: func(w *stage.Wire) { w.Sysctl(timeline.Client, "net.ipv4.tcp_rfc1337", "1") },
	Wire:    timeWaitResetWire,
}

func timeWaitResetServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Write([]byte("the answer\n"))
	conn.Read(64)
	conn.Close()
	conn.ExpectEnded("the passive closer has no TIME-WAIT")
}

func timeWaitResetClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	conn.Read(64)
	conn.Close()
	conn.ExpectGone("TIME-WAIT has ended, long before the 60 s were over")
}

func timeWaitResetWire(w *stage.Wire) {
	old := w.AwaitSegment(1, "server data")
	w.Expect(timeline.Client, "60 s begin", tcpinfo.TimeWait)
	w.Hold()

	w.Note("with tcp_rfc1337=1: the server's data comes once more")
	w.Inject(timeline.Server, old.Raw)
	w.AwaitSegment(1, "server rst")
	w.Check("TIME-WAIT answered, and the server's host reset what it knows nothing of", w.Count("server rst") == 1,
		"%d RST", w.Count("server rst"))
	w.Expect(timeline.Client, "the RST is ignored", tcpinfo.TimeWait)

	w.Sysctl(timeline.Client, "net.ipv4.tcp_rfc1337", "0")
	w.Note("with tcp_rfc1337=0, which is what Linux has unless told otherwise: the same again")
	w.Inject(timeline.Server, old.Raw)
	w.AwaitSegment(2, "server rst")
}
