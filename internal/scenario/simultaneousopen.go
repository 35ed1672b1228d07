package scenario

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Both ends call connect(), neither listens, and they get one connection. Each has sent a SYN before it sees the
// other's, and answers it from SYN-SENT: the state is then SYN-RECEIVED, on a socket that an application holds.
//
// The SYNs must cross, and on one host they are too fast for that. So the client first connects to a listener of the
// server's whose accept queue is full: its SYN is dropped, and it waits in SYN-SENT. Then the server connects from that
// very port.
var simultaneousOpen = &stage.Scenario{
	Name: "simultaneous-open", Group: stage.Opening, Many: true, Control: stage.ControlListener, Seconds: 2, MoreAsRoot: true,
	Lesson: "both ends connect, nobody listens: one connection",
	Source: "RFC 9293 3.5, figure 7",
	Server: simultaneousOpenServer,
	Client: simultaneousOpenClient,

	ServerNeeds: stage.Needs{TimeWaits: 1},
	ClientNeeds: stage.Needs{TimeWaits: 1},

	Prepare: func(w *stage.Wire) { w.Rule("hold any syn") },
	Wire:    crossingSYNs,
}

// Without a wire it has these parts.
const (
	openFull  = "one SYN has to be lost: a listener whose accept queue is full"
	openCross = "now the server connects too, and the SYNs cross"
	openDone  = "each may hear the other: one connection"
)

func simultaneousOpenServer(s *stage.Side) {
	if s.OnWire() {
		connectAcross(s, s.Addr, netip.AddrPortFrom(s.PeerHostAddr(), s.Addr.Port()))
		return
	}
	l := s.Listen()
	conn := l.Accept() // over this connection the two sides say how far they are
	s.ReadRequest(conn)

	s.Part(openFull)
	s.Note("on one host a SYN is answered before another can cross it. So the client connects to a listener with backlog 0 first: " +
		"its accept queue has room for one connection (listen(2)), and when that is taken it drops SYNs. " +
		"A wire can hold both SYNs, and needs none of this: echoc --wire simultaneous-open")
	full := s.SharingPort(netip.AddrPortFrom(conn.Local().Addr(), 0))
	full.Name("full listener")
	full.Listen(0)
	ours := s.SharingPort(full.Local()) // two sockets may have the port while only one of them listens
	ours.Name("ours")

	// With a filter that drops whatever comes for our socket, the client's answer to our SYN does not reach us, and its
	// SYN-RECEIVED lasts until we remove it.
	held := ours.TryDropIncoming()
	conn.Say(full.Local().String())
	theirs := conn.HearAddr()
	s.Part(openCross)
	s.CheckErrno("we connect from the port that the client connects to", ours.TryConnect(theirs), unix.EINPROGRESS)
	if !held {
		s.Note("this user may not attach a filter to a socket: SYN-RECEIVED passes unseen (root may, and it is held)")
		conn.Say("passing")
		conn.HearWord("go on")
		s.Part(openDone)
		full.Close()
		ours.Expect("connected, though we never called listen() or accept() for it", tcpinfo.Established)
	} else {
		ours.Expect("our SYN is on its way; a filter keeps the answer from us", tcpinfo.SynSent)
		conn.Say("held")
		second := s.SharingPort(full.Local())
		second.Name("early")
		second.TryDropIncoming()
		s.CheckErrno("once more, with another socket of the client's", second.TryConnect(conn.HearAddr()), unix.EINPROGRESS)
		conn.Say("held too")
		conn.HearWord("go on")
		s.Part(openDone)
		full.Close()
		ours.Undrop()
		second.Undrop()
		s.Unhurried(func() {
			ours.Expect("connected, though nobody listens at our port", tcpinfo.Established)
			second.Expect("connected, and already closed by the client", tcpinfo.CloseWait)
		})
	}
	s.Check("one connection: the client's address is its other end", ours.Remote() == theirs, "%s to %s", ours.Local(), ours.Remote())
	conn.HearWord("connected")
	ours.Say("from the server")
	ours.AwaitUnread("the client's word has come")
	word := ours.Hear()
	s.Check("data flows", word == "from the client", "%q", word)
	conn.Say("read")
	ours.Expect("the client closes, as in any connection", tcpinfo.CloseWait)
	ours.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	ours.Close()
	ours.ExpectEnded("and so do we")
	conn.Read(64)
	conn.Close()
}

func simultaneousOpenClient(c *stage.Side) {
	if c.OnWire() {
		connectAcross(c, netip.AddrPortFrom(c.HostAddr(), c.Addr.Port()), c.Addr)
		return
	}
	conn := c.Dial()
	c.Part(openFull)
	conn.Write(c.Request())
	theirs := conn.HearAddr()

	filler := c.Socket()
	filler.Name("filler")
	filler.Connect(theirs)
	filler.ExpectPeer("nobody accepts it, and with it the listener's queue is full", tcpinfo.Established)
	ours := c.SocketNonblock()
	ours.Name("ours")
	c.CheckErrno("connect() to the full listener is under way", ours.TryConnect(theirs), unix.EINPROGRESS)
	ours.Expect("no answer comes: a listener whose queue is full drops SYNs", tcpinfo.SynSent)

	c.Part(openCross)
	conn.Say(ours.Local().String())
	var early *stage.Conn
	if conn.Hear() == "held" {
		ours.Expect("the server's SYN has come, and no ACK of ours", tcpinfo.SynReceived)
		early = closeEarly(c, conn, theirs)
	}
	c.Hold()
	c.Part(openDone)
	conn.Say("go on")
	c.Unhurried(func() {
		ours.Expect("each has the other's SYN and the ACK of its own", tcpinfo.Established)
		if early != nil {
			early.Expect("the connection opened, and our FIN is acknowledged, without an application at this end", tcpinfo.FinWait2)
		}
	})
	c.Check("one connection: the server's address is its other end", ours.Remote() == theirs, "%s to %s", ours.Local(), ours.Remote())
	filler.Expect("the full listener is closed, and with it what nobody had accepted; our connection never went through it", tcpinfo.Closed)
	conn.Say("connected")
	ours.Say("from the client")
	ours.AwaitUnread("the server's word has come")
	word := ours.Hear()
	c.Check("data flows", word == "from the server", "%q", word)
	conn.HearWord("read")
	ours.Close()
	ours.Expect("closed first", tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	conn.Close()
}

// closeEarly has a second connection opened the same way, and closes it in SYN-RECEIVED.
func closeEarly(c *stage.Side, conn *stage.Conn, theirs netip.AddrPort) *stage.Conn {
	early := c.SocketNonblock()
	early.Name("early")
	c.CheckErrno("another connect() to the full listener is under way", early.TryConnect(theirs), unix.EINPROGRESS)
	early.Expect("nor to this one", tcpinfo.SynSent)
	conn.Say(early.Local().String())
	conn.HearWord("held too")
	early.Expect("the server's SYN has come here too", tcpinfo.SynReceived)
	early.Close()
	early.Expect("close() before the connection is there: our FIN is out, and our SYN not acknowledged yet", tcpinfo.FinWait1)
	return early
}

// On a wire that holds the SYNs nobody needs a full queue: both ends just connect, each from the port that the other
// connects to.

func connectAcross(s *stage.Side, ours, theirs netip.AddrPort) {
	conn := s.SocketNonblock()
	conn.Bind(ours)
	s.ReadyAt(ours)
	s.CheckErrno("connect() sends a SYN", conn.TryConnect(theirs), unix.EINPROGRESS)
	s.Unhurried(func() {
		conn.Expect("each has the other's SYN and the ACK of its own", tcpinfo.Established)
	})
	conn.Say("from the " + string(s.Name))
	conn.AwaitUnread("the other's word has come")
	word := conn.Hear()
	s.Check("data flows", word == "from the "+string(s.Name.Other()), "%q", word)
	conn.Close()
}

func crossingSYNs(w *stage.Wire) {
	client, server := w.AwaitHeld("client syn"), w.AwaitHeld("server syn")
	w.Expect(timeline.Client, "its SYN is out; the other's has not come", tcpinfo.SynSent)
	w.Expect(timeline.Server, "its SYN is out; the other's has not come", tcpinfo.SynSent)
	answers := w.Rule("hold any syn+ack")
	w.Release(client)
	w.Release(server)
	w.Expect(timeline.Client, "a SYN has come where the SYN-ACK should have: it answers, and waits for its own ACK", tcpinfo.SynReceived)
	w.Expect(timeline.Server, "and so does the other: neither listens, both are half-open", tcpinfo.SynReceived)
	w.AwaitHeld("client syn+ack") // its state is seen before its answer is
	w.AwaitHeld("server syn+ack")
	w.Hold()
	answers.Remove()
	w.ReleaseAll()
}
