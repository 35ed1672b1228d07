package scenario

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// The client closes its half first, so the server is the passive closer: CLOSE-WAIT, and with its own FIN LAST-ACK,
// until that is acknowledged. The client does not read, its window is full, and the FIN waits behind the data.
var lastAck = &stage.Scenario{
	Name: "last-ack", Group: stage.Closing,
	Lesson: "the passive closer awaits the acknowledgement of its FIN",
	Source: "RFC 9293 3.6",
	Server: lastAckServer,
	Client: lastAckClient,

	ServerNeeds: stage.Needs{Retries: 3, OrphanRetries: 3},
	ClientNeeds: stage.Needs{TimeWaits: 1},
}

func lastAckServer(s *stage.Side) {
	l := s.Listen(stage.SmallBuffers)
	conn := l.Accept()
	s.ReadRequest(conn)
	end := conn.Read(64)
	s.Check("read() gives 0: the client has finished sending", len(end) == 0, "%d bytes", len(end))
	conn.Expect("the client closed first; it is our turn to close", tcpinfo.CloseWait)
	conn.Fill()
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("both applications have finished; ours is the last FIN, and its ACK the last segment", tcpinfo.LastAck)
	s.Await("timer persist: the FIN waits behind data", func() (string, bool) {
		d := conn.Diag()
		return fmt.Sprintf("Send-Q %d, timer %s", d.SendQ, d.Timer.Kind), d.Timer.Kind == tcpinfo.TimerPersist && d.SendQ > 0
	})
	conn.CheckShutdown("both directions are shut", tcpinfo.RcvShutdown|tcpinfo.SendShutdown)
	s.Hold()
	conn.Close()
	conn.ExpectEnded("the last ACK has come: nothing is left here, no TIME-WAIT")
}

func lastAckClient(c *stage.Side) {
	conn := c.Socket()
	stage.SmallBuffers(conn)
	conn.Connect(c.Addr)
	conn.Write(c.Request())
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN is acknowledged; we wait for the server's", tcpinfo.FinWait2)
	conn.AwaitPeer("the server has closed, and its FIN cannot be sent", tcpinfo.LastAck)
	conn.AwaitPeerOrphaned("close() has returned there: its kernel waits alone")
	conn.Expect("we do not know that: no FIN has come", tcpinfo.FinWait2)
	answer := conn.ReadToEnd()
	c.Check("reading makes room: the rest of the data comes, and then the FIN", bytes.Equal(answer, stage.Pattern(len(answer))), "%d bytes", len(answer))
	conn.Expect("its FIN has come and we acknowledged it: that was the last ACK", tcpinfo.TimeWait)
	conn.ExpectPeerGone("it has come")
}
