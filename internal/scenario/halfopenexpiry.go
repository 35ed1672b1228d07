package scenario

import (
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// A half-open connection does not stay for ever: the SYN-ACK is sent again, after waits that double, and when the last
// of them is over the entry is dropped. Nobody is told. The client, which has been connected all the while as far as it
// knows, learns it when it sends something.
var halfOpenExpiry = &stage.Scenario{
	Name: "half-open-expiry", Group: stage.Opening, OnlyWire: true, Seconds: 3,
	Lesson: "a half-open connection expires, and nobody is told",
	Source: "tcp(7) tcp_synack_retries",
	Server: halfOpenExpiryServer, Client: halfOpenExpiryClient,

	ServerNeeds: stage.Needs{HalfOpen: 1},

	Prepare: halfOpenExpiryPrepare,
	Wire:    halfOpenExpiryWire,
}

func halfOpenExpiryPrepare(w *stage.Wire) {
	w.Sysctl(timeline.Server, "net.ipv4.tcp_synack_retries", "1")
	w.Rule("drop client ack")
}

func halfOpenExpiryServer(s *stage.Side) {
	l := s.Listen()
	l.Expect("it listens, and will have nothing to accept", tcpinfo.Listen)
	entry := s.ExpectChild(0, "the SYN is answered; the ACK does not come", tcpinfo.SynReceived)
	s.Await("the entry is dropped", func() (string, bool) { return entry.Last().State.String(), entry.Last().Gone })
}

func halfOpenExpiryClient(c *stage.Side) {
	conn := c.Dial()
	conn.Expect("connected, as far as the client can know", tcpinfo.Established)
	conn.ExpectPeerGone("the server's entry has expired")
	conn.Expect("and the client still thinks it is connected", tcpinfo.Established)
	c.Hold()
	conn.Write([]byte("anybody there?\n"))
	_, err := conn.TryRead(64)
	c.CheckErrno("the server's kernel knows nothing of it: RST", err, unix.ECONNRESET)
	conn.Close()
}

func halfOpenExpiryWire(w *stage.Wire) {
	first := w.AwaitSegment(1, "server syn+ack")
	again := w.AwaitSegment(2, "server syn+ack")
	w.CheckAfter("the SYN-ACK is sent again", first, again, time.Second)
	w.Await("nothing is left of it on the server's host", func() (string, bool) {
		entry := w.Connections(timeline.Server)[0].Last()
		return entry.State.String(), entry.Gone
	})
	lived := time.Since(first.Seen)
	w.Check("one retransmission allowed: it lived for 1 s and 2 s", lived > 2*time.Second && lived < 10*time.Second,
		"%v", lived.Round(time.Millisecond))
	w.Check("the SYN-ACK was sent twice in all", w.Count("server syn+ack") == 2, "%d times", w.Count("server syn+ack"))
}
