package scenario

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// The server has closed. Its FIN only says that it sends no more: that nobody reads there any more, the client's kernel
// cannot know. So the first write succeeds; the answer to it is RST; the second one fails, and the kernel sends
// SIGPIPE.
var writeAfterClose = &stage.Scenario{
	Name: "write-after-close", Group: stage.Closing,
	Lesson: "after the peer's close() the first write works, the second fails",
	Source: "RFC 9293 3.5.3, write(2) EPIPE, signal(7) SIGPIPE",
	Server: writeAfterCloseServer,
	Client: writeAfterCloseClient,

	ServerNeeds: stage.Needs{TimeWaits: 1},
}

func writeAfterCloseServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Close()
	conn.ExpectGone("data came, for nobody: our kernel answered with RST, and that is the end here")
}

func writeAfterCloseClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	end := conn.Read(64)
	c.Check("read() gives 0: the server has finished sending", len(end) == 0, "%d bytes", len(end))
	conn.Expect("that is all that a FIN says", tcpinfo.CloseWait)
	conn.ExpectPeer("its FIN is acknowledged, and it waits for ours", tcpinfo.FinWait2)
	conn.AwaitPeerOrphaned("but the server has closed: no descriptor leads to its end")
	c.Hold()

	before := c.Counters()
	n, err := conn.TryWrite([]byte("1"))
	c.Check("the first write() succeeds: the byte is in our kernel, and on its way", n == 1 && err == nil, "%d, %s", n, stage.ErrnoName(err))
	conn.Expect("the answer was RST", tcpinfo.Closed)
	rose := c.Counted(before, "OutRsts", "EstabResets")
	c.Check("the kernel counted a connection that was reset", rose["EstabResets"] >= 1, "OutRsts +%d, EstabResets +%d", rose["OutRsts"], rose["EstabResets"])

	// Go's runtime ignores SIGPIPE on all descriptors but 1 and 2 (package os/signal). Asked like this it tells of it.
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, unix.SIGPIPE)
	defer signal.Stop(pipe)
	_, err = conn.TryWrite([]byte("2"))
	c.CheckErrno("the second write() fails", err, unix.EPIPE)
	c.Await("and the kernel sent SIGPIPE, of which a program dies that does not ignore or handle it", func() (string, bool) {
		select {
		case <-pipe:
			return "SIGPIPE", true
		default:
			return "no signal", false
		}
	})
	_, err = conn.TrySend([]byte("3"), unix.MSG_NOSIGNAL)
	c.CheckErrno("send() with MSG_NOSIGNAL fails in the same way, and without the signal", err, unix.EPIPE)
	end, err = conn.TryRead(64)
	c.Check("read() gives 0, now as before: who only reads never learns of the reset", len(end) == 0 && err == nil, "%d bytes, %s", len(end), stage.ErrnoName(err))
	conn.Close()
}
