package scenario

import (
	"bytes"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// A server answers before it has read the whole request (an error, say), and closes. close() finds unread data and
// resets the connection; what the client's kernel has not received of the answer by then is thrown away. The way to be
// sure: shutdown(SHUT_WR), read to the end, then close.
var lostResponse = &stage.Scenario{
	Name: "lost-response", Group: stage.Closing, Many: true,
	Lesson: "write then close loses the answer; shutdown, read, close does not",
	Source: "RFC 9293 3.6.1, RFC 9112 9.6, RFC 2525 2.17",
	Server: lostResponseServer,
	Client: lostResponseClient,

	ServerNeeds: stage.Needs{TimeWaits: 1, Unsent: lostAnswer, Retries: 3},
}

// The answer is larger than what the client's kernel takes before its application reads, and small enough for the
// server's send buffer: so write() returns, and a part of the answer is certain to be still here when the server
// closes.
const (
	lostAnswer = 128 << 10
	lostRcvbuf = 32 << 10
	lostSndbuf = 128 << 10 // the kernel doubles it
)

func lostResponseServer(s *stage.Side) {
	l := s.Listen(func(l *stage.Conn) { stage.Set(l, sockapi.SO_SNDBUF, lostSndbuf) })

	conn := l.Accept()
	s.ReadRequest(conn)
	s.Note("the hasty server: write, close")
	conn.Sign("go on")
	conn.AwaitUnread("the rest of the request has come; the answer does not need it")
	conn.Write(stage.Pattern(lostAnswer))
	d := conn.Diag()
	s.Check("write() took all of the answer; some of it waits in our kernel until the client reads", d.SendQ > 0, "Send-Q %d", d.SendQ)
	s.Hold()
	before := s.Counters()
	conn.Close()
	conn.ExpectGone("close() with unread data: RST, and the send buffer is thrown away")
	rose := s.Counted(before, "TCPAbortOnClose")
	s.Check("the kernel counted why", rose["TCPAbortOnClose"] >= 1, "TCPAbortOnClose +%d", rose["TCPAbortOnClose"])

	conn = l.Accept() // whoever connects again has done with the connection before
	s.Note("the careful server: write, shutdown(SHUT_WR), read to the end, close")
	conn.Sign("go on")
	conn.AwaitUnread("the rest of the request has come")
	conn.Write(stage.Pattern(lostAnswer))
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("the FIN is behind the answer: we have finished, and the connection lives",
		tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	rest := conn.ReadToEnd()
	s.Check("read() gives the rest of the request, and then 0: the client has all it wants", string(rest) == "the rest\n", "%q", rest)
	conn.Close()
	conn.Expect("closed in good order", tcpinfo.TimeWait)
}

func lostResponseClient(c *stage.Side) {
	conn := c.Socket()
	stage.Set(conn, sockapi.SO_RCVBUF, lostRcvbuf)
	conn.Connect(c.Addr)
	conn.Write(c.Request())
	conn.HearSign("go on")
	conn.Say("the rest")
	conn.Expect("we were slow to read: the connection is gone before we begin", tcpinfo.Closed)
	answer, err := conn.ReadUntilError()
	c.Check("what our kernel had received can still be read", bytes.Equal(answer, stage.Pattern(len(answer))), "%d bytes", len(answer))
	c.CheckErrno("and then read() fails, in the middle of the answer", err, unix.ECONNRESET)
	c.Check("the rest of the answer is lost", len(answer) < lostAnswer, "%d of %d bytes lost", lostAnswer-len(answer), lostAnswer)
	conn.Close()

	conn = c.Socket()
	stage.Set(conn, sockapi.SO_RCVBUF, lostRcvbuf)
	conn.Connect(c.Addr)
	conn.HearSign("go on")
	conn.Say("the rest")
	conn.ExpectPeer("we are as slow as before: the server has finished, and its FIN waits behind the answer", tcpinfo.FinWait1)
	answer, err = conn.ReadUntilError()
	c.CheckErrno("no error: the answer ends with read() = 0", err, 0)
	conn.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	c.Check("nothing is lost", bytes.Equal(answer, stage.Pattern(lostAnswer)), "%d of %d bytes lost", lostAnswer-len(answer), lostAnswer)
	conn.Close()
	conn.ExpectEnded("both FINs are acknowledged")
}
