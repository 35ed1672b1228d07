package scenario

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// shutdown(SHUT_RD) is a matter between the application and its own kernel: no segment says it, so the peer cannot
// know, and goes on sending. Linux goes on receiving: what comes is acknowledged, queued, and can even be read. All
// that is new is that read() does not wait any more. With SHUT_RDWR the data that comes is answered with RST.
var shutdownRead = &stage.Scenario{
	Name: "shutdown-read", Group: stage.Closing, Many: true, Control: stage.ControlFirst,
	Lesson: "shutdown(SHUT_RD) sends nothing and discards nothing",
	Source: "shutdown(2), RFC 9293 3.6.1",
	Server: shutdownReadServer,
	Client: shutdownReadClient,
}

const shutdownReadData = 1000 // one segment: it comes all at once

func shutdownReadServer(s *stage.Side) {
	l := s.Listen()
	control := l.Accept() // over this connection the client says how far it is
	s.ReadRequest(control)
	control.Say("go on")

	conn := l.Accept()
	conn.Name("SHUT_RD")
	control.HearWord("shut")
	conn.Expect("the client has shut down its receiving side, and nothing here tells of it", tcpinfo.Established)
	conn.CheckShutdown("none is set", 0)
	conn.Write(stage.Pattern(shutdownReadData))
	s.Await("the client's kernel acknowledges what we send, as ever", func() (string, bool) {
		q := conn.Diag().SendQ
		return fmt.Sprintf("Send-Q %d", q), q == 0
	})
	conn.Read(64)
	conn.Close()

	both := l.Accept()
	both.Name("SHUT_RDWR")
	end := both.Read(64)
	s.Check("SHUT_RDWR sends a FIN: read() gives 0", len(end) == 0, "%d bytes", len(end))
	both.Expect("for us it is a client that has finished sending", tcpinfo.CloseWait)
	control.HearWord("write")
	n, err := both.TryWrite([]byte("hello?"))
	s.Check("so we answer, and write() succeeds", n == 6 && err == nil, "%d, %s", n, stage.ErrnoName(err))
	both.Expect("but that side takes no data any more: RST", tcpinfo.Closed)
	_, err = both.TryWrite([]byte("hello?"))
	s.CheckErrno("write() fails", err, unix.EPIPE)
	both.Close()
	control.Read(64)
	control.Close()
}

func shutdownReadClient(c *stage.Side) {
	control := c.Dial()
	control.Write(c.Request())
	control.HearWord("go on")

	conn := c.Dial()
	conn.Name("SHUT_RD")
	before := conn.Info().SegsOut
	conn.Shutdown(unix.SHUT_RD)
	after := conn.Info().SegsOut
	c.Check("shutdown(SHUT_RD) sent no segment", after == before, "TCP_INFO segs_out %d, before %d", after, before)
	conn.Expect("no state has changed", tcpinfo.Established)
	conn.CheckShutdown("receiving is shut, sending is not", tcpinfo.RcvShutdown)
	end := conn.Read(64)
	c.Check("read() gives 0 at once, though the server has not finished", len(end) == 0, "%d bytes", len(end))

	control.Say("shut")
	conn.AwaitUnread("data comes all the same, and is queued")
	c.Hold()
	data := conn.Read(4096)
	c.Check("and read() gives it: on Linux nothing is discarded", bytes.Equal(data, stage.Pattern(shutdownReadData)), "%d of %d bytes", len(data), shutdownReadData)
	end = conn.Read(64)
	c.Check("with the queue empty read() gives 0 again, and does not wait", len(end) == 0, "%d bytes", len(end))
	conn.Close()

	both := c.Dial()
	both.Name("SHUT_RDWR")
	both.Shutdown(unix.SHUT_RDWR)
	both.Expect("SHUT_RDWR sends a FIN, as SHUT_WR does", tcpinfo.FinWait2)
	counted := c.Counters()
	control.Say("write")
	both.Expect("data came, with both directions shut: our kernel answered with RST", tcpinfo.Closed)
	rose := c.Counted(counted, "TCPAbortOnData", "OutRsts")
	c.Check("the kernel counted it", rose["TCPAbortOnData"] >= 1, "TCPAbortOnData +%d, OutRsts +%d", rose["TCPAbortOnData"], rose["OutRsts"])
	both.Close()
	control.Close()
}
