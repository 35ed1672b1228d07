package scenario

import (
	"fmt"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// The kernel completes handshakes by itself and queues the connections until accept() fetches them. The backlog of listen() is
// the length of that queue, less one: backlog+1 fit. What comes then is not refused: the SYN is dropped, the
// client sends it again, and thinks that the network is slow.
var backlog = &Scenario{
	Name: "backlog", Group: Opening, Many: true,
	Lesson: "the accept queue, and what happens when it is full",
	Source: "listen(2), net.core.somaxconn",
	Server: backlogServer,
	Client: backlogClient,
}

const backlogLength = 1 // room for two

func backlogServer(s *Side) {
	before := s.Counters()
	l := s.ListenBacklog(backlogLength)
	l.Expect("we listen, and do not accept", tcpinfo.Listen)
	room := int(l.Last().AcceptLimit) + 1
	s.Await(fmt.Sprintf("the accept queue is full: backlog+1 fit, that is %d", room), func() (string, bool) {
		return fmt.Sprintf("accept queue %d/%d", l.Last().AcceptQueue, l.Last().AcceptLimit), int(l.Last().AcceptQueue) == room
	})
	s.ExpectChild(0, "connected, though nobody has accepted", tcpinfo.Established)
	s.Await("a client can write before it is accepted: that is our sign to go on", func() (string, bool) {
		queued := s.mostQueued()
		return fmt.Sprintf("Recv-Q %d", queued), queued > 0
	})
	rose := s.Counted(before, "ListenOverflows", "ListenDrops")
	s.Check("the kernel counted the SYNs that it dropped", rose["ListenOverflows"] >= 1 && rose["ListenDrops"] >= 1,
		"ListenOverflows +%d, ListenDrops +%d", rose["ListenOverflows"], rose["ListenDrops"])

	conns := []*Conn{}
	for range room + 1 {
		conns = append(conns, l.Accept())
	}
	s.Check("accepting made room: the one whose SYN was dropped is here too", len(conns) == room+1, "%d connections", len(conns))
	s.ReadRequest(conns[0])
	for _, c := range conns {
		c.Read(64)
		c.Close()
	}
}

func backlogClient(c *Side) {
	room := backlogLength + 1
	if b := c.run.cfg.Backlog; b != nil {
		room = *b + 1
	}
	conns := []*Conn{}
	for range room {
		conn := c.Dial()
		conn.Expect("connected: there is room in the queue", tcpinfo.Established)
		conns = append(conns, conn)
	}
	late := c.SocketNonblock()
	c.CheckErrno("one more: connect() would block", late.TryConnect(c.Addr), unix.EINPROGRESS)
	late.Expect("no answer: the queue is full and the SYN is dropped", tcpinfo.SynSent)
	c.Await("the SYN is sent again, after a second", func() (string, bool) {
		t := late.Last().Diag.Timer
		return fmt.Sprintf("retransmitted %d times", t.Retrans), t.Retrans >= 1
	})
	late.Expect("still nothing", tcpinfo.SynSent)
	c.Hold()
	conns[0].Write(c.Request())
	late.Expect("the server accepts, there is room, the next SYN is answered", tcpinfo.Established)
	for _, conn := range append(conns, late) {
		conn.Close()
	}
}
