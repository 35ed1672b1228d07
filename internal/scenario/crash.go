package scenario

import (
	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// A process that is killed calls nothing any more: the kernel closes its descriptors for it, as close() would. So the
// peer sees an end of the stream like any other, or a reset if data was left unread; that it was a crash TCP does not
// say. (A host that crashes is another matter: it says nothing at all.)
var crash = &stage.Scenario{
	Name: "crash", Group: stage.Failure, Many: true,
	Lesson: "kill -9: the kernel closes for the process, with FIN or with RST",
	Source: "_exit(2), close(2), RFC 9293 3.6.1 (SHLD-3)",
	Server: crashServer,
	Client: crashClient,

	ServerNeeds: stage.Needs{TimeWaits: 1},
}

func crashServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	served := s.HandOver(conn)
	defer served.End()
	conn.Close()
	conn.Expect("that was not the last descriptor, so it ended nothing: the connection is the other process's", tcpinfo.Established)
	s.Note("kill -9 %d", served.PID())
	signal := served.Kill()
	s.Check("the process is dead", signal == unix.SIGKILL, "signal: %v", signal)
	conn.Expect("the kernel has closed its descriptors, and sent a FIN", tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	conn.Expect("the client has closed too: TIME-WAIT needs no process", tcpinfo.TimeWait)

	conn = l.Accept() // whoever connects again has done with the connection before
	s.Note("another process, and this one leaves something unread")
	busy := s.HandOver(conn)
	defer busy.End()
	conn.Close()
	conn.AwaitUnread("the client has sent something, and the process does not read it")
	before := s.Counters()
	s.Note("kill -9 %d", busy.PID())
	busy.Kill()
	conn.ExpectGone("unread data: the kernel sent RST")
	rose := s.Counted(before, "TCPAbortOnClose")
	s.Check("it counted why", rose["TCPAbortOnClose"] >= 1, "TCPAbortOnClose +%d", rose["TCPAbortOnClose"])
}

func crashClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	word := conn.Hear()
	c.Check("a process serves us", word == "at your service", "%q", word)
	end := conn.Read(64)
	c.Check("read() gives 0, as after any close(): nothing says that the server crashed", len(end) == 0, "%d bytes", len(end))
	conn.Expect("the FIN came from the kernel", tcpinfo.CloseWait)
	conn.ExpectPeer("it does all that is left to do", tcpinfo.FinWait2)
	c.Hold()
	conn.Close()
	conn.ExpectEnded("both FINs are acknowledged")

	conn = c.Dial()
	word = conn.Hear()
	c.Check("another process serves us", word == "at your service", "%q", word)
	conn.Say("read this")
	_, err := conn.TryRead(64)
	c.CheckErrno("read() fails: RST", err, unix.ECONNRESET)
	conn.Expect("the connection is gone", tcpinfo.Closed)
	conn.Close()
}
