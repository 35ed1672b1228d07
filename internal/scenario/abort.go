package scenario

import (
	"errors"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// The administrator can end any connection of the host, whoever owns it: SOCK_DESTROY, which  ss -K  uses. The peer is
// sent RST where TCP says so, and the owner is told ECONNABORTED. It also ends what no descriptor leads to any more.
var abort = &stage.Scenario{
	Name: "abort", Group: stage.Failure, Many: true, Control: stage.ControlFirst, NeedsRoot: true,
	Lesson: "the administrator aborts a connection: ECONNABORTED",
	Source: "RFC 9293 3.10.5, ss(8) -K",
	Server: abortServer,
	Client: abortClient,

	ServerNeeds: stage.Needs{TimeWaits: 1},
	ClientNeeds: stage.Needs{TimeWaits: 1},
}

func abortServer(s *stage.Side) {
	l := s.Listen()
	control := l.Accept() // over this connection the two sides say how far they are
	s.ReadRequest(control)

	conn := l.Accept()
	control.HearWord("connected") // its connect() has returned: one that has not would fail
	conn.Expect("a connection that its application uses", tcpinfo.Established)
	s.Hold()
	switch err := conn.TryDestroy(); {
	case errors.Is(err, tcpinfo.ErrPermission):
		control.Say("not permitted")
		cannotDestroy(s, tcpinfo.ErrPermission)
	case errors.Is(err, tcpinfo.ErrNotSupported):
		control.Say("not supported")
		cannotDestroy(s, tcpinfo.ErrNotSupported)
	default:
		conn.Must(err)
	}
	control.Say("aborted")
	conn.Expect("aborted, and the application has called nothing", tcpinfo.Closed)
	_, err := conn.TryRead(64)
	s.CheckErrno("its next call tells it", err, unix.ECONNABORTED)
	end, err := conn.TryRead(64)
	s.Check("once: then read() gives 0", err == nil && len(end) == 0, "%d bytes, %s", len(end), stage.ErrnoName(err))
	_, err = conn.TryWrite([]byte("hello?"))
	s.CheckErrno("and write() fails", err, unix.EPIPE)
	conn.Close()

	leaked := l.Accept()
	leaked.Name("forgotten")
	control.HearWord("closed")
	leaked.Expect("a connection that its application forgot: the client has long closed", tcpinfo.CloseWait)
	leaked.Must(leaked.TryDestroy())
	leaked.Expect("no setting ends CLOSE-WAIT; this does", tcpinfo.Closed)
	_, err = leaked.TryWrite([]byte("hello?"))
	s.CheckErrno("should the application remember it, it is told", err, unix.ECONNABORTED)
	leaked.Close()

	old := l.Accept()
	old.Name("old")
	old.Close()
	old.Expect("a connection in TIME-WAIT: it has no owner", tcpinfo.TimeWait)
	if err := old.TryDestroy(); errors.Is(err, tcpinfo.ErrNotSupported) { // two others were ended
		s.CheckErrno("this kernel ends no TIME-WAIT (Linux 6.0 does): it lasts its 60 s", err, unix.EOPNOTSUPP)
	} else {
		old.Must(err)
		old.ExpectGone("TIME-WAIT ended, long before its 60 s were over")
	}
	control.Say("done")
	control.Read(64)
	control.Close()
}

func abortClient(c *stage.Side) {
	control := c.Dial()
	control.Write(c.Request())

	conn := c.Dial()
	control.Say("connected")
	switch control.Hear() {
	case "not permitted":
		cannotDestroy(c, tcpinfo.ErrPermission)
	case "not supported":
		cannotDestroy(c, tcpinfo.ErrNotSupported)
	}
	_, err := conn.TryRead(64)
	c.CheckErrno("the peer of an aborted connection is reset", err, unix.ECONNRESET)
	conn.Close()

	forgotten := c.Dial()
	forgotten.Name("forgotten")
	forgotten.Close()
	forgotten.Expect("we have closed, the server does not", tcpinfo.FinWait2)
	control.Say("closed")
	forgotten.ExpectGone("the server's end was aborted, and that ended this one too, long before its minute was over")

	old := c.Dial()
	old.Name("old")
	end := old.Read(64)
	c.Check("read() gives 0: the server closed first", len(end) == 0, "%d bytes", len(end))
	old.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	old.Close()
	control.HearWord("done")
	control.Close()
}

// cannotDestroy ends the run: the kernel refused, and each side says why.
func cannotDestroy(s *stage.Side, why error) {
	if why == tcpinfo.ErrNotSupported {
		s.Unsupported("this kernel cannot abort sockets", "it must be built with CONFIG_INET_DIAG_DESTROY")
	}
	s.Unsupported("aborting a socket (SOCK_DESTROY) takes CAP_NET_ADMIN, on the server's side", "run it as root, or with hosts of your own: echoc --wire abort")
}
