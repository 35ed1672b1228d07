package scenario

import (
	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// A descriptor is not the connection. dup() and fork() make more descriptors for one socket, and close() gives up one
// of them: only the last one sends the FIN. shutdown() is about the connection, whoever else has a descriptor for it.
var shutdownVsClose = &stage.Scenario{
	Name: "shutdown-vs-close", Group: stage.Closing,
	Lesson: "close() gives up a descriptor, shutdown() ends the connection",
	Source: "close(2), shutdown(2), dup(2)",
	Server: shutdownVsCloseServer,
	Client: shutdownVsCloseClient,

	ClientNeeds: stage.Needs{TimeWaits: 1},
}

func shutdownVsCloseServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Sign("go on")
	conn.HearWord("closed one")
	conn.Expect("the client called close(), and nothing here tells of it", tcpinfo.Established)
	s.Hold()
	conn.Say("still here")
	end := conn.Read(64)
	s.Check("the client called shutdown(), and read() gives 0", len(end) == 0, "%d bytes", len(end))
	conn.Expect("its FIN has come", tcpinfo.CloseWait)
	conn.ExpectPeer("and is acknowledged; it waits for ours", tcpinfo.FinWait2)
	conn.Close()
	conn.ExpectEnded("both FINs are acknowledged")
}

func shutdownVsCloseClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	conn.HearSign("go on")
	copied := conn.Dup()
	c.Check("two descriptors, one socket: it has one cookie (SO_COOKIE)", copied.Cookie() == conn.Cookie(), "%x and %x", conn.Cookie(), copied.Cookie())
	conn.Close()
	copied.Expect("close() of one of them ends nothing: no FIN was sent", tcpinfo.Established)
	copied.ExpectPeer("and none has come", tcpinfo.Established)
	copied.CheckShutdown("both directions are open", 0)
	c.Hold()
	copied.Say("closed one")
	word := copied.Hear()
	c.Check("the other one works as before", word == "still here", "%q", word)

	third := copied.Dup()
	third.Shutdown(unix.SHUT_WR)
	copied.Expect("shutdown() through one descriptor ends the sending for all of them: FIN", tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	_, err := copied.TryWrite([]byte("more"))
	c.CheckErrno("write() through the other fails", err, unix.EPIPE)
	third.Close()
	copied.Close()
	copied.Expect("the last descriptor is gone; the FIN was sent long before", tcpinfo.TimeWait)
}
