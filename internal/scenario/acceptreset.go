package scenario

import (
	"fmt"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
	"socklife/tcpinfo"
)

// The kernel completes handshakes without the server's application, so a client can be gone again before accept() is called.
// Its place in the accept queue stays. accept() succeeds, and hands over the socket of a connection that is no more.
var acceptReset = &Scenario{
	Name: "accept-reset", Group: Opening, Many: true,
	Lesson: "the client is gone before accept()",
	Source: "accept(2) ECONNABORTED, getpeername(2) ENOTCONN",
	Server: acceptResetServer,
	Client: acceptResetClient,
}

func acceptResetServer(s *Side) {
	l := s.Listen()
	conn := l.Accept() // over this connection the server says what comes next
	s.ReadRequest(conn)
	before := s.Counters()
	conn.Say("connect")
	child := s.ExpectChild(1, "connected; we do not accept it", tcpinfo.Established)
	awaitQueue(s, l, "it waits in the accept queue", 1)

	conn.Say("reset")
	s.expectGone(child, s.Name, "its RST has come, and the kernel's tables have nothing of it any more", "")
	awaitQueue(s, l, "its place in the accept queue is still taken", 1)
	rose := s.Counted(before, "EstabResets")
	s.Check("the kernel counted a connection that was reset", rose["EstabResets"] >= 1, "EstabResets +%d", rose["EstabResets"])
	s.Hold()

	dead, err := l.TryAccept()
	s.CheckErrno("accept() succeeds all the same", err, 0)
	awaitQueue(s, l, "the accept queue is empty", 0)
	dead.Expect("what it returned was connected once", tcpinfo.Closed)
	_, err = dead.sock.Getpeername()
	s.CheckErrno("getpeername(): there is no peer", err, unix.ENOTCONN)
	s.CheckErrno("SO_ERROR says why, once", dead.pending(), unix.ECONNRESET)
	s.CheckErrno("asked again, it has nothing to say", dead.pending(), 0)
	end, err := dead.TryRead(64)
	s.Check("read() then gives 0, as after a FIN: the reset is forgotten", err == nil && len(end) == 0, "%d bytes, %s", len(end), errnoName(err))
	_, err = dead.TryWrite([]byte("hello?"))
	s.CheckErrno("write() fails", err, unix.EPIPE)
	dead.Close()
	conn.Say("done")
	conn.Read(64)
	conn.Close()
}

func acceptResetClient(c *Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	conn.HearWord("connect")
	hasty := c.Dial()
	hasty.Expect("connected, as far as we can tell", tcpinfo.Established)
	conn.HearWord("reset")
	set(hasty, sockapi.SO_LINGER, sockapi.Linger{OnOff: true})
	hasty.Close()
	hasty.ExpectGone("SO_LINGER with 0 s: close() sends RST, and nothing is left here")
	conn.HearWord("done")
	conn.Close()
}

// awaitQueue waits until so many connections wait for accept(2).
func awaitQueue(s *Side, l *Conn, why string, n uint32) {
	s.Await(why, func() (string, bool) {
		q := l.Last().AcceptQueue
		return fmt.Sprintf("accept queue %d", q), q == n
	})
}
