package scenario

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// shutdown(SHUT_RD) on a listener makes it a socket that does not listen. Its port stays its own, whoever waits in
// accept() is woken, and what nobody had accepted is reset. listen() makes it a listener again.
var shutdownListener = &stage.Scenario{
	Name: "shutdown-listener", Group: stage.Closing, Many: true, Control: stage.ControlListener,
	Lesson: "shutdown() on a listener: it no longer listens and keeps its port",
	Source: "shutdown(2), accept(2) EINVAL",
	Server: shutdownListenerServer,
	Client: shutdownListenerClient,
}

func shutdownListenerServer(s *stage.Side) {
	l := s.Listen()
	control := l.Accept() // over this connection the two sides say how far they are
	s.ReadRequest(control)

	second := named(s, control.Local())
	second.Name("listener")
	second.Listen(8)
	control.Say(second.Local().String())
	control.HearWord("connected")
	second.AwaitQueue("a client is connected, and nobody has accepted", 1)

	second.Shutdown(unix.SHUT_WR)
	second.Expect("SHUT_WR on a listener does nothing", tcpinfo.Listen)
	second.Shutdown(unix.SHUT_RD)
	second.Expect("SHUT_RD ends the listening; the descriptor stays", tcpinfo.Closed)
	_, err := second.TryAccept()
	s.CheckErrno("accept() fails: it is no listener", err, unix.EINVAL)
	another := s.Socket()
	another.Name("another")
	s.CheckErrno("bind() to its port, without SO_REUSEADDR, fails: it is still taken", another.TryBind(second.Local()), unix.EADDRINUSE)
	another.Close()
	s.Hold()
	control.Say("shut")
	control.HearWord("refused")

	second.Listen(8)
	second.Expect("listen() makes it a listener again", tcpinfo.Listen)
	control.Say("open")
	conn := second.Accept()
	conn.HearWord("hello")
	conn.Expect("accepted, as if nothing had been", tcpinfo.Established)

	accepted := second.TryAcceptBeside()
	second.Shutdown(unix.SHUT_RD)
	s.CheckErrno("accept() in another thread ends: this is how a server stops its accept loop", accepted(), unix.EINVAL)
	second.Close()
	conn.Say("goodbye")
	conn.Read(64)
	conn.Close()
	control.Read(64)
	control.Close()
}

func shutdownListenerClient(c *stage.Side) {
	control := c.Dial()
	control.Write(c.Request())
	second := control.HearAddr()
	queued := c.Socket()
	queued.Name("queued")
	queued.Connect(second)
	queued.Expect("connected, though nobody has accepted", tcpinfo.Established)
	control.Say("connected")

	control.HearWord("shut")
	_, err := queued.TryRead(64)
	c.CheckErrno("the listener took its queue with it: we were reset", err, unix.ECONNRESET)
	queued.Expect("the connection is gone", tcpinfo.Closed)
	queued.Close()
	late := c.Socket()
	late.Name("late")
	c.CheckErrno("connect() is refused, as if nobody had the port", late.TryConnect(second), unix.ECONNREFUSED)
	late.Close()
	control.Say("refused")

	control.HearWord("open")
	conn := c.Socket()
	conn.Name("served")
	conn.Connect(second)
	conn.Say("hello")
	word := conn.Hear()
	c.Check("a connection that was accepted outlives its listener", word == "goodbye", "%q", word)
	conn.Close()
	control.Close()
}

// named makes a socket that is bound to a free port by its number, beside the listener that addr is of. Where bind()
// was given port 0 it is the kernel that chose, and that port is given back when the socket no longer listens.
func named(s *stage.Side, addr netip.AddrPort) *stage.Conn {
	holder := s.Socket()
	stage.Set(holder, sockapi.SO_REUSEADDR, true)
	holder.Bind(netip.AddrPortFrom(addr.Addr(), 0))
	c := s.Socket()
	stage.Set(c, sockapi.SO_REUSEADDR, true)
	c.Bind(holder.Local())
	holder.Close()
	return c
}
