package scenario

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// The other host vanishes: no FIN, no RST, nothing. A connection on which nobody sends stays ESTABLISHED for ever. Two
// things notice: keepalive, which asks now and then, and data that is not acknowledged; TCP_USER_TIMEOUT says how long
// that may last.
var deadPeer = &stage.Scenario{
	Name: "dead-peer", Group: stage.Failure, OnlyWire: true, Many: true, Seconds: 3,
	Lesson: "the other host vanishes: keepalive and TCP_USER_TIMEOUT notice",
	Source: "tcp(7) TCP_KEEPIDLE, TCP_USER_TIMEOUT; RFC 5482",
	Server: deadPeerServer, Client: deadPeerClient,
	Wire: deadPeerWire,
}

const (
	deadPeerIdle  = time.Second // and as long between probes
	deadPeerTries = 2
	deadPeerUser  = 1500 * time.Millisecond
)

func deadPeerServer(s *stage.Side) {
	l := s.Listen()
	idle, busy := l.Accept(), l.Accept()
	idle.Name("idle")
	busy.Name("busy")
	s.ReadRequest(idle)
	busy.Read(64)
	idle.ExpectPeerGone("the client's kernel has given up")
	idle.Expect("the server has noticed nothing: it has not sent anything", tcpinfo.Established)
	s.Hold()
	for _, conn := range []*stage.Conn{idle, busy} {
		conn.Write([]byte("still there?\n"))
		_, err := conn.TryRead(64)
		s.CheckErrno("now it has: the client's host is back and knows nothing of the connection", err, unix.ECONNRESET)
		conn.Expect("reset", tcpinfo.Closed)
		conn.Close()
	}
}

func deadPeerClient(c *stage.Side) {
	idle, busy := c.Dial(), c.Dial()
	idle.Name("idle")
	busy.Name("busy")
	stage.Set(idle, sockapi.SO_KEEPALIVE, true)
	stage.Set(idle, sockapi.TCP_KEEPIDLE, deadPeerIdle)
	stage.Set(idle, sockapi.TCP_KEEPINTVL, deadPeerIdle)
	stage.Set(idle, sockapi.TCP_KEEPCNT, deadPeerTries)
	stage.Set(busy, sockapi.TCP_USER_TIMEOUT, deadPeerUser)
	idle.Write(c.Request())
	busy.Write([]byte("hello\n"))

	c.Await("a keepalive probe is not answered", func() (string, bool) {
		n := idle.Info().Probes
		return fmt.Sprintf("TCP_INFO probes %d", n), n >= 1
	})
	idle.Expect("a probe without an answer is no reason yet", tcpinfo.Established)
	busy.Write([]byte("anybody there?\n"))
	begin := time.Now()
	_, err := busy.TryRead(64)
	c.CheckErrno("data that is not acknowledged: TCP_USER_TIMEOUT ends it", err, unix.ETIMEDOUT)
	took := time.Since(begin)
	c.Check("after 1.5 s, give or take a retransmission", took > deadPeerUser-100*time.Millisecond && took < 2*deadPeerUser+time.Second,
		"%v", took.Round(time.Millisecond))
	_, err = idle.TryRead(64)
	c.CheckErrno("nothing sent: keepalive ends it when the last probe has had its time", err, unix.ETIMEDOUT)
	idle.Expect("the kernel has given it up", tcpinfo.Closed)
	idle.Close()
	busy.Close()
}

func deadPeerWire(w *stage.Wire) {
	w.AwaitSegment(2, "client data")
	w.Await("both are connected, and all that was sent is acknowledged", func() (string, bool) {
		acked := 0
		for _, c := range w.Connections(timeline.Client) {
			if d, found := c.TryDiag(); found && d.State == tcpinfo.Established && d.SendQ == 0 {
				acked++
			}
		}
		return fmt.Sprintf("%d of 2", acked), acked == 2
	})
	gone := w.Rule("drop any")
	w.Await("the client gives up on both", func() (string, bool) {
		left := 0
		for _, c := range w.Connections(timeline.Client) {
			if c.Last().State != tcpinfo.Closed {
				left++
			}
		}
		return fmt.Sprintf("%d connections left", left), left == 0
	})
	w.Check("it sent probes, which carry no data, until then", w.KeepAliveProbes() >= deadPeerTries, "%d keepalive probes", w.KeepAliveProbes())
	w.AwaitSegment(1, "client rst") // keepalive's last word, lost like the rest
	w.Note("the wire is whole again")
	gone.Remove()
}
