package scenario

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// No answer is not an answer: the kernel sends the SYN again and again, for two minutes and more if nobody says
// otherwise. Three options do: TCP_SYNCNT and TCP_USER_TIMEOUT end the attempt, with ETIMEDOUT; SO_SNDTIMEO ends the
// call only.
var connectTimeout = &stage.Scenario{
	Name: "connect-timeout", Group: stage.Opening, Many: true, CountsQueue: true, Seconds: 4,
	Lesson: "nobody answers: TCP_SYNCNT, TCP_USER_TIMEOUT, SO_SNDTIMEO compared",
	Source: "tcp(7) TCP_SYNCNT, TCP_USER_TIMEOUT, socket(7) SO_SNDTIMEO",
	Server: connectTimeoutServer,
	Client: connectTimeoutClient,

	ClientNeeds: stage.Needs{TimeWaits: 2, SynRetries: 3, RTOMax: 2000},
}

const (
	synCount    = 1                       // the waits are 1 s and 2 s: that is 3 s in all
	userTimeout = 1500 * time.Millisecond // of the attempt
	sendTimeout = 500 * time.Millisecond  // of the call
)

// The server has room for one connection in its accept queue. When that is taken, SYNs are dropped: for whoever sends
// them, it is as though the host did not exist.
func connectTimeoutServer(s *stage.Side) {
	l := s.ListenBacklog(0)
	first := s.ExpectChild(0, "this one fits in the queue, and nobody accepts it", tcpinfo.Established)
	first.AwaitUnread("the client has seen enough of our silence")
	conn := l.Accept()
	s.ReadRequest(conn)
	late := l.Accept()
	s.Check("the attempt whose connect() had returned came to be a connection", late.Remote().IsValid(), "%s", late.Remote())
	for _, c := range []*stage.Conn{conn, late} {
		c.Read(64)
		c.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
		c.Close()
	}
}

func connectTimeoutClient(c *stage.Side) {
	first := c.Dial()
	first.Name("first")
	first.Expect("it takes the only place in the server's queue", tcpinfo.Established)
	first.ExpectPeer("and waits there for accept()", tcpinfo.Established)

	before := c.Counters()
	bySyns, byTime, byCall := c.SocketNonblock(), c.SocketNonblock(), c.Socket()
	bySyns.Name("TCP_SYNCNT")
	byTime.Name("TCP_USER_TIMEOUT")
	byCall.Name("SO_SNDTIMEO")
	stage.Set(bySyns, sockapi.TCP_SYNCNT, synCount)
	stage.Set(byTime, sockapi.TCP_USER_TIMEOUT, userTimeout)
	stage.Set(byCall, sockapi.SO_SNDTIMEO, sendTimeout)

	// Two attempts go on beside the third, whose connect() blocks.
	bySynsLasted := attempt(c, bySyns, "TCP_SYNCNT")
	byTimeLasted := attempt(c, byTime, "TCP_USER_TIMEOUT")
	err := byCall.TryConnect(c.Addr)
	took := c.Took()
	c.CheckErrno(fmt.Sprintf("SO_SNDTIMEO %v: connect() stops waiting", sendTimeout), err, unix.EINPROGRESS)
	c.Check("it waited for as long as it was told", took > sendTimeout-slack && took < sendTimeout+lateness, "%v", took.Round(time.Millisecond))
	byCall.Expect("the call is over, the attempt is not: the kernel goes on", tcpinfo.SynSent)

	checkGivenUp(c, byTime, fmt.Sprintf("TCP_USER_TIMEOUT %v", userTimeout), byTimeLasted(), userTimeout)
	checkGivenUp(c, bySyns, fmt.Sprintf("TCP_SYNCNT %d", synCount), bySynsLasted(), 3*time.Second)
	rose := c.Counted(before, "TCPTimeouts", "TCPSynRetrans")
	c.Check("the kernel counted the SYNs that it sent again", rose["TCPSynRetrans"] >= 3, "TCPSynRetrans +%d", rose["TCPSynRetrans"])
	byCall.Expect("the one whose call ended first is the one that is still trying", tcpinfo.SynSent)
	c.Hold()

	first.Write(c.Request())
	c.Unhurried(func() {
		byCall.Expect("the server accepts, there is room, and the next SYN is answered", tcpinfo.Established)
	})
	for _, conn := range []*stage.Conn{first, byCall} {
		conn.Close()
		conn.Expect("closed first", tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	}
}

// slack is how much too early a timer of the kernel's may seem to be: it counts in ticks, of 1 to 10 ms. How much later
// than it rang we come to know of it, on a busy machine, is another matter.
const (
	slack    = 20 * time.Millisecond
	lateness = 2 * time.Second
)

// checkGivenUp checks how an attempt ended, when, and after how many SYNs.
func checkGivenUp(c *stage.Side, conn *stage.Conn, option string, took, want time.Duration) {
	conn.Expect(option+" is over: the kernel has given up", tcpinfo.Closed)
	c.CheckErrno("SO_ERROR: the attempt timed out", conn.PendingError(), unix.ETIMEDOUT)
	again := conn.Info().TotalRetrans
	c.Note("%s: given up after %v and %d SYNs", option, took.Round(10*time.Millisecond), 1+again)
	c.Check(fmt.Sprintf("it lasted %v, and the SYN was sent again meanwhile", want),
		took > want-slack && took < want+lateness && again >= 1, "%v, SYN sent again %d times", took.Round(time.Millisecond), again)
}

// attempt has the kernel try to connect, and go on by itself. What it returns waits for the end of that, and says how
// long it lasted.
func attempt(c *stage.Side, conn *stage.Conn, option string) (lasted func() time.Duration) {
	c.CheckErrno(option+": the attempt is under way", conn.TryConnect(c.Addr), unix.EINPROGRESS)
	lasted = conn.TimeAttempt()
	conn.Expect("our SYN gets no answer", tcpinfo.SynSent)
	return lasted
}
