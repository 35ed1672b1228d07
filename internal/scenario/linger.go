package scenario

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// What close() does with data that the peer has not acknowledged yet: SO_LINGER has three answers.

var lingerOff = &stage.Scenario{
	Name: "linger-off", Group: stage.Closing,
	Lesson: "close() returns at once, and what was written still arrives",
	Source: "socket(7) SO_LINGER",
	Server: lingerOffServer,
	Client: lingerOffClient,

	ClientNeeds: stage.Needs{TimeWaits: 1, Unsent: lingerData, Retries: 3, OrphanRetries: 3},
}

var lingerReset = &stage.Scenario{
	Name: "linger-reset", Group: stage.Closing,
	Lesson: "SO_LINGER with 0 s: close() sends RST, no TIME-WAIT",
	Source: "socket(7) SO_LINGER, RFC 9293 3.10.5",
	Server: lingerResetServer,
	Client: lingerResetClient,

	ClientNeeds: stage.Needs{Unsent: lingerData, Retries: 3, OrphanRetries: 3},
}

var lingerWait = &stage.Scenario{
	Name: "linger-wait", Group: stage.Closing, Many: true, Seconds: 1,
	Lesson: "SO_LINGER with 1 s: close() waits for the peer's acknowledgement",
	Source: "socket(7) SO_LINGER",
	Server: lingerWaitServer,
	Client: lingerWaitClient,

	ClientNeeds: stage.Needs{TimeWaits: 2, Unsent: lingerData, Retries: 3, OrphanRetries: 3},
}

// More than the server's kernel takes before its application reads, and small enough for the client's send buffer:
// write() returns, and a part of the data waits in the client's kernel until the server reads.
const (
	lingerData   = 128 << 10
	lingerRcvbuf = 32 << 10
	lingerSndbuf = 128 << 10 // the kernel doubles it
)

func smallWindow(l *stage.Conn) { stage.Set(l, sockapi.SO_RCVBUF, lingerRcvbuf) }

// connectToWrite connects with room for all that is to be written.
func connectToWrite(c *stage.Side) *stage.Conn {
	conn := c.Socket()
	stage.Set(conn, sockapi.SO_SNDBUF, lingerSndbuf)
	conn.Connect(c.Addr)
	return conn
}

func lingerOffServer(s *stage.Side) {
	l := s.Listen(smallWindow)
	conn := l.Accept()
	conn.AwaitPeer("data, and the FIN behind it, wait in its kernel", tcpinfo.FinWait1)
	conn.AwaitPeerOrphaned("its close() has returned, and we have not read anything yet")
	s.Hold()
	all := conn.ReadToEnd()
	s.Check("all that was written before close() has come", bytes.Equal(all, stage.Pattern(lingerData)),
		"%d of %d bytes", len(all), lingerData)
	conn.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	conn.Close()
	conn.ExpectEnded("closed in good order")
}

func lingerOffClient(c *stage.Side) {
	conn := connectToWrite(c)
	off := stage.Get(conn, sockapi.SO_LINGER)
	c.Check("SO_LINGER is off, unless somebody sets it", !off.OnOff, "%+v", off)
	conn.Write(stage.Pattern(lingerData))
	unsent := conn.Info().NotsentBytes
	c.Check("write() took all, and the server's kernel did not: the rest is unsent", unsent > 0, "%d bytes unsent", unsent)
	conn.Close() // the server does not read before this has returned
	conn.Expect("the kernel delivers what is left, then the FIN", tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	conn.Expect("closed in good order", tcpinfo.TimeWait)
}

func lingerResetServer(s *stage.Side) {
	l := s.Listen(smallWindow)
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Sign("ready")
	conn.Expect("a reset ends the connection for both, whatever was under way", tcpinfo.Closed)
	all, err := conn.ReadUntilError()
	s.Check("what our kernel had received can still be read", bytes.Equal(all, stage.Pattern(len(all))), "%d bytes", len(all))
	s.CheckErrno("then read() fails: the client sent RST, not FIN", err, unix.ECONNRESET)
	s.Check("the rest was thrown away", len(all) < lingerData, "%d of %d bytes lost", lingerData-len(all), lingerData)
	_, err = conn.TryWrite([]byte("too late"))
	s.CheckErrno("write() fails: there is no connection any more", err, unix.EPIPE)
	conn.Close()
}

func lingerResetClient(c *stage.Side) {
	conn := connectToWrite(c)
	stage.Set(conn, sockapi.SO_LINGER, sockapi.Linger{OnOff: true})
	conn.Write(c.Request())
	conn.HearSign("ready")
	conn.Write(stage.Pattern(lingerData))
	unsent := conn.Info().NotsentBytes
	c.Check("write() took all, and the server's kernel did not: the rest is unsent", unsent > 0, "%d bytes unsent", unsent)
	c.Hold()
	before := c.Counters()
	conn.Close()
	conn.ExpectGone("no FIN-WAIT, no TIME-WAIT: the socket pair is free at once")
	rose := c.Counted(before, "TCPAbortOnData", "OutRsts")
	c.Check("a reset was sent", rose["TCPAbortOnData"] >= 1 && rose["OutRsts"] >= 1,
		"TCPAbortOnData +%d, OutRsts +%d", rose["TCPAbortOnData"], rose["OutRsts"])
}

// How long close() is to wait: where the server does not read, and where it does.
const (
	lingerTime = time.Second
	lingerLong = time.Minute // it does not come to that
)

func lingerWaitServer(s *stage.Side) {
	l := s.Listen(smallWindow)

	// We do not read: the client's close() waits in vain, and gives up. The kernel does not.
	conn := l.Accept()
	conn.AwaitPeer("its close() has the FIN behind data that we have no room for", tcpinfo.FinWait1)
	conn.AwaitPeerOrphaned("its close() has returned, and the kernel goes on alone")
	s.Hold()
	all := conn.ReadToEnd()
	s.Check("all of it came, though close() had long returned", bytes.Equal(all, stage.Pattern(lingerData)),
		"%d of %d bytes", len(all), lingerData)
	conn.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	conn.Close()

	// We read: its close() returns as soon as our kernel has acknowledged.
	conn = l.Accept()
	conn.AwaitPeer("its close() has the FIN behind data", tcpinfo.FinWait1)
	all = conn.ReadToEnd()
	s.Check("all of it came", bytes.Equal(all, stage.Pattern(lingerData)), "%d of %d bytes", len(all), lingerData)
	conn.AwaitPeer("and all of it is acknowledged", tcpinfo.FinWait2)
	conn.AwaitPeerOrphaned("so its close() has returned")
	conn.Close()
}

func lingerWaitClient(c *stage.Side) {
	conn, took, signals := lingeringClose(c, lingerTime)
	checkLingering(c, fmt.Sprintf("the server does not read: close() waited for %v", lingerTime),
		took >= lingerTime-20*time.Millisecond, signals, "after %v", took.Round(time.Millisecond))
	conn.Expect("closed in good order, later", tcpinfo.TimeWait)

	conn, took, signals = lingeringClose(c, lingerLong)
	state := conn.Last().State
	checkLingering(c, "the server reads: close() waited until the FIN was acknowledged, and no longer",
		took < lingerLong && (state == tcpinfo.FinWait2 || state == tcpinfo.TimeWait), signals, "after %v, in %s", took.Round(time.Millisecond), state)
	conn.Expect("closed in good order", tcpinfo.TimeWait)
}

// lingeringClose writes and closes. It returns how long close() took, and the signals that come from then on of which
// no process dies.
func lingeringClose(c *stage.Side, linger time.Duration) (conn *stage.Conn, took time.Duration, signals chan os.Signal) {
	conn = connectToWrite(c)
	stage.Set(conn, sockapi.SO_LINGER, sockapi.Linger{OnOff: true, Seconds: int(linger / time.Second)})
	conn.Write(stage.Pattern(lingerData))
	signals = make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGCONT, unix.SIGWINCH, unix.SIGCHLD) // SIGURG is the Go runtime's own
	return conn, conn.Close(), signals
}

// checkLingering is Check, but that a signal ended the wait is no failure.
func checkLingering(c *stage.Side, expect string, ok bool, signals chan os.Signal, got string, args ...any) {
	defer signal.Stop(signals)
	if !ok {
		select {
		case s := <-signals:
			c.Note("close() came back "+got+": a signal came (%v), and ends the wait", append(args, s)...)
			return
		case <-time.After(time.Second):
		}
	}
	c.Check(expect, ok, got, args...)
}
