package scenario

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// A SYN for a port where nobody listens is answered with RST, and connect() fails with ECONNREFUSED: at once, because
// the host answered. To have the port is not enough (bind), to listen is what counts; and a server that stops listening
// refuses new clients while it goes on serving those it has.
var refused = &stage.Scenario{
	Name: "refused", Group: stage.Opening, Many: true, Control: stage.ControlListener,
	Lesson: "nobody listens: the answer is RST, and connect() fails at once",
	Source: "RFC 9293 3.10.7.1, connect(2) ECONNREFUSED",
	Server: refusedServer,
	Client: refusedClient,
}

const (
	refusedBound  = "a port that is bound, and nobody listens"
	refusedOpen   = "the same port, and somebody listens"
	refusedClosed = "the listener is closed again"
)

func refusedServer(s *stage.Side) {
	l := s.Listen()
	control := l.Accept() // over this connection the two sides say how far they are
	s.ReadRequest(control)

	s.Part(refusedBound)
	second := s.Socket()
	second.Name("second")
	second.Bind(netip.AddrPortFrom(control.Local().Addr(), 0))
	second.Expect("it has a port; it does not listen", tcpinfo.Closed)
	before := s.Counters()
	control.Say(second.Local().String())
	control.HearWord("refused")
	rose := s.Counted(before, "OutRsts")
	s.Check("our kernel answered the SYN with RST; no application had a part in it", rose["OutRsts"] >= 1, "OutRsts +%d", rose["OutRsts"])

	control.Say("counted")

	s.Part(refusedOpen)
	control.HearWord("listen")
	second.Listen(8)
	second.Expect("now it listens", tcpinfo.Listen)
	control.Say("open")
	conn := second.Accept()
	control.HearWord("connected")

	s.Part(refusedClosed)
	second.Close()
	control.Say("closed")
	control.HearWord("refused again")
	conn.Expect("the listener is gone; the connection that came through it stays", tcpinfo.Established)
	conn.Say("still here")
	conn.Read(64)
	conn.Close()
	control.Read(64)
	control.Close()
}

func refusedClient(c *stage.Side) {
	control := c.Dial()
	c.Part(refusedBound)
	control.Write(c.Request())
	second := control.HearAddr()

	conn := c.Socket()
	conn.Name("first")
	before := c.Counters()
	c.CheckErrno("a port that is bound, and nobody listens: RST", conn.TryConnect(second), unix.ECONNREFUSED)
	conn.Expect("as it was before connect(): nothing is left of the attempt", tcpinfo.Closed)
	rose := c.Counted(before, "AttemptFails")
	c.Check("the kernel counted an attempt that failed", rose["AttemptFails"] >= 1, "AttemptFails +%d", rose["AttemptFails"])
	c.Hold()
	control.Say("refused")
	control.HearWord("counted")

	c.Part(refusedOpen)
	control.Say("listen")
	control.HearWord("open")
	conn.Connect(second)
	conn.Expect("the same socket, the same port: the server has called listen()", tcpinfo.Established)

	c.Part(refusedClosed)
	control.Say("connected")
	control.HearWord("closed")
	late := c.Socket()
	late.Name("late")
	c.CheckErrno("the server has closed its listener: refused again", late.TryConnect(second), unix.ECONNREFUSED)
	control.Say("refused again")
	word := conn.Hear()
	c.Check("who was connected before is still served", word == "still here", "%q", word)
	conn.Close()
	control.Close()
}
