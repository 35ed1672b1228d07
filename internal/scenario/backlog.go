package scenario

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// The kernel completes handshakes by itself and queues the connections until accept() fetches them. The backlog of
// listen() is the length of that queue, less one: backlog+1 fit. What comes then is not refused: the SYN is dropped,
// the client sends it again, and thinks that the network is slow.
var backlog = &stage.Scenario{
	Name: "backlog", Group: stage.Opening, Many: true, CountsQueue: true, Seconds: 2,
	Lesson: "the accept queue, and what happens when it is full",
	Source: "listen(2), net.core.somaxconn",
	Server: backlogServer,
	Client: backlogClient,

	ClientNeeds: stage.Needs{TimeWaits: 3, SynRetries: 2},
}

const (
	backlogLength = 1        // room for two
	mostBacklog   = 4096 + 1 // net.core.somaxconn, unless somebody raised it
)

func backlogServer(s *stage.Side) {
	l := s.ListenBacklog(backlogLength)
	before, droppedBefore := s.Counters(), l.Dropped()
	l.Expect("we listen, and do not accept", tcpinfo.Listen)
	room := l.Last().AcceptLimit + 1
	s.Await(fmt.Sprintf("the accept queue is full: backlog+1 fit, that is %d", room), func() (string, bool) {
		q := l.Last().AcceptQueue
		if q < room && s.MostQueued() > 0 {
			s.ReadRequest(l.Accept()) // whoever writes so soon plays something else
			s.Fail(s.Mismatch("the client wrote before it had filled the queue"))
		}
		return fmt.Sprintf("accept queue %d", q), q == room
	})
	s.ExpectChild(0, "connected, though nobody has accepted", tcpinfo.Established)
	s.Await("a client can write before it is accepted: that is our sign to go on", func() (string, bool) {
		queued := s.MostQueued()
		return fmt.Sprintf("Recv-Q %d", queued), queued > 0
	})

	var dropped uint32
	s.Await("one more SYN came, and came again: the listener dropped both", func() (string, bool) {
		dropped = l.Dropped() - droppedBefore
		return fmt.Sprintf("%d dropped", dropped), dropped >= 2
	})
	rose := s.Counted(before, "ListenOverflows", "ListenDrops")
	s.Check("the kernel's counters rose by as many, at least (they are the whole namespace's)",
		rose["ListenOverflows"] >= int64(dropped) && rose["ListenDrops"] >= int64(dropped),
		"%d dropped here, ListenOverflows +%d, ListenDrops +%d", dropped, rose["ListenOverflows"], rose["ListenDrops"])

	conns := []*stage.Conn{}
	for range room + 1 {
		conns = append(conns, l.Accept())
	}
	s.Check("accepting made room: the one whose SYN was dropped is here too", len(conns) == int(room)+1, "%d connections", len(conns))
	s.ReadRequest(conns[0])
	for _, c := range conns {
		c.Read(64)
		c.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
		c.Close()
	}
}

// The client does not know how many fit: it connects until it gets no answer.
func backlogClient(c *stage.Side) {
	conns := []*stage.Conn{}
	late := c.SocketNonblock()
	for ; answers(c, late); late = c.SocketNonblock() {
		late.Expect("connected: there is room in the queue", tcpinfo.Established)
		late.ExpectPeer("it is in the queue", tcpinfo.Established)
		conns = append(conns, late)
		if first, ok := conns[0].PeerDiag(); ok && first.Inode != 0 || len(conns) > mostBacklog {
			c.Fail(c.Mismatch("the server at %s accepts what comes", c.Addr))
		}
	}
	if len(conns) == 0 {
		c.Fail(fmt.Errorf("connect %s: not even the first SYN got an answer: another client may have filled the queue", c.Addr))
	}
	timer := late.LastDiag().Timer
	c.Check("one more: the SYN gets no answer, and is sent again after a second", timer.Retrans >= 1, "sent again %d times", timer.Retrans)
	late.Expect("still none, not even a refusal: the queue is full, and SYNs are dropped", tcpinfo.SynSent)
	c.Hold()
	conns[0].Write(c.Request())
	c.Unhurried(func() {
		late.Expect("the server accepts, there is room, the next SYN is answered", tcpinfo.Established)
	})
	for _, conn := range append(conns, late) {
		conn.Close()
		conn.Expect("closed first", tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	}
}

// answers connects, and tells whether the server answers before the SYN has to be sent again.
func answers(c *stage.Side, conn *stage.Conn) (answered bool) {
	err := conn.TryConnect(c.Addr)
	if !errors.Is(err, unix.EINPROGRESS) {
		conn.Must(err)
	}
	c.CheckErrno("connect() is under way", err, unix.EINPROGRESS)
	c.Wait("an answer to our SYN", func() bool {
		answered = conn.Last().State != tcpinfo.SynSent
		return answered || conn.LastDiag().Timer.Retrans >= 1
	})
	if conn.Last().State == tcpinfo.Closed {
		conn.Must(conn.ConnectError())
	}
	return answered
}
