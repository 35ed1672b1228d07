package scenario

import (
	"bytes"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
	"socklife/tcpinfo"
)

// What close() does with data that the peer has not acknowledged yet: SO_LINGER has three answers.

var lingerOff = &Scenario{
	Name: "linger-off", Group: Closing,
	Lesson: "close() returns at once, and what was written still arrives",
	Source: "socket(7) SO_LINGER",
	Server: lingerOffServer,
	Client: lingerOffClient,
}

var lingerReset = &Scenario{
	Name: "linger-reset", Group: Closing,
	Lesson: "SO_LINGER with 0 s: close() sends RST, no TIME-WAIT",
	Source: "socket(7) SO_LINGER, RFC 9293 3.10.5",
	Server: lingerResetServer,
	Client: lingerResetClient,
}

var lingerWait = &Scenario{
	Name: "linger-wait", Group: Closing, Many: true,
	Lesson: "SO_LINGER with 1 s: close() waits for the peer's acknowledgement",
	Source: "socket(7) SO_LINGER",
	Server: lingerWaitServer,
	Client: lingerWaitClient,
}

// More than the server's small receive buffer takes, less than the client's large send buffer: write() returns, and
// most of it waits in the client's kernel until the server reads.
const (
	lingerData   = 64 << 10
	lingerRcvbuf = 4 << 10
	lingerSndbuf = 128 << 10
)

func smallWindow(l *Conn) { set(l, sockapi.SO_RCVBUF, lingerRcvbuf) }

func lingerOffServer(s *Side) {
	l := s.Listen(smallWindow)
	conn := l.Accept()
	conn.AwaitPeer("its close() has returned: data, and the FIN behind it, wait in its kernel", tcpinfo.FinWait1)
	s.Hold()
	all := conn.ReadToEnd()
	s.Check("all that was written before close() has come", bytes.Equal(all, pattern(lingerData)),
		"%d of %d bytes", len(all), lingerData)
	conn.Close()
	conn.ExpectGone("closed in good order")
}

func lingerOffClient(c *Side) {
	conn := c.Socket()
	set(conn, sockapi.SO_SNDBUF, lingerSndbuf)
	conn.Connect(c.Addr)
	set(conn, sockapi.SO_LINGER, sockapi.Linger{})
	conn.Write(pattern(lingerData))
	took := conn.Close()
	c.Check("close() returned at once, with data unsent", took < lingerTime/2, "after %v", took.Round(time.Microsecond))
	conn.Expect("the kernel delivers what is left, then the FIN", tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	conn.Expect("closed in good order", tcpinfo.TimeWait)
}

func lingerResetServer(s *Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Write([]byte("ready\n"))
	_, err := conn.TryRead(64)
	s.CheckErrno("read() fails: the peer sent RST, not FIN", err, unix.ECONNRESET)
	conn.Expect("a reset ends the connection for both, whatever was under way", tcpinfo.Closed)
	_, err = conn.TryWrite([]byte("too late"))
	s.CheckErrno("write() fails: there is no connection any more", err, unix.EPIPE)
	conn.Close()
}

func lingerResetClient(c *Side) {
	conn := c.Dial()
	set(conn, sockapi.SO_LINGER, sockapi.Linger{OnOff: true})
	conn.Write(c.Request())
	ready := conn.Read(64)
	c.Check("the server is connected", string(ready) == "ready\n", "%q", ready)
	c.Hold()
	before := c.Counters()
	conn.Close()
	conn.ExpectGone("no FIN-WAIT, no TIME-WAIT: the pair of addresses is free at once")
	rose := c.Counted(before, "TCPAbortOnData", "OutRsts")
	c.Check("a reset was sent", rose["TCPAbortOnData"] >= 1 && rose["OutRsts"] >= 1,
		"TCPAbortOnData +%d, OutRsts +%d", rose["TCPAbortOnData"], rose["OutRsts"])
}

const lingerTime = time.Second

func lingerWaitServer(s *Side) {
	l := s.Listen(smallWindow)

	// We do not read: the client's close() waits in vain, and gives up. The kernel does not.
	conn := l.Accept()
	conn.AwaitPeer("its close() has the FIN behind data that we have no room for", tcpinfo.FinWait1)
	conn.AwaitPeerOrphaned("its close() has returned, and the kernel goes on alone")
	s.Hold()
	all := conn.ReadToEnd()
	s.Check("all of it came, though close() had long returned", bytes.Equal(all, pattern(lingerData)),
		"%d of %d bytes", len(all), lingerData)
	conn.Close()

	// We read: its close() returns as soon as our kernel has acknowledged.
	conn = l.Accept()
	all = conn.ReadToEnd()
	s.Check("all of it came", bytes.Equal(all, pattern(lingerData)), "%d of %d bytes", len(all), lingerData)
	conn.Close()
}

func lingerWaitClient(c *Side) {
	for _, read := range []bool{false, true} {
		conn := c.Socket()
		set(conn, sockapi.SO_SNDBUF, lingerSndbuf)
		conn.Connect(c.Addr)
		set(conn, sockapi.SO_LINGER, sockapi.Linger{OnOff: true, Seconds: int(lingerTime / time.Second)})
		conn.Write(pattern(lingerData))
		took := conn.Close()
		if read {
			c.Check("the server reads: close() returned when all was acknowledged", took < lingerTime, "after %v", took.Round(time.Millisecond))
		} else {
			c.Check(fmt.Sprintf("the server does not read: close() waited for %v", lingerTime),
				took >= lingerTime-20*time.Millisecond, "after %v", took.Round(time.Millisecond))
		}
		conn.Expect("closed in good order", tcpinfo.TimeWait)
	}
}
