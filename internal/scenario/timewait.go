package scenario

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// Whoever closes first waits when all is over, for 2 MSL: in case the last ACK was lost, and until no segment of this
// connection can be under way any more. On Linux that is 60 s, and the kernel does it without the socket: what is left
// is a small entry in its tables. A connection that is reset has none.
var timeWait = &stage.Scenario{
	Name: "time-wait", Group: stage.Closing, Many: true,
	Lesson: "60 s of TIME-WAIT, which no descriptor sees",
	Source: "RFC 9293 3.6.1, TCP_TIMEWAIT_LEN",
	Server: timeWaitServer,
	Client: timeWaitClient,

	ClientNeeds: stage.Needs{TimeWaits: 1},
}

func timeWaitServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	end := conn.Read(64)
	s.Check("read() gives 0: the client closed first", len(end) == 0, "%d bytes", len(end))
	conn.AwaitPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	conn.Close()
	conn.ExpectEnded("we closed second: no TIME-WAIT here")

	reset := l.Accept()
	reset.Write([]byte("ready\n"))
	_, err := reset.TryRead(64)
	s.CheckErrno("the second connection is reset", err, unix.ECONNRESET)
	reset.Close()
}

func timeWaitClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("we closed first, the server second, and both FINs are acknowledged", tcpinfo.TimeWait)
	began := conn.Last().Time
	c.Check("getsockopt(TCP_INFO) on the open descriptor says CLOSED: only sock_diag sees TIME-WAIT",
		conn.Info().State == tcpinfo.Closed, "%s", conn.Info().State)
	conn.Close()
	conn.Expect("close() changes nothing: TIME-WAIT belongs to the kernel", tcpinfo.TimeWait)
	d := conn.Diag()
	c.Check("no descriptor leads to it", d.Inode == 0, "inode %d", d.Inode)
	c.Check("its timer began with 60 s", d.Timer.Kind == tcpinfo.TimerTimeWait && d.Timer.Expires <= stage.TimeWaitLength, "timer %s", d.Timer)
	c.Hold()
	c.Await("the timer counts down", func() (string, bool) {
		now := conn.Diag().Timer
		return fmt.Sprintf("timer %s, before %s", now, d.Timer), now.Expires < d.Timer.Expires
	})

	reset := c.Dial()
	stage.Set(reset, sockapi.SO_LINGER, sockapi.Linger{OnOff: true})
	ready := reset.Read(64)
	c.Check("the server is connected", string(ready) == "ready\n", "%q", ready)
	reset.Close()
	reset.ExpectGone("SO_LINGER with 0 s: RST, and no TIME-WAIT")

	if c.Full() {
		c.Note("--full: waiting for the end of TIME-WAIT")
		there, gone := conn.AwaitEnd("the time is up, and only now the socket pair is free", began)
		c.Check("that was after 60 s", gone > stage.TimeWaitLength-time.Second && there < stage.TimeWaitLength+time.Second,
			"between %v and %v", there.Round(time.Millisecond), gone.Round(time.Millisecond))
	}
}
