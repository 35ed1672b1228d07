package scenario

import (
	"fmt"

	"socklife/internal/segment"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Why three segments and not two? A SYN that was delayed in the network can come when nobody wants that connection any
// more. The server cannot know; it answers, and it is the third segment that decides: RST from a client that did not
// ask for this.
var staleSYN = &stage.Scenario{
	Name: "stale-syn", Group: stage.Opening, OnlyWire: true, Injects: true,
	Lesson: "an old SYN comes late: why a handshake takes three segments",
	Source: "RFC 9293 3.5, figure 8",
	Server: staleSYNServer, Client: staleSYNClient,
	Prepare: staleSYNPrepare,
	Wire:    staleSYNWire,
}

// The server speaks first: nothing of the client's goes before its ACK.
func staleSYNServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	conn.Write([]byte("welcome\n"))
	conn.Read(64)
	conn.Close()
	conn.ExpectEnded("closed in good order")
}

func staleSYNClient(c *stage.Side) {
	conn := c.Dial()
	conn.Expect("connected, in spite of it", tcpinfo.Established)
	welcome := conn.Read(64)
	c.Check("and the connection is as good as any", string(welcome) == "welcome\n", "%q", welcome)
	conn.Close()
	conn.Expect("closed in good order", tcpinfo.TimeWait)
}

func staleSYNPrepare(w *stage.Wire) {
	w.Rule("hold client syn 1")
	w.Rule("hold server syn+ack 1")
}

func staleSYNWire(w *stage.Wire) {
	wanted := w.AwaitHeld("client syn")
	old := wanted.Segment.Seq - 100_000
	w.Note("a SYN of the client's, older by 100,000, comes before the one it has just sent")
	w.Inject(timeline.Client, segment.WithSeq(wanted.Raw, old))

	answer := w.AwaitHeld("server syn+ack")
	w.Expect(timeline.Server, "it cannot tell an old SYN from a new one, and answers", tcpinfo.SynReceived)
	w.Check("the answer acknowledges the old SYN", answer.Segment.Ack == old+1, "ack %d", answer.Segment.Ack)
	w.Hold()
	w.Release(answer)

	refusal := w.AwaitSegment(1, "client rst")
	w.Check("the client never sent that: it answers with RST", refusal.Segment.Flags.Has(segment.RST) && refusal.Segment.Seq == old+1,
		"%s seq %d", refusal.Segment.Flags, refusal.Segment.Seq)
	w.Await("the entry is gone, and accept() has had nothing", func() (string, bool) {
		b, listens := w.ServerQueues()
		return fmt.Sprintf("SYN queue %d, accept queue %d", b.SynQueue, b.AcceptQueue), listens && b.SynQueue == 0 && b.AcceptQueue == 0
	})
	w.Note("now the SYN that the client did send")
	w.Release(wanted)
	w.AwaitSegment(1, "client ack")
}
