package scenario

import (
	"fmt"

	"socklife/internal/lab"
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

	SeqOrigin: "the client's count from the SYN that it sends, the server's from its first answer; what is older is negative",

	Server: staleSYNServer, Client: staleSYNClient,

	ServerNeeds: stage.Needs{HalfOpen: 1},
	ClientNeeds: stage.Needs{TimeWaits: 1},

	Prepare: func(w *stage.Wire) { w.Rule("hold client syn") }, // each of them: the kernel sends it again by itself
	Wire:    staleSYNWire,
}

// The server speaks first: nothing of the client's goes before its ACK.
func staleSYNServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	conn.Write([]byte("welcome\n"))
	conn.Read(64)
	conn.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
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

func staleSYNWire(w *stage.Wire) {
	wanted := w.AwaitHeld("client syn")
	answers := w.Rule("hold server syn+ack") // likewise
	old := wanted.Segment.Seq - 100_000
	w.Note("a SYN of the client's, older by 100,000, comes before the one it has just sent")
	w.Inject(timeline.Client, segment.WithSeq(wanted.Raw, old))

	answer := w.AwaitHeld("server syn+ack")
	w.Expect(timeline.Server, "it cannot tell an old SYN from a new one, and answers", tcpinfo.SynReceived)
	w.Check("the answer acknowledges the old SYN", answer.Segment.Ack == old+1, "ack=%d", since(wanted, answer.Segment.Ack))
	w.Hold()
	answers.Remove()
	w.Release(answer)

	refusal := w.AwaitSegment(1, "client rst")
	w.Check("the client never sent that: it answers with RST", refusal.Segment.Flags.Has(segment.RST) && refusal.Segment.Seq == old+1,
		"%s seq=%d", refusal.Segment.Flags, since(wanted, refusal.Segment.Seq))
	w.AwaitSentAgain(wanted)
	w.Await("the client asks again; the old entry is gone, and accept() has had nothing", func() (string, bool) {
		w.Look()
		b, listens := w.ServerQueues()
		return fmt.Sprintf("SYN queue %d, accept queue %d", b.SynQueue, b.AcceptQueue), listens && b.SynQueue == 0 && b.AcceptQueue == 0
	})
	w.Note("now the SYN that the client did send")
	w.Release(wanted)
	w.AwaitSegment(1, "client ack")
}

// since is a number of the client's, counted from its SYN.
func since(syn lab.Packet, seq uint32) int32 { return int32(seq - syn.Segment.Seq) }
