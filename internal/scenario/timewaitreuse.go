package scenario

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// TIME-WAIT keeps a socket pair for a minute, against old segments. A SYN that cannot be old need not wait: the
// kernel at which it arrives gives its TIME-WAIT up for it (RFC 6191). And a kernel that is to find a port for
// connect() may give up a TIME-WAIT of its own (tcp_tw_reuse), when a second has passed.
var timeWaitReuse = &stage.Scenario{
	Name: "time-wait-reuse", Group: stage.Closing, Many: true, Control: stage.ControlFirst, Seconds: 1,
	Lesson: "a new connection in the place of one in TIME-WAIT",
	Source: "RFC 9293 3.6.1, RFC 6191",
	Server: timeWaitReuseServer,
	Client: timeWaitReuseClient,

	ServerNeeds: stage.Needs{TimeWaits: 1},
	ClientNeeds: stage.Needs{TimeWaits: 2},
}

// A connection that must bring data to be accepted stays in SYN-RECEIVED until it does: that is how this state is held.
func deferAccept(l *stage.Conn) { stage.Set(l, sockapi.TCP_DEFER_ACCEPT, 30*time.Second) }

func timeWaitReuseServer(s *stage.Side) {
	l := s.Listen(deferAccept)
	control := l.Accept()
	s.ReadRequest(control)

	// The server closes first: TIME-WAIT is here, and a SYN comes.
	old := l.Accept()
	old.Name("old")
	old.Read(64)
	old.Close()
	old.Expect("we closed first: this socket pair is taken for 60 s", tcpinfo.TimeWait)
	s.Hold()
	control.Say("TIME-WAIT")
	child := s.ExpectChild(2, "a SYN has come that is newer than all of the old connection", tcpinfo.SynReceived)
	s.Check("from the same address and port", child.Remote() == old.Remote(), "%s, before %s", child.Remote(), old.Remote())
	old.ExpectGone("TIME-WAIT was given up for it")
	control.Say("SYN-RECEIVED")
	again := l.Accept()
	again.Name("again")
	again.Expect("the same socket pair, another connection", tcpinfo.Established)
	control.Say("ESTABLISHED")
	again.ReadToEnd()
	again.Close()

	// The client closes first: TIME-WAIT is there, and connect() wants its port.
	mine := l.Accept()
	mine.Name("mine")
	mine.ReadToEnd()
	mine.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	mine.Close()
	if control.Hear() == "connected" {
		next := l.Accept()
		next.ReadToEnd()
		next.Close()
	}
}

func timeWaitReuseClient(c *stage.Side) {
	control := c.Dial()
	control.Write(c.Request())

	old := c.Socket()
	old.Name("old")
	old.Bind(netip.AddrPortFrom(control.Local().Addr(), 0)) // a port that no other connection has, as connect() might choose
	old.Connect(c.Addr)
	old.Say("old")
	old.Read(64)
	old.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	old.Close()
	old.ExpectEnded("the server closed first: on this side the port is free")
	again := c.Socket()
	again.Name("again")
	again.Bind(old.Local())
	control.HearWord("TIME-WAIT")
	again.Connect(c.Addr)
	again.Expect("connected, with the same socket pair as before", tcpinfo.Established)
	control.HearWord("SYN-RECEIVED")
	again.Say("again")
	control.HearWord("ESTABLISHED")
	again.Close()

	mine := c.Socket()
	mine.Name("mine")
	mine.NoBind() // what bind() took, connect() does not choose
	mine.Connect(c.Addr)
	mine.Say("mine")
	mine.Close()
	mine.Expect("this time we closed first", tcpinfo.TimeWait)
	port := mine.Local().Port()
	next := c.SocketFrom(sockapi.PortRange{Lo: port, Hi: port}, "tcp_tw_reuse cannot be shown")
	next.Name("next")
	before := c.Counters()
	if !reuse(c, next, mine) {
		control.Say("refused")
		return
	}
	rose := c.Counted(before, "TWRecycled")
	c.Check("the kernel counted it", rose["TWRecycled"] >= 1, "TWRecycled +%d", rose["TWRecycled"])
	control.Say("connected")
	next.Say("next")
	next.Close()
}

// reuse connects from the one port that there is, and that is in TIME-WAIT. It tells whether it came to be connected.
func reuse(c *stage.Side, next, old *stage.Conn) bool {
	err := next.TryConnect(c.Addr)
	if err != nil { // unless the user took long
		c.CheckErrno("TIME-WAIT is too young: connect() does not take the port", err, unix.EADDRNOTAVAIL)
		old.AwaitReusable()
		err = next.TryConnect(c.Addr)
	}
	if why := c.NoReuse(); why != "" {
		c.CheckErrno(why+": not here, however old it is", err, unix.EADDRNOTAVAIL)
		return false
	}
	c.CheckErrno("connect() takes the port out of TIME-WAIT", err, 0)
	next.Must(err)
	c.Check("it is that port", next.Local() == old.Local(), "%s", next.Local())
	old.ExpectGone("TIME-WAIT was given up")
	next.Expect("connected", tcpinfo.Established)
	return true
}
