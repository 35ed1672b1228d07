package scenario

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// A server that closed its connections first cannot be started again: they are in TIME-WAIT, on its port. With
// SO_REUSEADDR it can, if the server of before had it set too. A listener that is alive is another matter.
var reuseaddr = &stage.Scenario{
	Name: "reuseaddr", Group: stage.Addresses, Many: true, Control: stage.ControlFirst,
	Lesson: "starting a server again over its connections in TIME-WAIT",
	Source: "socket(7) SO_REUSEADDR",
	Server: reuseaddrServer,
	Client: reuseaddrClient,

	ServerNeeds: stage.Needs{TimeWaits: 2},
}

func reuseaddrServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)

	s.Part("a server without SO_REUSEADDR, on a port of its own, closes first")
	old := s.Socket()
	old.Name("old")
	old.Bind(netip.AddrPortFrom(conn.Local().Addr(), 0))
	old.Listen(1)
	conn.Write([]byte(old.Local().String() + "\n"))
	first := old.Accept()
	first.Close()
	first.Expect("the port is the server's, and so is the TIME-WAIT", tcpinfo.TimeWait)
	old.Close()
	again := s.Socket()
	again.Name("again")
	s.CheckErrno("bind() again fails", again.TryBind(first.Local()), unix.EADDRINUSE)
	stage.Set(again, sockapi.SO_REUSEADDR, true)
	s.CheckErrno("with SO_REUSEADDR too: the old socket did not have it", again.TryBind(first.Local()), unix.EADDRINUSE)
	again.Close()

	conn.Say("next")
	s.Part("the server that had SO_REUSEADDR from the start closes first")
	second := l.Accept()
	second.Close()
	second.Expect("the port is the server's, and so is the TIME-WAIT", tcpinfo.TimeWait)
	s.Hold()
	l.Close()
	l = s.Socket()
	s.CheckErrno("bind() without SO_REUSEADDR fails", l.TryBind(s.Addr), unix.EADDRINUSE)
	stage.Set(l, sockapi.SO_REUSEADDR, true)
	s.CheckErrno("with SO_REUSEADDR, on both, it succeeds", l.TryBind(s.Addr), 0)
	l.Listen(128)

	another := s.Socket()
	another.Name("another")
	stage.Set(another, sockapi.SO_REUSEADDR, true)
	s.CheckErrno("a second server beside a live listener fails, SO_REUSEADDR or not", another.TryBind(s.Addr), unix.EADDRINUSE)
	another.Close()

	conn.Write([]byte("back\n"))
	third := l.Accept()
	s.Check("the server serves again", third.Remote().IsValid(), "a connection from %s", third.Remote())
	third.Read(64)
	third.Close()
	conn.Read(64)
	conn.Close()
	s.KeepListener(l)
}

func reuseaddrClient(c *stage.Side) {
	conn := c.Dial()
	c.Part("a server without SO_REUSEADDR, on a port of its own, closes first")
	conn.Write(c.Request())
	old := conn.HearAddr()

	first := c.Socket()
	first.Connect(old)
	first.Read(64)
	first.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	first.Close()
	first.ExpectEnded("the server closed first: no TIME-WAIT here")

	conn.HearWord("next")
	c.Part("the server that had SO_REUSEADDR from the start closes first")
	second := c.Dial()
	second.Read(64)
	second.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	second.Close()
	second.ExpectEnded("the server closed first: no TIME-WAIT here")

	back := conn.Read(64)
	c.Check("the server is back", string(back) == "back\n", "%q", back)
	third := c.Dial()
	third.Expect("connected to the server started again", tcpinfo.Established)
	third.Close()
	conn.Close()
}
