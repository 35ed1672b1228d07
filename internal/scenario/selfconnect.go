package scenario

import (
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// A socket that connects to its own address meets its own SYN: two ends connect at the same time, and both are the
// same. No server is there, and connect() succeeds. It happens to clients that try again and again to reach a local
// server that is down, on a port that the kernel also gives to clients: one day the kernel chooses that very port. And
// then the server cannot start, because its port is taken.
var selfConnect = &stage.Scenario{
	Name: "self-connect", Group: stage.Opening, Many: true, Control: stage.ControlListener,
	Lesson: "a socket that connects to itself, and the server that cannot start",
	Source: "RFC 9293 3.5 figure 7, ip(7) ip_local_port_range",
	Server: selfConnectServer,
	Client: selfConnectClient,

	ClientNeeds: stage.Needs{TimeWaits: 1},
}

// The server would like to serve at the port where the client is connected to itself.
func selfConnectServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept() // over this connection the client names the port
	s.ReadRequest(conn)
	conn.Say("connect to yourself")
	taken := conn.HearAddr()

	app := s.Socket()
	app.Name("server")
	err := app.TryBind(taken)
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		s.Note("%s is on another host: whether a server could start there cannot be tried here", taken)
	} else {
		s.CheckErrno("the server cannot start: a client has its port", err, unix.EADDRINUSE)
		stage.Set(app, sockapi.SO_REUSEADDR, true)
		s.CheckErrno("SO_REUSEADDR does not help: the client's socket does not have it", app.TryBind(taken), unix.EADDRINUSE)
	}
	app.Close()
	conn.Say("tried")
	conn.Read(64)
	conn.Close()
}

func selfConnectClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())

	conn.HearWord("connect to yourself")
	self := c.Socket()
	self.Name("self")
	self.Bind(netip.AddrPortFrom(conn.Local().Addr(), 0))
	self.Connect(self.Local())
	self.Expect("nobody listens there, and we are connected", tcpinfo.Established)
	c.Check("to ourselves: both ends have the same address and port", self.Local() == self.Remote(), "%s to %s", self.Local(), self.Remote())
	self.Say("is anybody there?")
	echo := self.Hear()
	c.Check("what we write we read: it looks like an echo server", echo == "is anybody there?", "%q", echo)
	c.Hold()

	conn.Say(self.Local().String())
	conn.HearWord("tried")
	self.Close()
	self.Expect("our FIN met itself: both ends closed at once, so it is TIME-WAIT, and the port stays taken", tcpinfo.TimeWait)
	conn.Close()
}
