package scenario

import (
	"errors"
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
	Name: "resets", Group: stage.Closing, Many: true, Control: stage.ControlFirst, MoreAsRoot: true,
	Lesson: "a reset ends a connection in every state",
	Source: "RFC 9293 3.5.3, 3.10.7.4",
	Server: resetsServer,
	Client: resetsClient,

	ServerNeeds: stage.Needs{TimeWaits: 1, HalfOpen: 1},
}

// Over the first connection the server says "reset" where the client is to do so, and "next" when it has done with that
// round; the client then begins another.

func resetsServer(s *stage.Side) {
	l := s.Listen(stage.SmallBuffers)
	control := l.Accept()
	s.ReadRequest(control)
	var told [][]string
	round := func(conn *stage.Conn, read, pending unix.Errno) {
		told = append(told, awaitReset(s, control, conn, read, pending))
		control.Say("next")
	}

	roundOf(s, tcpinfo.SynReceived)
	told = append(told, resetSynReceived(s, control))
	control.Say("next")

	roundOf(s, tcpinfo.Established)
	conn := l.Accept()
	conn.Expect("both directions are open", tcpinfo.Established)
	round(conn, unix.ECONNRESET, 0)

	roundOf(s, tcpinfo.FinWait1)
	conn = l.Accept()
	conn.Fill()
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN waits behind data that the client does not read", tcpinfo.FinWait1)
	round(conn, unix.ECONNRESET, 0)

	roundOf(s, tcpinfo.FinWait2)
	conn = l.Accept()
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN is acknowledged; we wait for the client's", tcpinfo.FinWait2)
	round(conn, unix.ECONNRESET, 0)

	roundOf(s, tcpinfo.CloseWait)
	conn = l.Accept()
	conn.Expect("the client has closed, and we have not", tcpinfo.CloseWait)
	round(conn, 0, unix.EPIPE)

	roundOf(s, tcpinfo.Closing)
	conn = l.Accept()
	conn.Fill()
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN waits behind data", tcpinfo.FinWait1)
	control.Say("close")
	conn.Expect("the client's FIN crossed ours", tcpinfo.Closing)
	round(conn, 0, unix.ECONNRESET)

	roundOf(s, tcpinfo.LastAck)
	conn = l.Accept()
	conn.Expect("the client closes first", tcpinfo.CloseWait)
	conn.Fill()
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN is the last one, and waits behind data", tcpinfo.LastAck)
	round(conn, 0, unix.ECONNRESET)

	roundOf(s, tcpinfo.TimeWait)
	told = append(told, resetTimeWait(s, l, control))
	control.HearWord("done")
	s.Table("what the server's calls said after the RST", []string{"RST came in", "read()", "then SO_ERROR", "write()"}, told...)
	control.Say("end")
	control.Read(64)
	control.Close()
}

func resetsClient(c *stage.Side) {
	control := narrow(c)
	control.Write(c.Request())
	before := c.Counters()
	second := control.HearAddr()

	roundOf(c, tcpinfo.SynReceived)
	halfOpen := c.Socket()
	halfOpen.Connect(second)
	reset(halfOpen, control)

	roundOf(c, tcpinfo.Established)
	reset(narrow(c), control)

	roundOf(c, tcpinfo.FinWait1)
	resetUnread(narrow(c), control) // the server fills our window

	roundOf(c, tcpinfo.FinWait2)
	reset(narrow(c), control)

	roundOf(c, tcpinfo.CloseWait)
	conn := narrow(c)
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("our FIN is acknowledged", tcpinfo.FinWait2)
	reset(conn, control)

	roundOf(c, tcpinfo.Closing)
	conn = narrow(c) // the server fills our window
	control.HearWord("close")
	conn.Shutdown(unix.SHUT_WR)
	resetUnread(conn, control)

	roundOf(c, tcpinfo.LastAck)
	conn = narrow(c) // the server fills our window
	conn.Shutdown(unix.SHUT_WR)
	resetUnread(conn, control)

	roundOf(c, tcpinfo.TimeWait)
	resetLastAck(c, control)
	rose := c.Counted(before, "OutRsts")
	c.Check("one reset was sent for each of them, at least", rose["OutRsts"] >= 7, "OutRsts +%d", rose["OutRsts"])
	control.Say("done")
	control.HearWord("end")
	control.Close()
}

// roundOf begins the round in which the RST comes to a server in that state.
func roundOf(s *stage.Side, state tcpinfo.State) {
	s.Part("RST comes to a server in " + state.String())
}

// awaitReset has the client reset the connection, and checks what the application is told: by read(), and by SO_ERROR
// then. Where the client's FIN has come, read() knows no error (0).
func awaitReset(s *stage.Side, control, conn *stage.Conn, read, pending unix.Errno) (told []string) {
	state := conn.Last().State
	s.Hold()
	control.Say("reset")
	conn.Expect(fmt.Sprintf("RST came in %s, and that was the end", state), tcpinfo.Closed)
	_, readErr := conn.TryRead(64)
	sockErr := conn.PendingError()
	_, writeErr := conn.TryWrite([]byte("too late"))
	expect := "read() tells it; then SO_ERROR has nothing to say, and write() gives EPIPE"
	if read == 0 {
		expect = "read() gives 0, the end of the stream, as before the reset; SO_ERROR tells it: " + sockapi.ErrnoName(pending)
	}
	s.Check(expect, is(readErr, read) && is(sockErr, pending) && is(writeErr, unix.EPIPE),
		"read() %s, SO_ERROR %s, write() %s", stage.ErrnoName(readErr), stage.ErrnoName(sockErr), stage.ErrnoName(writeErr))
	conn.Close()
	return []string{state.String(), gave(readErr, "0, end of stream"), gave(sockErr, "nothing"), gave(writeErr, "success")}
}

func is(err error, want unix.Errno) bool {
	return err == nil && want == 0 || want != 0 && errors.Is(err, want)
}

// gave is what a call gave, or what it means that it gave no error.
func gave(err error, none string) string {
	if err == nil {
		return none
	}
	return stage.ErrnoName(err)
}

// resetSynReceived holds a half-open connection with a listener that waits for data.
func resetSynReceived(s *stage.Side, control *stage.Conn) (told []string) {
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
	return []string{tcpinfo.SynReceived.String(), "no application had it yet", "", ""}
}

// resetTimeWait ends in TIME-WAIT, where the client is made not to hear of it and has a reason to send RST.
func resetTimeWait(s *stage.Side, l, control *stage.Conn) (told []string) {
	conn := l.Accept()
	conn.Say("read this")
	conn.Shutdown(unix.SHUT_WR)
	conn.Expect("we closed first, and the client has not", tcpinfo.FinWait2)
	control.Say("close")
	if control.Hear() != "closed" {
		conn.Close()
		return []string{tcpinfo.TimeWait.String(), "not tried: this user may not", "", ""}
	}
	conn.Expect("the client has closed too, and does not hear our last ACK", tcpinfo.TimeWait)
	conn.Close()
	s.Hold()
	control.Say("reset")
	told = []string{tcpinfo.TimeWait.String(), "no application has it any more", "", ""}
	if s.Sysctl("tcp_rfc1337") != "0" {
		s.Note("tcp_rfc1337 is set: TIME-WAIT takes no notice of the RST")
		told[1] = "tcp_rfc1337: no notice taken"
	} else {
		conn.ExpectGone("RST came in TIME-WAIT and ended it, before its 60 s were over (tcp_rfc1337 is 0)")
	}
	control.Say("next")
	return told
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
	resetUnread(conn, control)
}

// narrow connects with a receive window that is soon full.
func narrow(c *stage.Side) *stage.Conn {
	conn := c.Socket()
	stage.SmallBuffers(conn)
	conn.Connect(c.Addr)
	return conn
}

// reset ends the connection with SO_LINGER 0, when the server says so.
func reset(c *stage.Conn, control *stage.Conn) {
	control.HearWord("reset")
	stage.Set(c, sockapi.SO_LINGER, sockapi.Linger{OnOff: true})
	c.Close()
	c.ExpectGone("SO_LINGER with 0 s: close() sent RST")
	control.HearWord("next")
}

// resetUnread ends it with data that was not read.
func resetUnread(c *stage.Conn, control *stage.Conn) {
	control.HearWord("reset")
	c.Close()
	c.ExpectGone("unread data: close() sent RST")
	control.HearWord("next")
}
