package scenario

import (
	"fmt"
	"os"

	"socklife/internal/segment"
	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// Three segments make a connection: SYN, SYN+ACK, ACK. The kernel makes them: the server's application has no part in
// it, and accept() only fetches what is there already.
var handshake = &stage.Scenario{
	Name: "handshake", Group: stage.Opening, CountsQueue: true,
	Lesson: "socket, bind, listen, connect, accept: which side does what",
	Source: "RFC 9293 3.5",
	Server: handshakeServer,
	Client: handshakeClient,

	ClientNeeds: stage.Needs{TimeWaits: 1},

	Wire: handshakeWire,
}

func handshakeServer(s *stage.Side) {
	l := s.Listen(func(l *stage.Conn) { stage.Set(l, sockapi.TCP_SAVE_SYN, true) })
	l.Expect("passive open: the kernel answers SYNs for this port from now on", tcpinfo.Listen)

	child := s.ExpectChild(0, "connected by the kernel, before any accept()", tcpinfo.Established)
	s.Await("it waits in the accept queue", func() (string, bool) {
		q := l.Last().AcceptQueue
		return fmt.Sprintf("accept queue %d", q), q >= 1
	})
	s.Hold()
	conn := l.Accept()
	s.Check("accept() gives that very connection", conn.Cookie() == child.Cookie(), "%s", conn.Remote())
	s.Await("the accept queue is empty", func() (string, bool) {
		q := l.Last().AcceptQueue
		return fmt.Sprintf("accept queue %d", q), int(q) <= s.WaitingClients() // those are other clients
	})
	showSYN(s, conn)
	showAgreed(s, conn)

	s.ReadRequest(conn)
	conn.Write([]byte("welcome\n"))
	conn.Read(64)
	conn.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	conn.Close()
}

func handshakeClient(c *stage.Side) {
	conn := c.Socket()
	conn.Connect(c.Addr)
	conn.Expect("active open: connect() returned with the SYN+ACK", tcpinfo.Established)
	checkPort(c, conn)
	showAgreed(c, conn)
	c.Hold()
	conn.Write(c.Request())
	welcome := conn.Read(64)
	c.Check("the server has accepted", string(welcome) == "welcome\n", "%q", welcome)
	conn.Close()
	conn.Expect("closed first", tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
}

// handshakeWire has the numbers: J is what the client begins with, K what the server does.
func handshakeWire(w *stage.Wire) {
	syn, synack, ack := w.AwaitSegment(1, "client syn"), w.AwaitSegment(1, "server syn+ack"), w.AwaitSegment(1, "client ack")
	j, k := syn.Segment.Seq, synack.Segment.Seq
	w.Note("J, the client's initial sequence number, is %d; K, the server's, is %d", j, k)
	w.Check("the SYN-ACK acknowledges J+1: a SYN takes one number of the sequence", synack.Segment.Ack == j+1, "J%+d", int32(synack.Segment.Ack-j))
	w.Check("the ACK acknowledges K+1, and its own number is J+1", ack.Segment.Ack == k+1 && ack.Segment.Seq == j+1,
		"K%+d, J%+d", int32(ack.Segment.Ack-k), int32(ack.Segment.Seq-j))
	data := w.AwaitSegment(1, "client data")
	w.Check("and so the first byte of data has the number J+1", data.Segment.Seq == j+1, "J%+d", int32(data.Segment.Seq-j))
}

// checkPort checks where the client's port comes from: nobody called bind() for it, unless the user said --bind.
func checkPort(c *stage.Side, conn *stage.Conn) {
	if from := c.BindAddr(); from.Port() != 0 {
		c.Check("we chose our port, with bind()", conn.Local().Port() == from.Port(), "%s", conn.Local())
		return
	}
	const sysctl = "/proc/sys/net/ipv4/ip_local_port_range" // of IPv6 too
	var lo, hi uint16
	if text, err := os.ReadFile(sysctl); err == nil {
		fmt.Sscan(string(text), &lo, &hi)
	}
	port := conn.Local().Port()
	c.Note("our port is %d: the kernel chose it, from %d to %d (net.ipv4.ip_local_port_range)", port, lo, hi)
	c.Check("without bind() the kernel chose our port, from its range", lo <= port && port <= hi, "%d, of %d to %d", port, lo, hi)
}

// showSYN tells what the client's SYN said, which the server's kernel kept for us (TCP_SAVE_SYN).
func showSYN(s *stage.Side, conn *stage.Conn) {
	saved := stage.Get(conn, sockapi.TCP_SAVED_SYN)
	if len(saved) == 0 {
		s.Note("the kernel has not saved the client's SYN (net.ipv4.tcp_syncookies is %s; 2 is cookies for all, and none is saved)", s.Sysctl("tcp_syncookies"))
		return
	}
	syn, err := segment.Decode(saved)
	if err != nil {
		s.Fail(fmt.Errorf("the saved SYN: %w", err))
	}
	s.Note("the client's SYN was: %s (seq is its initial sequence number)", syn)
	flags := syn.Flags
	if flags.Has(segment.ECE | segment.CWR) {
		s.Note("with ECE and CWR it offers explicit congestion notification (RFC 3168): net.ipv4.tcp_ecn of the client's host")
		flags &^= segment.ECE | segment.CWR
	}
	s.Check("the first segment is a SYN and nothing else, without data", flags == segment.SYN && len(syn.Payload) == 0,
		"%s, %d bytes", syn.Flags, len(syn.Payload))
	s.Check("it is this connection's", syn.Src == tcpinfo.Canonical(conn.Remote()) && syn.Dst == tcpinfo.Canonical(conn.Local()), "%s to %s", syn.Src, syn.Dst)

	info := conn.Info()
	mss, ok := syn.Options.MSS()
	s.Check("we never send more than the MSS it announced",
		ok && info.SndMSS <= uint32(mss), "announced %d, TCP_INFO snd_mss %d", mss, info.SndMSS)
	wscale, ok := syn.Options.WindowScale()
	used := info.Options&tcpinfo.OptWscale != 0
	s.Check("the window scale it offered is the one we send by",
		!used || ok && info.SndWscale == wscale, "offered %d, TCP_INFO snd_wscale %d", wscale, info.SndWscale)
	sack := syn.Options.SACKPermitted()
	used = info.Options&tcpinfo.OptSACK != 0
	s.Check("selective acknowledgements are in use only if it permitted them", sack || !used, "permitted %v, in use %v", sack, used)
	_, _, stamps := syn.Options.Timestamps()
	used = info.Options&tcpinfo.OptTimestamps != 0
	s.Check("timestamps are in use only if it has one", stamps || !used, "has one %v, in use %v", stamps, used)
}

// showAgreed tells what the two SYNs settled, as TCP_INFO has it, and compares it with the other end's where that can
// be seen.
func showAgreed(s *stage.Side, conn *stage.Conn) {
	i := conn.Info()
	s.Note("agreed (TCP_INFO): snd_mss %d, rcv_mss %d, window scale %d to send and %d to receive by, %s",
		i.SndMSS, i.RcvMSS, i.SndWscale, i.RcvWscale, i.Options)
	peer, ok := conn.Peer()
	if !ok || peer.Info == nil {
		return
	}
	p := peer.Info
	s.Check("both ends have agreed in the SYNs: the window scale that one sends by, the other receives by; and the options",
		i.SndWscale == p.RcvWscale && i.RcvWscale == p.SndWscale && agreed(i.Options) == agreed(p.Options),
		"here %d/%d %s, there %d/%d %s", i.SndWscale, i.RcvWscale, agreed(i.Options), p.SndWscale, p.RcvWscale, agreed(p.Options))
}

// agreed are the options that the two SYNs settle.
func agreed(o tcpinfo.TCPOptions) tcpinfo.TCPOptions {
	return o & (tcpinfo.OptTimestamps | tcpinfo.OptSACK | tcpinfo.OptWscale)
}
