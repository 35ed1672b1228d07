package scenario

import (
	"time"

	"socklife/sockapi"
	"socklife/tcpinfo"
)

// The client has closed, and its kernel waits for the server's FIN, which does not come. Nobody holds this connection any
// more, so Linux does not wait for ever, as RFC 9293 would: tcp_fin_timeout (60 s), or what TCP_LINGER2 says.
var finWait2Orphan = &Scenario{
	Name: "fin-wait-2-orphan", Group: Closing,
	Lesson: "closed, and the peer does not close: how long FIN-WAIT-2 lasts",
	Source: "tcp(7) TCP_LINGER2, tcp_fin_timeout",
	Server: finWait2OrphanServer,
	Client: finWait2OrphanClient,
}

func finWait2OrphanServer(s *Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	end := conn.Read(64)
	s.Check("read() gives 0: the client has closed", len(end) == 0, "%d bytes", len(end))
	conn.Expect("we do not close", tcpinfo.CloseWait)
	conn.AwaitPeerGone("its kernel waited for our FIN, and does so no longer", orphanLife+s.HoldTime())
	conn.Expect("nothing was sent: here nobody knows", tcpinfo.CloseWait)
	before := s.Counters()
	conn.Close()
	conn.ExpectGone("our FIN came too late: the answer was RST")
	rose := s.Counted(before, "OutRsts")
	s.Check("a reset was sent", rose["OutRsts"] >= 1, "OutRsts +%d", rose["OutRsts"])
}

const orphanLife = time.Second

func finWait2OrphanClient(c *Side) {
	conn := c.Socket()
	set(conn, sockapi.TCP_LINGER2, orphanLife+c.HoldTime())
	conn.Connect(c.Addr)
	life := get(conn, sockapi.TCP_LINGER2) // the reader may have set another
	conn.Write(c.Request())
	began := time.Now()
	conn.Close()
	conn.Expect("our FIN is acknowledged; the server's does not come", tcpinfo.FinWait2)
	last := conn.Last()
	c.Check("an orphan: only sock_diag sees it, with a timer", last.Source == tcpinfo.SourceSockDiag && last.Diag.Inode == 0 &&
		last.Diag.Timer.Kind == tcpinfo.TimerTimeWait && last.Diag.Timer.Expires <= life, "inode %d, timer %s", last.Diag.Inode, last.Diag.Timer)
	c.Hold()
	conn.ExpectGone("the time is up, and without a word to the server")
	took := conn.Last().Time.Sub(began)
	c.Check("it lived as long as TCP_LINGER2 said", took >= life && took < life+2*time.Second, "%v, TCP_LINGER2 %v", took.Round(time.Millisecond), life)
}
