package scenario

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// The client has closed, and its kernel waits for the server's FIN, which does not come. Nobody holds this connection
// any more, so Linux does not wait for ever, as RFC 9293 would: tcp_fin_timeout (60 s), or what TCP_LINGER2 says.
var finWait2Orphan = &stage.Scenario{
	Name: "fin-wait-2-orphan", Group: stage.Closing, Seconds: 1,
	Lesson: "closed, and the peer does not close: how long FIN-WAIT-2 lasts",
	Source: "tcp(7) TCP_LINGER2, tcp_fin_timeout",
	Server: finWait2OrphanServer,
	Client: finWait2OrphanClient,

	ClientNeeds: stage.Needs{TimeWaits: 1},
}

func finWait2OrphanServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	end := conn.Read(64)
	s.Check("read() gives 0: the client has closed", len(end) == 0, "%d bytes", len(end))
	conn.Expect("we do not close", tcpinfo.CloseWait)
	s.Unhurried(func() {
		conn.AwaitPeerGone("its kernel waited for our FIN, and does so no longer", orphanLife+s.HoldTime())
	})
	conn.Expect("nothing was sent: here nobody knows", tcpinfo.CloseWait)
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN found nobody there who knows the connection", tcpinfo.Closed)
	s.CheckErrno("the answer was RST", conn.PendingError(), unix.ECONNRESET)
	conn.Close()
}

const orphanLife = time.Second

func finWait2OrphanClient(c *stage.Side) {
	conn := c.Socket()
	stage.Set(conn, sockapi.TCP_LINGER2, orphanLife+c.HoldTime())
	conn.Connect(c.Addr)
	life := stage.Get(conn, sockapi.TCP_LINGER2) // the user may have set another
	conn.Write(c.Request())
	began := time.Now()
	conn.Close()
	conn.Expect("our FIN is acknowledged; the server's does not come", tcpinfo.FinWait2)
	most := max(life, conn.LastDiag().Timer.Expires) // tcp_fin_time(): at least 3.5 retransmission timeouts, which are long where the path is slow
	c.Await("an orphan, that no descriptor leads to, with a timer", func() (string, bool) {
		d := conn.LastDiag()
		return fmt.Sprintf("inode %d, timer %s", d.Inode, d.Timer),
			d.Inode == 0 && d.Timer.Kind != tcpinfo.TimerNone && d.Timer.Expires <= most
	})
	c.Hold()
	there, gone := conn.AwaitEnd("the time is up, and the server was not told", began)
	c.Check("it lived as long as TCP_LINGER2 said", gone >= life && there < most+time.Second,
		"between %v and %v, TCP_LINGER2 %v", there.Round(time.Millisecond), gone.Round(time.Millisecond), life)
}
