package scenario

import (
	"fmt"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// A server that forgets close(). The client has long finished; the server's connection stays in CLOSE-WAIT for as long
// as the server holds the descriptor: no timer runs, and no setting of the kernel ends it. The client's kernel, once
// its application has closed too, waits for a minute and then forgets the connection.
var closeWaitLeak = &stage.Scenario{
	Name: "close-wait-leak", Group: stage.Closing,
	Lesson: "a server that forgets close(): CLOSE-WAIT stays",
	Source: "RFC 9293 3.6.1",
	Server: closeWaitLeakServer,
	Client: closeWaitLeakClient,

	ClientNeeds: stage.Needs{TimeWaits: 1},
}

func closeWaitLeakServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	end := conn.Read(64)
	s.Check("read() gives 0: this is where close() belongs", len(end) == 0, "%d bytes", len(end))
	conn.Expect("the client has finished, and we do nothing", tcpinfo.CloseWait)
	conn.AwaitPeer("the client's FIN is acknowledged; it waits for ours", tcpinfo.FinWait2)

	conn.AwaitPeerOrphaned("the client has closed altogether, and only its kernel waits for our FIN")
	if _, seen := conn.Peer(); seen {
		s.Await("its kernel will not wait indefinitely: an orphan in FIN-WAIT-2 has a timer", func() (string, bool) {
			d, _ := conn.PeerDiag()
			return fmt.Sprintf("%s, timer %s", d.State, d.Timer), d.State == tcpinfo.FinWait2 && d.Timer.Kind != tcpinfo.TimerNone
		})
	}
	d := conn.Diag()
	s.Check("ours has none: CLOSE-WAIT ends when the application closes", d.State == tcpinfo.CloseWait && d.Timer.Kind == tcpinfo.TimerNone,
		"%s, timer %s", d.State, d.Timer.Kind)
	s.Hold()

	before := s.Counters()
	n, err := conn.TryWrite([]byte("1"))
	s.Check("write() succeeds: the kernel does not know that nobody reads", n == 1 && err == nil, "%d, %s", n, stage.ErrnoName(err))
	conn.Expect("the answer was RST: there is no connection any more", tcpinfo.Closed)
	rose := s.Counted(before, "EstabResets")
	s.Check("the kernel counted it", rose["EstabResets"] >= 1, "EstabResets +%d", rose["EstabResets"])
	_, err = conn.TryWrite([]byte("2"))
	s.CheckErrno("the second write() fails", err, unix.EPIPE)
	end, err = conn.TryRead(64)
	s.Check("read() still gives 0", len(end) == 0 && err == nil, "%d bytes, %s", len(end), stage.ErrnoName(err))
	conn.Close()
}

func closeWaitLeakClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN is acknowledged; with the descriptor open this state has no end", tcpinfo.FinWait2)
	d := conn.Diag()
	c.Check("no timer runs", d.Timer.Kind == tcpinfo.TimerNone, "timer %s", d.Timer.Kind)
	conn.ExpectPeer("the server has our FIN and does nothing", tcpinfo.CloseWait)
	conn.Close()
	conn.ExpectGone("when the server writes, our kernel answers with RST, and nothing is left here")
}
