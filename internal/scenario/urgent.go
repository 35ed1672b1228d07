package scenario

import (
	"fmt"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
)

// One byte of the stream can be marked as urgent: send() with MSG_OOB. Its segment has the flag URG, and says where in
// the stream the mark is. Data is not overtaken by it; what the receiver gets early is the news. Linux takes the byte
// out of the stream, or leaves it in (SO_OOBINLINE). There is one mark at a time.
var urgent = &stage.Scenario{
	Name: "urgent", Group: stage.Closing, Many: true,
	Lesson: "urgent data: URG, MSG_OOB, and the mark",
	Source: "RFC 9293 3.8.5, RFC 6093, tcp(7), sockatmark(3)",
	Server: urgentServer,
	Client: urgentClient,
}

func urgentServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	if s.Sysctl("tcp_stdurg") == "1" {
		s.Unsupported("net.ipv4.tcp_stdurg is set, and this kernel looks for the mark one byte too far", "sysctl -w net.ipv4.tcp_stdurg=0")
	}
	_, err := conn.TryRecv(1, unix.MSG_OOB)
	s.CheckErrno("recv(MSG_OOB) fails as long as nothing urgent has come", err, unix.EINVAL)

	conn.Sign("one")
	awaitStream(s, conn, "ab, an urgent !, and cd have come", 5)
	checkPriority(s, conn)
	s.Hold()
	checkRead(s, conn, "read() stops at the mark, though more has come", "ab")
	checkMark(s, conn, "the next byte is the urgent one", true)
	b, err := conn.TryRecv(9, unix.MSG_OOB)
	s.Check("recv(MSG_OOB) gives the urgent byte", err == nil && string(b) == "!", "%q, %s", b, stage.ErrnoName(err))
	_, err = conn.TryRecv(9, unix.MSG_OOB)
	s.CheckErrno("and only once", err, unix.EINVAL)
	checkRead(s, conn, "read() goes on behind the mark: out of band means out of the stream", "cd")
	checkMark(s, conn, "we are past it", false)

	conn.Sign("two")
	awaitStream(s, conn, "ab, urgent 1, cd, urgent 2 and ef have come, and nothing was read in between", 8)
	checkRead(s, conn, "there is one mark, at 2; 1 has become an ordinary byte", "ab1cd")
	b, err = conn.TryRecv(9, unix.MSG_OOB)
	s.Check("recv(MSG_OOB) gives 2", err == nil && string(b) == "2", "%q, %s", b, stage.ErrnoName(err))
	checkRead(s, conn, "the rest of the stream", "ef")

	stage.Set(conn, sockapi.SO_OOBINLINE, true)
	conn.Sign("inline")
	awaitStream(s, conn, "ab, an urgent !, and cd have come", 5)
	_, err = conn.TryRecv(1, unix.MSG_OOB)
	s.CheckErrno("with SO_OOBINLINE there is nothing out of band", err, unix.EINVAL)
	checkRead(s, conn, "read() stops at the mark, as before", "ab")
	checkMark(s, conn, "the next byte is the urgent one", true)
	checkRead(s, conn, "and the byte is where it was sent: in the stream", "!cd")
	conn.Sign("done")
	conn.Read(64)
	conn.Close()
}

func urgentClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	conn.HearSign("one")
	conn.Write([]byte("ab"))
	sendUrgent(c, conn, "!")
	conn.Write([]byte("cd"))

	conn.HearSign("two")
	conn.Write([]byte("ab"))
	sendUrgent(c, conn, "1")
	conn.Write([]byte("cd"))
	sendUrgent(c, conn, "2")
	conn.Write([]byte("ef"))

	conn.HearSign("inline")
	conn.Write([]byte("ab"))
	sendUrgent(c, conn, "!")
	conn.Write([]byte("cd"))
	conn.HearSign("done")
	conn.Close()
}

// sendUrgent sends with MSG_OOB: the last byte is the urgent one.
func sendUrgent(c *stage.Side, conn *stage.Conn, text string) {
	n, err := conn.TrySend([]byte(text), unix.MSG_OOB)
	c.Check("send() with MSG_OOB takes it, as part of the stream", n == len(text) && err == nil, "%d, %s", n, stage.ErrnoName(err))
}

// awaitStream waits until so many bytes have come that were not read, urgent ones among them.
func awaitStream(s *stage.Side, conn *stage.Conn, why string, n uint32) {
	s.Await(why, func() (string, bool) {
		q := conn.Diag().RecvQ
		return fmt.Sprintf("Recv-Q %d", q), q == n
	})
}

// checkRead checks what one read() gives.
func checkRead(s *stage.Side, conn *stage.Conn, expect, want string) {
	got := conn.Read(64)
	s.Check(expect, string(got) == want, "%q", got)
}

// checkMark asks SIOCATMARK.
func checkMark(s *stage.Side, conn *stage.Conn, expect string, want bool) {
	at := conn.AtMark()
	s.Check("SIOCATMARK: "+expect, at == want, "%v", at)
}

// checkPriority asks poll(2).
func checkPriority(s *stage.Side, conn *stage.Conn) {
	got := conn.Poll(unix.POLLPRI)
	s.Check("poll() says POLLPRI: something urgent is here", got == unix.POLLPRI, "revents %#x", got)
}
