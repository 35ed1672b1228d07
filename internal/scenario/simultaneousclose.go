package scenario

import (
	"bytes"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// Both ends close before either has seen the other's FIN. On a fast network that takes luck; here the server's FIN waits
// behind data that the client does not read, so the client's crosses it. The server is in CLOSING: the peer's FIN has come and
// its own is not acknowledged.
var simultaneousClose = &Scenario{
	Name: "simultaneous-close", Group: Closing,
	Lesson: "both ends close before either knows of it: CLOSING",
	Source: "RFC 9293 3.6, figure 13",
	Server: simultaneousCloseServer,
	Client: simultaneousCloseClient,
}

func simultaneousCloseServer(s *Side) {
	l := s.Listen(smallBuffers)
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Fill()
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("we close: our FIN is on its way, behind the data", tcpinfo.FinWait1, tcpinfo.Closing)
	conn.Expect("the client's FIN has come, but no acknowledgement of ours: it closed without knowing of us", tcpinfo.Closing)
	end := conn.Read(64)
	s.Check("read() gives 0: the client has finished", len(end) == 0, "%d bytes", len(end))
	s.checkShutdown(conn, "both directions are shut", rcvShutdown|sendShutdown)
	d := conn.diag()
	s.Check("our FIN still waits", d.SendQ > 0 && d.Timer.Kind == tcpinfo.TimerPersist, "%s", conn.waiting())
	s.Hold()
	conn.Close()
	conn.Expect("our FIN is acknowledged: both closed first, so TIME-WAIT here", tcpinfo.TimeWait)
	conn.ExpectPeer("and there", tcpinfo.TimeWait)
}

func simultaneousCloseClient(c *Side) {
	conn := c.Socket()
	smallBuffers(conn)
	conn.Connect(c.Addr)
	conn.Write(c.Request())
	conn.AwaitPeer("the server has closed, and we do not know it yet", tcpinfo.FinWait1)
	conn.Expect("no FIN has come here", tcpinfo.Established)
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("we close too; our FIN is acknowledged, theirs has not come", tcpinfo.FinWait2)
	conn.AwaitPeer("our FIN crossed theirs", tcpinfo.Closing)
	conn.AwaitPeerOrphaned("the server has seen it and closed its descriptor")
	answer := conn.ReadToEnd()
	c.Check("reading makes room: the rest of the data comes, and then the FIN", bytes.Equal(answer, pattern(len(answer))), "%d bytes", len(answer))
	conn.Expect("TIME-WAIT here too", tcpinfo.TimeWait)
}
