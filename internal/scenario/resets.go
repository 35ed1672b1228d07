package scenario

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// A reset needs no agreement: whatever state a connection is in, an RST that comes ends it. The server brings one
// connection after the other into each of the states, the client resets it, and the server's next calls say what is
// told of that: ECONNRESET, but not to who has already seen the end of the stream.
var resets = &stage.Scenario{
	Name: "resets", Group: stage.Closing, Many: true, Control: stage.ControlFirst,
	Lesson: "a reset ends a connection in every state",
	Source: "RFC 9293 3.5.3, 3.10.7.4",
	Server: resetsServer,
	Client: resetsClient,
}

func resetsServer(s *stage.Side) {
	l := s.Listen(stage.SmallBuffers)
	control := l.Accept() // over this connection the server says when the client is to do what
	s.ReadRequest(control)
	resetSynReceived(s, control)

	conn := l.Accept()
	conn.Expect("both directions are open", tcpinfo.Established)
	awaitReset(s, control, conn, unix.ECONNRESET, 0)

	conn = l.Accept()
	conn.Fill()
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN waits behind data that the client does not read", tcpinfo.FinWait1)
	awaitReset(s, control, conn, unix.ECONNRESET, 0)

	conn = l.Accept()
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN is acknowledged; we wait for the client's", tcpinfo.FinWait2)
	awaitReset(s, control, conn, unix.ECONNRESET, 0)

	conn = l.Accept()
	conn.Expect("the client has closed, and we have not", tcpinfo.CloseWait)
	awaitReset(s, control, conn, 0, unix.EPIPE)

	conn = l.Accept()
	conn.Fill()
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN waits behind data", tcpinfo.FinWait1)
	control.Say("close")
	conn.Expect("the client's FIN crossed ours", tcpinfo.Closing)
	awaitReset(s, control, conn, 0, unix.ECONNRESET)

	conn = l.Accept()
	conn.Expect("the client closes first", tcpinfo.CloseWait)
	conn.Fill()
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN is the last one, and waits behind data", tcpinfo.LastAck)
	awaitReset(s, control, conn, 0, unix.ECONNRESET)

	resetTimeWait(s, l, control)
	control.Read(64)
	control.Close()
}

func resetsClient(c *stage.Side) {
	control := narrow(c)
	control.Write(c.Request())
	before := c.Counters()

	halfOpen := c.Socket()
	halfOpen.Connect(control.HearAddr())
	reset(halfOpen, control, "for the server it was half-open")

	conn := narrow(c)
	reset(conn, control, "from ESTABLISHED")

	conn = narrow(c) // the server fills our window
	resetUnread(conn, control, "from ESTABLISHED: no FIN has come yet")

	conn = narrow(c)
	reset(conn, control, "from CLOSE-WAIT")

	conn = narrow(c)
	conn.Shutdown(unix.SHUT_WR)
	reset(conn, control, "from FIN-WAIT-2")

	conn = narrow(c) // the server fills our window
	control.HearWord("close")
	conn.Shutdown(unix.SHUT_WR)
	resetUnread(conn, control, "from FIN-WAIT-2: the server's FIN has not come yet")

	conn = narrow(c) // the server fills our window
	conn.Shutdown(unix.SHUT_WR)
	resetUnread(conn, control, "from FIN-WAIT-2: the server's FIN has not come yet")

	resetLastAck(c, control)
	rose := c.Counted(before, "OutRsts")
	c.Check("one reset was sent for each of them, at least", rose["OutRsts"] >= 7, "OutRsts +%d", rose["OutRsts"])
	control.Close()
}

// awaitReset has the client reset the connection, and checks what the application is told: by read(), and by SO_ERROR
// then. Where the client's FIN has come, read() knows no error (0).
func awaitReset(s *stage.Side, control, conn *stage.Conn, read, pending unix.Errno) {
	state := conn.Last().State
	s.Hold()
	control.Say("reset")
	conn.Expect(fmt.Sprintf("RST came in %s, and that was the end", state), tcpinfo.Closed)
	_, err := conn.TryRead(64)
	if read != 0 {
		s.CheckErrno("read() tells it", err, read)
		s.CheckErrno("once: SO_ERROR has nothing to say then", conn.PendingError(), pending)
	} else {
		s.CheckErrno("read() gives 0, the end of the stream, as before the reset", err, read)
		s.CheckErrno("SO_ERROR tells it: "+sockapi.ErrnoName(pending), conn.PendingError(), pending)
	}
	_, err = conn.TryWrite([]byte("too late"))
	s.CheckErrno("write() fails in any case", err, unix.EPIPE)
	conn.Close()
}

// resetSynReceived holds a half-open connection with a listener that waits for data.
func resetSynReceived(s *stage.Side, control *stage.Conn) {
	second := s.Socket()
	second.Name("half-open")
	second.Bind(netip.AddrPortFrom(control.Local().Addr(), 0))
	stage.Set(second, sockapi.TCP_DEFER_ACCEPT, time.Hour)
	second.Listen(8)
	second.FollowChildren()
	before := s.Counters()
	control.Say(second.Local().String())
	child := s.ExpectChild(1, "half-open, until data comes", tcpinfo.SynReceived)
	s.Hold()
	control.Say("reset")
	child.ExpectGone("RST came in SYN-RECEIVED: the entry is gone, and no application hears of it")
	rose := s.Counted(before, "EmbryonicRsts")
	s.Check("the kernel counted it", rose["EmbryonicRsts"] >= 1, "EmbryonicRsts +%d", rose["EmbryonicRsts"])
	second.Close()
}

// resetTimeWait ends in TIME-WAIT, where the client is made not to hear of it and has a reason to send RST.
func resetTimeWait(s *stage.Side, l, control *stage.Conn) {
	conn := l.Accept()
	conn.Say("read this")
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("we closed first, and the client has not", tcpinfo.FinWait2)
	control.Say("close")
	if control.Hear() != "closed" {
		conn.Close()
		return
	}
	conn.Expect("the client has closed too, and does not hear our last ACK", tcpinfo.TimeWait)
	conn.Close()
	s.Hold()
	control.Say("reset")
	if s.Sysctl("tcp_rfc1337") != "0" {
		s.Note("tcp_rfc1337 is set: TIME-WAIT takes no notice of the RST")
		return
	}
	conn.ExpectGone("RST came in TIME-WAIT and ended it, before its 60 s were over (tcp_rfc1337 is 0)")
}

// resetLastAck closes second, deaf to the server's last ACK, and then resets.
func resetLastAck(c *stage.Side, control *stage.Conn) {
	conn := narrow(c)
	control.HearWord("close")
	conn.AwaitUnread("data has come, which we do not read")
	if !conn.TryDropIncoming() {
		c.Note("this user may not attach a filter to a socket: TIME-WAIT is not reset here (root may; so does echoc --wire time-wait-reset)")
		control.Say("cannot")
		conn.Close()
		return
	}
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN is sent; a filter keeps the server's ACK from us", tcpinfo.LastAck)
	control.Say("closed")
	resetUnread(conn, control, "from LAST-ACK")
}

// narrow connects with a receive window that is soon full.
func narrow(c *stage.Side) *stage.Conn {
	conn := c.Socket()
	stage.SmallBuffers(conn)
	conn.Connect(c.Addr)
	return conn
}

// reset ends the connection with SO_LINGER 0, when the server says so.
func reset(c *stage.Conn, control *stage.Conn, from string) {
	control.HearWord("reset")
	stage.Set(c, sockapi.SO_LINGER, sockapi.Linger{OnOff: true})
	c.Close()
	c.ExpectGone("SO_LINGER with 0 s: close() sent RST, " + from)
}

// resetUnread ends it with data that was not read.
func resetUnread(c *stage.Conn, control *stage.Conn, from string) {
	control.HearWord("reset")
	c.Close()
	c.ExpectGone("unread data: close() sent RST, " + from)
}
