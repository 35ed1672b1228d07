package scenario

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// A SYN for a port where nobody listens is answered with RST, and connect() fails with ECONNREFUSED: at once, because the
// host answered. To have the port is not enough (bind), to listen is what counts; and a server that stops listening
// refuses new clients while it goes on serving those it has.
var refused = &Scenario{
	Name: "refused", Group: Opening, Many: true,
	Lesson: "nobody listens: the answer is RST, and connect() fails at once",
	Source: "RFC 9293 3.10.7.1, connect(2) ECONNREFUSED",
	Server: refusedServer,
	Client: refusedClient,
}

func refusedServer(s *Side) {
	l := s.Listen()
	conn := l.Accept() // over this connection the two sides say how far they are
	s.ReadRequest(conn)

	door := s.Socket()
	door.Bind(netip.AddrPortFrom(conn.Local().Addr(), 0))
	door.Expect("it has a port; it does not listen", tcpinfo.Closed)
	before := s.Counters()
	conn.Say(door.Local().String())
	conn.HearWord("refused")
	rose := s.Counted(before, "OutRsts")
	s.Check("our kernel answered the SYN with RST; no application had a part in it", rose["OutRsts"] >= 1, "OutRsts +%d", rose["OutRsts"])

	door.Listen(8)
	door.Expect("now it listens", tcpinfo.Listen)
	conn.Say("open")
	guest := door.Accept()
	door.Close()
	conn.Say("closed")
	conn.HearWord("refused again")
	guest.Expect("the listener is gone; the connection that came through it stays", tcpinfo.Established)
	guest.Say("still here")
	guest.Read(64)
	guest.Close()
	conn.Read(64)
	conn.Close()
}

func refusedClient(c *Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	door := conn.HearAddr()

	guest := c.Socket()
	before := c.Counters()
	c.CheckErrno("a port that is bound, and nobody listens: RST", guest.TryConnect(door), unix.ECONNREFUSED)
	guest.Expect("as it was before connect(): nothing is left of the attempt", tcpinfo.Closed)
	rose := c.Counted(before, "AttemptFails")
	c.Check("the kernel counted an attempt that failed", rose["AttemptFails"] >= 1, "AttemptFails +%d", rose["AttemptFails"])
	c.Hold()
	conn.Say("refused")

	conn.HearWord("open")
	guest.Connect(door)
	guest.Expect("the same socket, the same port: the server has called listen()", tcpinfo.Established)
	conn.HearWord("closed")
	late := c.Socket()
	c.CheckErrno("the server has closed its listener: refused again", late.TryConnect(door), unix.ECONNREFUSED)
	conn.Say("refused again")
	word := guest.Hear()
	c.Check("who was connected before is still served", word == "still here", "%q", word)
	guest.Close()
	conn.Close()
}
