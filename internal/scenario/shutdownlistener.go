package scenario

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
	"socklife/tcpinfo"
)

// shutdown(SHUT_RD) on a listener makes it a socket that does not listen. Its port stays its own, whoever waits in accept()
// is woken, and what nobody had accepted is reset. listen() makes it a listener again.
var shutdownListener = &Scenario{
	Name: "shutdown-listener", Group: Closing, Many: true,
	Lesson: "shutdown() on a listener: it no longer listens and keeps its port",
	Source: "shutdown(2), accept(2) EINVAL",
	Server: shutdownListenerServer,
	Client: shutdownListenerClient,
}

func shutdownListenerServer(s *Side) {
	l := s.Listen()
	talk := l.Accept() // over this connection the two sides say how far they are
	s.ReadRequest(talk)

	door := s.named(talk.Local())
	door.Listen(8)
	talk.Say(door.Local().String())
	talk.HearWord("connected")
	door.AwaitQueue("a client is connected, and nobody has accepted", 1)

	door.Shutdown(unix.SHUT_WR)
	door.Expect("SHUT_WR on a listener does nothing", tcpinfo.Listen)
	door.Shutdown(unix.SHUT_RD)
	door.Expect("SHUT_RD ends the listening; the descriptor stays", tcpinfo.Closed)
	_, err := door.TryAccept()
	s.CheckErrno("accept() fails: it is no listener", err, unix.EINVAL)
	another := s.Socket()
	s.CheckErrno("bind() to its port fails: it is still taken", another.TryBind(door.Local()), unix.EADDRINUSE)
	another.Close()
	s.Hold()
	talk.Say("shut")
	talk.HearWord("refused")

	door.Listen(8)
	door.Expect("listen() makes it a listener again", tcpinfo.Listen)
	talk.Say("open")
	guest := door.Accept()
	guest.HearWord("hello")
	guest.Expect("accepted, as if nothing had been", tcpinfo.Established)

	accepted := door.TryAcceptBeside()
	door.Shutdown(unix.SHUT_RD)
	s.CheckErrno("accept() in another thread ends: this is how a server stops its accept loop", accepted(), unix.EINVAL)
	door.Close()
	guest.Say("goodbye")
	guest.Read(64)
	guest.Close()
	talk.Read(64)
	talk.Close()
}

func shutdownListenerClient(c *Side) {
	talk := c.Dial()
	talk.Write(c.Request())
	door := talk.HearAddr()
	queued := c.Socket()
	queued.Connect(door)
	queued.Expect("connected, though nobody has accepted", tcpinfo.Established)
	talk.Say("connected")

	talk.HearWord("shut")
	_, err := queued.TryRead(64)
	c.CheckErrno("the listener took its queue with it: we were reset", err, unix.ECONNRESET)
	queued.Expect("the connection is gone", tcpinfo.Closed)
	queued.Close()
	late := c.Socket()
	c.CheckErrno("connect() is refused, as if nobody had the port", late.TryConnect(door), unix.ECONNREFUSED)
	late.Close()
	talk.Say("refused")

	talk.HearWord("open")
	guest := c.Socket()
	guest.Connect(door)
	guest.Say("hello")
	word := guest.Hear()
	c.Check("a connection that was accepted outlives its listener", word == "goodbye", "%q", word)
	guest.Close()
	talk.Close()
}

// named makes a socket that is bound to a free port by its number, beside the listener that addr is of. Where bind() was
// given port 0 it is the kernel that chose, and that port is given back when the socket no longer listens.
func (s *Side) named(addr netip.AddrPort) *Conn {
	holder := s.Socket()
	Set(holder, sockapi.SO_REUSEADDR, true)
	holder.Bind(netip.AddrPortFrom(addr.Addr(), 0))
	c := s.Socket()
	Set(c, sockapi.SO_REUSEADDR, true)
	c.Bind(holder.Local())
	holder.Close()
	return c
}
