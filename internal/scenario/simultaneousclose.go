package scenario

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Both ends close before either has seen the other's FIN. On a fast network that takes luck; here the server's FIN
// waits behind data that the client does not read, so the client's crosses it. The server is in CLOSING: the peer's FIN
// has come and its own is not acknowledged.
var simultaneousClose = &stage.Scenario{
	Name: "simultaneous-close", Group: stage.Closing,
	Lesson: "both ends close before either knows of it: CLOSING",
	Source: "RFC 9293 3.6, figure 13",
	Server: simultaneousCloseServer,
	Client: simultaneousCloseClient,

	ServerNeeds: stage.Needs{TimeWaits: 1, Retries: 3, OrphanRetries: 3},
	ClientNeeds: stage.Needs{TimeWaits: 1},

	Prepare: func(w *stage.Wire) { w.Rule("hold any fin") },
	Wire:    crossingFINs,
}

func simultaneousCloseServer(s *stage.Side) {
	if s.OnWire() {
		closeAcross(s, s.Listen().Accept())
		return
	}
	l := s.Listen(stage.SmallBuffers)
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Fill()
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("we close: our FIN waits behind the data", tcpinfo.FinWait1, tcpinfo.Closing)
	conn.Expect("the client's FIN has come, but no acknowledgement of ours: it closed without knowing of us", tcpinfo.Closing)
	end := conn.Read(64)
	s.Check("read() gives 0: the client has finished", len(end) == 0, "%d bytes", len(end))
	conn.CheckShutdown("both directions are shut", tcpinfo.RcvShutdown|tcpinfo.SendShutdown)
	s.Await("our FIN still waits", func() (string, bool) {
		d := conn.Diag()
		return fmt.Sprintf("Send-Q %d, timer %s", d.SendQ, d.Timer.Kind), d.SendQ > 0 && d.Timer.Kind == tcpinfo.TimerPersist
	})
	s.Hold()
	conn.Close()
	conn.Expect("our FIN is acknowledged: both closed first, so TIME-WAIT here", tcpinfo.TimeWait)
	conn.ExpectPeer("and there", tcpinfo.TimeWait)
}

func simultaneousCloseClient(c *stage.Side) {
	if c.OnWire() {
		closeAcross(c, c.Dial())
		return
	}
	conn := c.Socket()
	stage.SmallBuffers(conn)
	conn.Connect(c.Addr)
	conn.Write(c.Request())
	conn.AwaitPeer("the server has closed, and we do not know it yet", tcpinfo.FinWait1)
	conn.Expect("no FIN has come here", tcpinfo.Established)
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("we close too; our FIN is acknowledged, theirs has not come", tcpinfo.FinWait2)
	conn.AwaitPeer("our FIN crossed theirs", tcpinfo.Closing)
	conn.AwaitPeerOrphaned("the server has seen it and closed its descriptor")
	answer := conn.ReadToEnd()
	c.Check("reading makes room: the rest of the data comes, and then the FIN", bytes.Equal(answer, stage.Pattern(len(answer))), "%d bytes", len(answer))
	conn.Expect("TIME-WAIT here too", tcpinfo.TimeWait)
}

// On a wire that holds the FINs nobody needs a full window: both ends just close, as the textbook draws it.

func closeAcross(s *stage.Side, conn *stage.Conn) {
	conn.Shutdown(unix.SHUT_WR)
	end := conn.Read(64)
	s.Check("the other end has finished too", len(end) == 0, "%d bytes", len(end))
	conn.Expect("both closed first: TIME-WAIT at both ends", tcpinfo.TimeWait)
	conn.Close()
}

func crossingFINs(w *stage.Wire) {
	client, server := w.AwaitHeld("client fin"), w.AwaitHeld("server fin")
	w.Expect(timeline.Client, "closed, and knows nothing of the other's FIN", tcpinfo.FinWait1)
	w.Expect(timeline.Server, "closed, and knows nothing of the other's FIN", tcpinfo.FinWait1)
	acks := w.Rule("hold any ack")
	w.Release(client)
	w.Release(server)
	w.Expect(timeline.Client, "the other's FIN has come, where the ACK of ours should have", tcpinfo.Closing)
	w.Expect(timeline.Server, "the other's FIN has come, where the ACK of ours should have", tcpinfo.Closing)
	w.Hold()
	acks.Remove()
	w.ReleaseAll()
}
