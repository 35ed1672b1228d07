package scenario

import (
	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// The kernel completes handshakes without the server's application, so a client can be gone again before accept() is
// called. Its place in the accept queue stays. accept() succeeds, and hands over the socket of a connection that is no
// more.
var acceptReset = &stage.Scenario{
	Name: "accept-reset", Group: stage.Opening, Many: true, CountsQueue: true, Control: stage.ControlFirst,
	Lesson: "the client is gone before accept()",
	Source: "accept(2) ECONNABORTED, getpeername(2) ENOTCONN",
	Server: acceptResetServer,
	Client: acceptResetClient,
}

func acceptResetServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept() // over this connection the server says what comes next
	s.ReadRequest(conn)
	before := s.Counters()
	conn.Say("connect")
	child := s.ExpectChild(1, "connected; we do not accept it", tcpinfo.Established)
	l.AwaitQueue("it waits in the accept queue", 1)

	conn.Say("reset")
	child.ExpectGone("its RST has come, and the kernel's tables have nothing of it any more")
	l.AwaitQueue("its place in the accept queue is still taken", 1)
	rose := s.Counted(before, "EstabResets")
	s.Check("the kernel counted a connection that was reset", rose["EstabResets"] >= 1, "EstabResets +%d", rose["EstabResets"])
	s.Hold()

	dead, err := l.TryAccept()
	s.CheckErrno("accept() succeeds all the same", err, 0)
	l.AwaitQueue("the accept queue is empty", 0)
	dead.Expect("what it returned was connected once", tcpinfo.Closed)
	err = dead.TryGetpeername()
	s.CheckErrno("getpeername(): there is no peer", err, unix.ENOTCONN)
	s.CheckErrno("SO_ERROR says why, once", dead.PendingError(), unix.ECONNRESET)
	s.CheckErrno("asked again, it has nothing to say", dead.PendingError(), 0)
	end, err := dead.TryRead(64)
	s.Check("read() then gives 0, as after a FIN: the reset is forgotten", err == nil && len(end) == 0, "%d bytes, %s", len(end), stage.ErrnoName(err))
	_, err = dead.TryWrite([]byte("hello?"))
	s.CheckErrno("write() fails", err, unix.EPIPE)
	dead.Close()
	conn.Say("done")
	conn.Read(64)
	conn.Close()
}

func acceptResetClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	conn.HearWord("connect")
	early := c.Dial()
	early.Name("early")
	early.Expect("connected, as far as we can tell", tcpinfo.Established)
	conn.HearWord("reset")
	stage.Set(early, sockapi.SO_LINGER, sockapi.Linger{OnOff: true})
	early.Close()
	early.ExpectGone("SO_LINGER with 0 s: close() sends RST, and nothing is left here")
	conn.HearWord("done")
	conn.Close()
}
