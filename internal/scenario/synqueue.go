package scenario

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// Between the SYN and the connection there is an entry in the SYN queue: SYN-RECEIVED, kept by the kernel, with no
// socket and no descriptor. Mostly it lives for one round trip. TCP_DEFER_ACCEPT holds it: the listener takes no notice
// of the client's bare ACK and waits for data, while the client has long been ESTABLISHED.
var synQueue = &stage.Scenario{
	Name: "syn-queue", Group: stage.Opening, Many: true, CountsQueue: true, Control: stage.ControlFirst, Seconds: 1,
	Lesson: "a half-open connection lives in the SYN queue",
	Source: "RFC 9293 3.3.2 SYN-RECEIVED, tcp(7) TCP_DEFER_ACCEPT",
	Server: synQueueServer,
	Client: synQueueClient,

	ServerNeeds: stage.Needs{HalfOpen: 1},
}

const (
	deferLong  = time.Hour   // until data comes
	deferShort = time.Second // the kernel counts it in SYN-ACKs: one more
)

var synQueueParts = []string{
	"a client that says nothing: data ends the wait",
	"a client that gives up: a reset ends the wait",
	"a client that says nothing, ever: TCP_DEFER_ACCEPT ends the wait",
}

func synQueueServer(s *stage.Side) {
	l := s.Listen()
	stage.Set(l, sockapi.TCP_DEFER_ACCEPT, deferLong)
	conn := l.Accept() // over this connection the server says what comes next
	s.ReadRequest(conn)
	before := s.Counters()

	s.Part(synQueueParts[0])
	conn.Say("connect")
	patient := s.ExpectChild(1, "its SYN came, our SYN-ACK went; for us it is half-open", tcpinfo.SynReceived)
	l.AwaitQueues("it is in the SYN queue, not in the accept queue", 1, 0)
	timer := patient.LastDiag().Timer
	s.Check("a timer runs for it", timer.Kind == tcpinfo.TimerOn, "timer %s, %v", timer.Kind, timer.Expires)
	s.Await("its ACK comes, and is put aside", func() (string, bool) {
		n := s.Counters()["TCPDeferAcceptDrop"] - before["TCPDeferAcceptDrop"]
		return fmt.Sprintf("TCPDeferAcceptDrop +%d", n), n >= 1
	})
	s.Counted(before, "TCPDeferAcceptDrop")
	s.Hold()
	conn.Say("write")
	patient.Expect("data has come: now it is a connection", tcpinfo.Established)
	l.AwaitQueues("it has moved to the accept queue", 0, 1)
	first := l.Accept()
	s.Check("accept() gives a socket that has data to read", string(first.Read(64)) == "at last\n", "%s", first.Remote())

	s.Part(synQueueParts[1])
	conn.Say("connect")
	early := s.ExpectChild(2, "half-open, like the first", tcpinfo.SynReceived)
	conn.Say("reset")
	early.ExpectGone("its RST has removed the entry; no application ever hears of it")
	l.AwaitQueues("both queues are empty", 0, 0)

	conn.HearWord("reset")
	s.Part(synQueueParts[2])
	conn.Say("connect")
	silent := s.ExpectChild(3, "half-open, like the others", tcpinfo.SynReceived)
	stage.Set(l, sockapi.TCP_DEFER_ACCEPT, deferShort)
	s.Unhurried(func() {
		silent.Expect("time is up: the SYN-ACK is sent once more, and the ACK that answers it counts", tcpinfo.Established)
	})
	second := l.Accept()
	again := second.Info().TotalRetrans
	s.Check("it was accepted late, without data, after one more SYN-ACK", again == 1, "SYN-ACK sent again %d times", again)
	conn.Say("done")
	for _, c := range []*stage.Conn{first, second, conn} {
		c.Read(64)
		c.Close()
	}
}

func synQueueClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())

	conn.HearWord("connect")
	c.Part(synQueueParts[0])
	patient := c.Dial()
	patient.Name("patient")
	patient.Expect("connect() has returned: for us it is open", tcpinfo.Established)
	patient.ExpectPeer("for the server it is not", tcpinfo.SynReceived)
	conn.HearWord("write")
	patient.Say("at last")

	conn.HearWord("connect")
	c.Part(synQueueParts[1])
	early := c.Dial()
	early.Name("early")
	early.Expect("open, for us", tcpinfo.Established)
	conn.HearWord("reset")
	stage.Set(early, sockapi.SO_LINGER, sockapi.Linger{OnOff: true})
	early.Close()
	early.ExpectGone("SO_LINGER with 0 s: close() sent RST")
	conn.Say("reset")

	conn.HearWord("connect")
	c.Part(synQueueParts[2])
	silent := c.Dial()
	silent.Name("silent")
	silent.Expect("open, for us", tcpinfo.Established)
	c.Unhurried(func() { conn.HearWord("done") })
	for _, s := range []*stage.Conn{patient, silent, conn} {
		s.Shutdown(unix.SHUT_WR)
	}
}
