package scenario

import (
	"fmt"

	"socklife/internal/segment"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// Three segments make a connection: SYN, SYN+ACK, ACK. The kernel makes them: the server's application has no part in it,
// and accept() only fetches what is there already.
var handshake = &Scenario{
	Name: "handshake", Group: Opening,
	Lesson: "socket, bind, listen, connect, accept: and who does what of it",
	Source: "RFC 9293 3.5",
	Server: handshakeServer,
	Client: handshakeClient,
}

func handshakeServer(s *Side) {
	l := s.Listen(func(l *Conn) { set(l, sockapi.TCP_SAVE_SYN, true) })
	l.Expect("passive open: the kernel answers SYNs for this port from now on", tcpinfo.Listen)

	child := s.ExpectChild(0, "connected by the kernel, before any accept()", tcpinfo.Established)
	s.Await("it waits in the accept queue", func() (string, bool) {
		return fmt.Sprintf("accept queue %d", l.Last().AcceptQueue), l.Last().AcceptQueue == 1
	})
	s.Hold()
	conn := l.Accept()
	s.Check("accept() gives that very connection", conn.watch == child, "%s", conn.Remote())
	s.Await("the accept queue is empty", func() (string, bool) {
		return fmt.Sprintf("accept queue %d", l.Last().AcceptQueue), l.Last().AcceptQueue == 0
	})
	s.showSYN(conn)
	s.showAgreed(conn)

	s.ReadRequest(conn)
	conn.Write([]byte("welcome\n"))
	conn.Read(64)
	conn.Close()
}

func handshakeClient(c *Side) {
	conn := c.Socket()
	conn.Connect(c.Addr)
	conn.Expect("active open: connect() returned with the SYN+ACK", tcpinfo.Established)
	c.Check("the kernel chose a port for us, or we did with --bind", conn.Local().Port() != 0, "%s", conn.Local())
	c.showAgreed(conn)
	conn.Write(c.Request())
	welcome := conn.Read(64)
	c.Check("the server has accepted", string(welcome) == "welcome\n", "%q", welcome)
	conn.Close()
	conn.Expect("closed first", tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
}

// showSYN tells what the client's SYN said, which the server's kernel kept for us.
func (s *Side) showSYN(conn *Conn) {
	syn, err := segment.Decode(get(conn, sockapi.TCP_SAVED_SYN))
	if err != nil {
		s.run.fail(fmt.Errorf("the saved SYN: %w", err))
	}
	s.Note("the client's SYN was: %s", syn)
	s.Check("the first segment is a SYN and nothing else", syn.Flags == segment.SYN, "%s", syn.Flags)
	info := conn.info()
	wscale, ok := syn.Options.WindowScale()
	s.Check("the window scale it offered is the one we send by",
		ok && info.SndWscale == wscale, "offered %d, TCP_INFO snd_wscale %d", wscale, info.SndWscale)
	mss, ok := syn.Options.MSS()
	s.Check("we never send more than the MSS it announced",
		ok && info.SndMSS <= uint32(mss), "announced %d, TCP_INFO snd_mss %d", mss, info.SndMSS)
}

// showAgreed tells what the two SYNs settled, as TCP_INFO has it.
func (s *Side) showAgreed(conn *Conn) {
	i := conn.info()
	s.Note("agreed (TCP_INFO): snd_mss %d, rcv_mss %d, window scale %d to send and %d to receive by, %s",
		i.SndMSS, i.RcvMSS, i.SndWscale, i.RcvWscale, i.Options)
}
