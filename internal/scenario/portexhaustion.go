package scenario

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// A connection is known by both addresses and both ports. To one destination a client therefore has as many
// connections as it has ports, and those in TIME-WAIT count: with the usual 28,232 ports and 60 s that is 470 a
// second. Here the client has two ports: an even number, because before Linux 6.8 connect() gave out an odd number of
// them but for one.
var portExhaustion = &stage.Scenario{
	Name: "port-exhaustion", Group: stage.Addresses, Many: true, Control: stage.ControlFirst, Seconds: 1,
	Lesson: "ports used up, by connections and by TIME-WAIT, and what helps",
	Source: "ip(7) IP_LOCAL_PORT_RANGE, connect(2) EADDRNOTAVAIL",
	Server: portExhaustionServer,
	Client: portExhaustionClient,

	ServerNeeds: stage.Needs{TimeWaits: 1},
	ClientNeeds: stage.Needs{TimeWaits: 4},
}

const (
	portsOfOurs = 2
	thousands   = "thousands of connections would be needed"
)

// The parts of it. Each begins when both sides have done with the one before, which the server says over its first
// connection.
const (
	portsUsedUp   = "two ports, two connections, and one more"
	portsDest     = "what helps (1): another destination"
	portsReset    = "what helps, at a price (2): SO_LINGER with 0 s"
	portsSecond   = "what helps (3): the server closes first"
	portsTimeWait = "two connections closed, and one more"
	portsReuse    = "what helps (4): tcp_tw_reuse"
)

func portExhaustionServer(s *stage.Side) {
	l := s.Listen()
	control := l.Accept() // over this connection the two sides say how far they are
	s.ReadRequest(control)
	other := s.Socket()
	other.Name("other")
	other.Bind(netip.AddrPortFrom(control.Local().Addr(), 0))
	other.Listen(8)
	control.Say(other.Local().String())

	s.Part(portsUsedUp)
	conns := []*stage.Conn{}
	for range portsOfOurs {
		conns = append(conns, l.Accept())
	}
	control.Say("accepted")

	s.Part(portsDest)
	elsewhere := other.Accept()
	elsewhere.Read(64)
	elsewhere.Close()
	control.Say("closed")

	s.Part(portsReset)
	_, err := conns[0].TryRead(64)
	s.CheckErrno("the client resets one connection", err, unix.ECONNRESET)
	conns[0].Close()
	second := l.Accept()
	control.Say("accepted")

	s.Part(portsSecond)
	control.HearWord("close first")
	second.Close()
	second.Expect("this time it is the server that closes first, and has the TIME-WAIT", tcpinfo.TimeWait)
	control.Say("closed")
	conns[0] = l.Accept()
	s.Check("a new connection from the same port: TIME-WAIT gave way to a SYN that cannot be old",
		conns[0].Remote() == second.Remote(), "%s", conns[0].Remote())
	control.Say("accepted")

	s.Part(portsTimeWait)
	for _, conn := range conns {
		conn.Read(64)
		conn.ExpectPeer("the client has closed first, and waits for us", tcpinfo.FinWait2)
		conn.Close()
	}
	control.Say("closed")
	if control.Hear() == "one more" {
		s.Part(portsReuse)
		last := l.Accept()
		last.Read(64)
		last.Close()
	}
	control.Close()
}

func portExhaustionClient(c *stage.Side) {
	control := c.Dial()
	control.Write(c.Request())
	other := control.HearAddr()

	c.Part(portsUsedUp)
	ports := c.FreePorts(portsOfOurs)
	c.Note("we have the ports %d to %d, and nobody else has them", ports.Lo, ports.Hi)
	conns := []*stage.Conn{}
	for range portsOfOurs {
		conn := c.SocketFrom(ports, thousands)
		conn.Connect(c.Addr)
		conn.Expect("connected", tcpinfo.Established)
		conns = append(conns, conn)
	}
	control.HearWord("accepted")
	third := c.SocketFrom(ports, thousands)
	third.Name("third")
	c.CheckErrno("one more fails: every port has a connection to this destination", third.TryConnect(c.Addr), unix.EADDRNOTAVAIL)
	c.Hold()

	stage.Set(third, sockapi.SO_REUSEADDR, true)
	c.CheckErrno("SO_REUSEADDR does not help: it is for bind()", third.TryConnect(c.Addr), unix.EADDRNOTAVAIL)
	third.Close()

	c.Part(portsDest)
	elsewhere := c.SocketFrom(ports, thousands)
	elsewhere.Name("elsewhere")
	c.CheckErrno("another destination helps: the ports are used up for each one alone", elsewhere.TryConnect(other), 0)
	c.Check("a port that has a connection already", taken(conns, elsewhere.Local().Port()), "%d", elsewhere.Local().Port())
	elsewhere.Close()
	control.HearWord("closed")

	c.Part(portsReset)
	stage.Set(conns[0], sockapi.SO_LINGER, sockapi.Linger{OnOff: true})
	conns[0].Close()
	conns[0].ExpectGone("SO_LINGER with 0 s helps: RST, no TIME-WAIT (and data that was under way is lost)")
	conns[0] = c.SocketFrom(ports, thousands)
	c.CheckErrno("its port is free at once", conns[0].TryConnect(c.Addr), 0)
	control.HearWord("accepted")

	c.Part(portsSecond)
	control.Say("close first")
	end := conns[0].Read(64)
	c.Check("to let the server close first helps: read() gives 0, and we close second", len(end) == 0, "%d bytes", len(end))
	conns[0].ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	conns[0].Close()
	conns[0].ExpectEnded("the TIME-WAIT is on the server's side")
	control.HearWord("closed")
	conns[0] = c.SocketFrom(ports, thousands)
	c.CheckErrno("the port is free at once, here", conns[0].TryConnect(c.Addr), 0)
	control.HearWord("accepted")

	c.Part(portsTimeWait)
	began := time.Now()
	for _, conn := range conns {
		conn.Close()
		conn.Expect("we close first", tcpinfo.TimeWait)
	}
	control.HearWord("closed")
	if usedUpByTimeWait(c, ports, conns[0], began) {
		control.Say("one more")
	} else {
		control.Say("no more")
	}
	control.Read(64)
	control.Close()
}

// usedUpByTimeWait tries to connect while TIME-WAIT has all ports, which it does since then. It tells whether it came
// to be connected in the end.
func usedUpByTimeWait(c *stage.Side, ports sockapi.PortRange, old *stage.Conn, since time.Time) bool {
	last, delay, setting := c.SocketFrom(ports, thousands), c.ReuseDelay(), c.Sysctl("tcp_tw_reuse")
	err := last.TryConnect(c.Addr)
	if err != nil {
		c.CheckErrno("one more fails: nobody has the ports but TIME-WAIT", err, unix.EADDRNOTAVAIL)
		if c.NoReuse() != "" {
			c.Note("tcp_tw_reuse is %s, tcp_timestamps %s: here it helps to wait for the end of TIME-WAIT, 60 s", setting, c.Sysctl("tcp_timestamps"))
			return false
		}
		c.Part(portsReuse)
		old.AwaitReusable()
		err = last.TryConnect(c.Addr)
	}
	c.Check(fmt.Sprintf("tcp_tw_reuse is %s: connect() takes a port out of a TIME-WAIT that is older than %v", setting, delay),
		err == nil && c.NoReuse() == "", "%s, %v after the first close()", stage.ErrnoName(err), time.Since(since).Round(time.Millisecond))
	last.Must(err)
	last.Close()
	return true
}

func taken(conns []*stage.Conn, port uint16) bool {
	for _, conn := range conns {
		if conn.Local().Port() == port {
			return true
		}
	}
	return false
}
