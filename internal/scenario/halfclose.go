package scenario

import (
	"bytes"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// The client sends its request and shuts down its sending side: "that was all". It keeps receiving, and the server
// keeps answering, for as long as it likes. This is how  sort < file  works over a network: the answer can only begin
// where the input is known to have ended.
var halfClose = &stage.Scenario{
	Name: "half-close", Group: stage.Closing,
	Lesson: "the client has finished sending and keeps receiving",
	Source: "RFC 9293 3.6.1",
	Server: halfCloseServer,
	Client: halfCloseClient,

	ServerNeeds: stage.Needs{Unsent: halfCloseLast, Retries: 3, OrphanRetries: 3},
	ClientNeeds: stage.Needs{TimeWaits: 1},
}

// The answer is larger than what fits between the two applications, with buffers this small: so the server is in
// write(), and the connection half closed, until the client reads. The last part of it fits in the server's send
// buffer, and not in the client's receive buffer: so the server can close, and its FIN waits, until the client reads
// that too. The states are held by this, not by luck. (The kernel doubles the sizes it is given.)
const (
	halfCloseAnswer = 256 << 10
	halfCloseLast   = 96 << 10
	halfCloseSndbuf = 64 << 10
	halfCloseRcvbuf = 32 << 10
)

func halfCloseServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	stage.Set(conn, sockapi.SO_SNDBUF, halfCloseSndbuf)

	s.ReadRequest(conn)
	end := conn.Read(64)
	s.Check("read() gives 0: the client's FIN is the end of what it sends", len(end) == 0, "%d bytes", len(end))
	conn.Expect("the client has closed its half; it is our turn to close, and we may still send", tcpinfo.CloseWait)
	conn.CheckShutdown("receiving is shut, sending is not", tcpinfo.RcvShutdown)
	s.Hold()

	conn.Write(stage.Pattern(halfCloseAnswer))
	conn.Close()
	conn.ExpectEnded("the client acknowledged our FIN (LAST-ACK ended), nothing is left here")
}

func halfCloseClient(c *stage.Side) {
	conn := c.Socket()
	stage.Set(conn, sockapi.SO_RCVBUF, halfCloseRcvbuf)
	conn.Connect(c.Addr)
	conn.Expect("connected; both directions are open", tcpinfo.Established)

	conn.Write(c.Request())
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN is acknowledged; we wait for the peer's, and can still receive", tcpinfo.FinWait2)
	conn.ExpectPeer("the peer's kernel has our FIN; its application has yet to close", tcpinfo.CloseWait)
	conn.CheckShutdown("sending is shut, receiving is not", tcpinfo.SendShutdown)
	_, err := conn.TryWrite([]byte("more"))
	c.CheckErrno("write() after shutdown(SHUT_WR) fails with EPIPE", err, unix.EPIPE)

	answer := conn.ReadFull(halfCloseAnswer - halfCloseLast)
	conn.ExpectPeer("the server has written all and closed; its FIN waits behind what we have not read", tcpinfo.LastAck)
	conn.Expect("the server has closed, and we do not know it yet", tcpinfo.FinWait2)
	answer = append(answer, conn.ReadToEnd()...)
	c.Check("all that the server sent after our FIN has come", bytes.Equal(answer, stage.Pattern(halfCloseAnswer)),
		"%d of %d bytes", len(answer), halfCloseAnswer)
	conn.Expect("the server's FIN has come: we wait 2 MSL (60 s on Linux), lest our last ACK was lost", tcpinfo.TimeWait)
	conn.Close()
	conn.Expect("close() changes nothing: TIME-WAIT belongs to the kernel", tcpinfo.TimeWait)
	t := conn.LastDiag().Timer
	c.Check("its timer counts down from 60 s", t.Kind == tcpinfo.TimerTimeWait && t.Expires <= stage.TimeWaitLength, "timer %s", t)
}
