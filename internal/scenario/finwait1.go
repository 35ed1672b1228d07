package scenario

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// A FIN is the end of the data, and goes behind it. The client does not read, so its window fills and the server's FIN
// waits with the rest of the answer: FIN-WAIT-1, until the client reads, or is gone.
var finWait1 = &stage.Scenario{
	Name: "fin-wait-1", Group: stage.Closing,
	Lesson: "a FIN waits behind data that the peer has no room for",
	Source: "RFC 9293 3.6, 3.8.6.1",
	Server: finWait1Server,
	Client: finWait1Client,

	ServerNeeds: stage.Needs{TimeWaits: 1, Retries: 3, OrphanRetries: 3},
}

func finWait1Server(s *stage.Side) {
	l := s.Listen(stage.SmallBuffers)
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Fill()
	before := conn.Diag().SendQ
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("we have finished sending; the FIN is not acknowledged, it is not even sent", tcpinfo.FinWait1)
	d := conn.Diag()
	s.Check("the FIN is in the send queue, and takes one number there", d.SendQ == before+1, "Send-Q %d, before %d", d.SendQ, before)
	s.Await("timer persist: now and then the client is asked whether it has room", func() (string, bool) {
		timer := conn.Diag().Timer.Kind
		return fmt.Sprintf("timer %s", timer), timer == tcpinfo.TimerPersist
	})
	conn.CheckShutdown("sending is shut, receiving is not", tcpinfo.SendShutdown)
	s.Hold()
	conn.Close()
	conn.Expect("close() gave up the descriptor; the kernel goes on delivering, and then waits for the client's FIN",
		tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	conn.Expect("all of it was acknowledged in the end, and the client has closed too", tcpinfo.TimeWait)
}

func finWait1Client(c *stage.Side) {
	conn := c.Socket()
	stage.SmallBuffers(conn)
	conn.Connect(c.Addr)
	conn.Write(c.Request())
	conn.AwaitPeer("the server has closed its half, and its kernel cannot tell us", tcpinfo.FinWait1)
	conn.AwaitPeerOrphaned("the server has closed its descriptor as well")
	conn.Expect("we know nothing of that: no FIN has come", tcpinfo.Established)
	answer := conn.ReadToEnd()
	c.Check("reading makes room: the rest of the data comes, and then the FIN", bytes.Equal(answer, stage.Pattern(len(answer))), "%d bytes", len(answer))
	conn.Expect("now we know: it is our turn to close", tcpinfo.CloseWait)
	conn.ExpectPeer("its FIN is acknowledged", tcpinfo.FinWait2)
	conn.Close()
	conn.ExpectEnded("the server acknowledged our FIN (LAST-ACK ended)")
}
