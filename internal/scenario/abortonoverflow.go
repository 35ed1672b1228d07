package scenario

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"socklife/internal/lab"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// A full accept queue means silence on Linux: what the server cannot take it drops, and the client tries again. With
// tcp_abort_on_overflow it is told instead, by RST. But only who has got as far as the third segment: a SYN that finds
// the queue full is dropped in any case.
var abortOnOverflow = &stage.Scenario{
	Name: "abort-on-overflow", Group: stage.Opening, OnlyWire: true, Many: true,
	Lesson: "tcp_abort_on_overflow: RST instead of silence",
	Source: "tcp(7) tcp_abort_on_overflow",
	Server: abortOnOverflowServer, Client: abortOnOverflowClient,

	ServerNeeds: stage.Needs{HalfOpen: 1, Backlog: abortOnOverflowBacklog},
	ClientNeeds: stage.Needs{TimeWaits: 3},

	Prepare: abortOnOverflowPrepare,
	Wire:    abortOnOverflowWire,
}

// The queue takes three. Two connections come in good order; of two more, whose SYNs were answered while there was room
// for one, the wire holds the last segment.
const abortOnOverflowBacklog = 2

func abortOnOverflowPrepare(w *stage.Wire) {
	w.Sysctl(timeline.Server, "net.ipv4.tcp_abort_on_overflow", "1")
	w.Sysctl(timeline.Client, "net.ipv4.tcp_rfc1337", "1") // no RST ends TIME-WAIT, not even where a busy machine is late: see time-wait-reset
	w.Rule("hold client ack 3..")                          // the server's SYN-ACK comes again after a second, and is acknowledged again
}

func abortOnOverflowServer(s *stage.Side) {
	before := s.Counters()
	l := s.ListenBacklog(abortOnOverflowBacklog)
	l.Expect("it listens, and does not accept yet", tcpinfo.Listen)
	s.Await("an ACK came that there was no room for", func() (string, bool) {
		n := s.Counters()["ListenOverflows"] - before["ListenOverflows"]
		return fmt.Sprintf("ListenOverflows +%d", n), n >= 1
	})
	for range abortOnOverflowBacklog + 1 {
		conn := l.Accept()
		conn.Read(64)
		conn.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
		conn.Close()
		conn.ExpectGone("this one had its place in the queue")
	}
}

func abortOnOverflowClient(c *stage.Side) {
	conns := []*stage.Conn{c.Dial(), c.Dial(), c.Dial()}
	last := c.Socket()
	err := last.TryConnect(c.Addr)
	if err == nil { // connected, as far as the client could know; on a busy machine the RST is here before it is told so
		_, err = last.TryRead(64)
	}
	c.CheckErrno("the last found the queue full: RST", err, unix.ECONNRESET)
	last.Close()
	for _, conn := range conns {
		conn.Close()
		conn.Expect("closed in good order", tcpinfo.TimeWait)
	}
}

func abortOnOverflowWire(w *stage.Wire) {
	w.Await("two are in the queue; two handshakes wait for their last segment", func() (string, bool) {
		b, listens := w.ServerQueues()
		return fmt.Sprintf("accept queue %d/%d, SYN queue %d", b.AcceptQueue, b.AcceptLimit, b.SynQueue),
			listens && b.AcceptQueue == abortOnOverflowBacklog && b.SynQueue == 2 && len(firstOfEach(w.Held())) == 2
	})
	w.Hold()
	held := firstOfEach(w.Held())
	w.Release(held[0])
	w.Release(held[1])
	reset := w.AwaitSegment(1, "server rst")
	w.Check("one fits; the RST is for the other", reset.Segment.Dst == held[1].Segment.Src, "for %s", reset.Segment.Dst)
	w.LetGo()
}

// firstOfEach are the first packets of each sender among them.
func firstOfEach(held []lab.Packet) (some []lab.Packet) {
	for _, p := range held {
		if !slices.ContainsFunc(some, func(o lab.Packet) bool { return o.Segment.Src == p.Segment.Src }) {
			some = append(some, p)
		}
	}
	return some
}
