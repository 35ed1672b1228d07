package scenario

import (
	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// Who closes without having read everything loses data of the peer's, and TCP does not keep quiet about it: the kernel
// sends RST in place of FIN. One byte is enough.
var unreadDataReset = &stage.Scenario{
	Name: "unread-data-reset", Group: stage.Closing, Many: true,
	Lesson: "close() with data not read sends RST, not FIN",
	Source: "RFC 9293 3.6.1 (SHLD-3), RFC 2525 2.17",
	Server: unreadDataServer,
	Client: unreadDataClient,

	ServerNeeds: stage.Needs{TimeWaits: 1},
}

func unreadDataServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Sign("go on")
	conn.AwaitUnread("one more byte has come, and we do not read it")
	s.Hold()
	before := s.Counters()
	conn.Close()
	conn.ExpectGone("close() sent RST: no FIN-WAIT, no TIME-WAIT, nothing is left here")
	rose := s.Counted(before, "TCPAbortOnClose", "OutRsts")
	s.Check("the kernel counted why", rose["TCPAbortOnClose"] >= 1 && rose["OutRsts"] >= 1,
		"TCPAbortOnClose +%d, OutRsts +%d", rose["TCPAbortOnClose"], rose["OutRsts"])

	conn = l.Accept() // whoever connects again has done with the connection before
	s.Note("the same again, and this time we read before we close")
	conn.Sign("go on")
	last := conn.Read(1)
	s.Check("the byte is read", string(last) == "!", "%q", last)
	conn.Close()
	conn.Expect("close() sent FIN", tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	conn.Expect("the client has closed too: a connection that ends in good order", tcpinfo.TimeWait)
}

func unreadDataClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	conn.HearSign("go on")
	conn.Write([]byte("!"))
	_, err := conn.TryRead(64)
	c.CheckErrno("read() fails: the server's answer is RST", err, unix.ECONNRESET)
	conn.Expect("a reset ends the connection for both sides at once", tcpinfo.Closed)
	end, err := conn.TryRead(64)
	c.Check("the error is told once: read() then gives 0, as after a FIN", len(end) == 0 && err == nil, "%d bytes, %s", len(end), stage.ErrnoName(err))
	_, err = conn.TryWrite([]byte("too late"))
	c.CheckErrno("write() fails", err, unix.EPIPE)
	conn.Close()

	conn = c.Dial()
	conn.HearSign("go on")
	conn.Write([]byte("!"))
	end = conn.Read(64)
	c.Check("read() gives 0: the server has read the byte and then closed", len(end) == 0, "%d bytes", len(end))
	conn.Expect("it is our turn to close", tcpinfo.CloseWait)
	conn.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	conn.Close()
	conn.ExpectEnded("both FINs are acknowledged")
}
