package scenario

import (
	"fmt"
	"net/netip"

	"socklife/internal/lab"
	"socklife/internal/segment"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// Reason two for TIME-WAIT: a segment that was delayed must not be taken for one of the next connection between the
// same addresses and ports. While TIME-WAIT lasts it is answered with an ACK and goes no further; a new connection over
// TIME-WAIT begins with numbers beyond it. With net.ipv4.tcp_max_tw_buckets=0 on the hosts there is no TIME-WAIT,
// and the numbers alone are left to tell old from new.
var oldDuplicate = &stage.Scenario{
	Name: "old-duplicate", Group: stage.Closing, OnlyWire: true, Injects: true, Many: true,
	Lesson: "a segment of the old connection meets the next on the same ports",
	Source: "RFC 9293 3.4.3, RFC 6191",

	SeqOrigin: "each side's count from its SYN of the first connection, in the second connection too",

	Server: oldDuplicateServer, Client: oldDuplicateClient,
	Prepare: func(w *stage.Wire) {
		w.Sysctl(timeline.Server, "net.ipv4.tcp_rfc1337", "1") // or the client's RST would end TIME-WAIT: see time-wait-reset
		w.Rule("hold client data after client syn 2")
		if w.ReadSysctl(timeline.Server, stage.MaxTimeWaits) == "0" {
			w.Rule("hold client syn 2") // no TIME-WAIT is there to wait for
		}
	},
	Wire: oldDuplicateWire,
}

const oldDuplicatePort = 40007

func oldDuplicateServer(s *stage.Side) {
	l := s.Listen()
	first := l.Accept()
	first.Read(64)
	first.Close() // first: the TIME-WAIT is here; the wire, which holds what can end it, checks that

	second := l.Accept()
	where := "a connection over TIME-WAIT, with the same socket pair"
	if s.Sysctl(stage.MaxTimeWaits) == "0" {
		where = "the next connection, with the same socket pair"
	}
	second.Expect(where, tcpinfo.Established)
	got := second.Read(64)
	second.Say("thank you")
	got = append(got, second.ReadToEnd()...)
	s.Check("nothing of the old connection's data is in the new one", string(got) == "new\n", "%q", got)
	second.Close()
}

func oldDuplicateClient(c *stage.Side) {
	from := netip.AddrPortFrom(c.HostAddr(), oldDuplicatePort)
	before := c.Counters()
	for _, word := range []string{"old\n", "new\n"} {
		conn := c.Socket()
		stage.Set(conn, sockapi.SO_REUSEADDR, true)
		conn.Bind(from)
		conn.Connect(c.Addr)
		conn.Write([]byte(word))
		conn.Read(64)
		conn.Close()
		if word == "old\n" {
			conn.ExpectGone("the passive closer's port is free at once: we use it again")
			if c.PeerSysctl(stage.MaxTimeWaits) == "0" {
				conn.ExpectPeerGone("tcp_max_tw_buckets is 0: the server's host has no TIME-WAIT, either")
				continue
			}
			conn.ExpectPeer("the server's TIME-WAIT", tcpinfo.TimeWait)
			c.Await("an ACK came that nobody here is waiting for: our host has sent RST", func() (string, bool) {
				n := c.Counters()["OutRsts"] - before["OutRsts"]
				return fmt.Sprintf("OutRsts +%d", n), n >= 1
			})
		}
	}
}

func oldDuplicateWire(w *stage.Wire) {
	old := w.AwaitSegment(1, "client data")
	if w.ReadSysctl(timeline.Server, stage.MaxTimeWaits) == "0" {
		oldIsForgotten(w, old)
	} else {
		w.Expect(timeline.Server, "the old connection is over; the port is the server's, and so is the TIME-WAIT", tcpinfo.TimeWait)
		w.Hold()
		w.Note("now its data comes once more, as if the network had kept it")
		answered(w, old, "TIME-WAIT answers it with an ACK, and keeps it to itself")
	}

	fresh := w.AwaitHeld("client data")
	w.Note("and once more, now that there is a new connection on the same ports")
	answer := answered(w, old, "the new connection answers it with an ACK: its numbers lie before the window")
	w.Check("which still asks for the new connection's first byte", answer.Segment.Ack == fresh.Segment.Seq,
		"ack %d, that byte is %d", answer.Segment.Ack, fresh.Segment.Seq)
	w.LetGo()
}

// oldIsForgotten is the first part where there is no TIME-WAIT.
func oldIsForgotten(w *stage.Wire, old lab.Packet) {
	w.Await("the old connection is over, and nothing of it is left on either host", func() (string, bool) {
		for _, c := range append(w.Connections(timeline.Server), w.Connections(timeline.Client)...) {
			if d, found := c.TryDiag(); found && d.State != tcpinfo.Listen && d.State != tcpinfo.SynSent { // which is the next one
				return d.State.String(), false
			}
		}
		return "nothing", true
	})
	w.Hold()
	w.Note("now its data comes once more, as if the network had kept it")
	w.Inject(timeline.Client, old.Raw)
	rst := w.AwaitSegment(1, "server rst")
	w.Check("without TIME-WAIT nobody remembers the connection: the answer is RST", rst.Segment.Flags.Has(segment.RST), "%s", rst.Segment.Flags)
	w.Release(w.AwaitHeld("client syn"))
}

// answered delivers a segment of the past and waits for what the server's host answers.
func answered(w *stage.Wire, old lab.Packet, expect string) lab.Packet {
	n := w.Count("server ack")
	w.Inject(timeline.Client, old.Raw)
	answer := w.AwaitSegment(n+1, "server ack")
	w.Check(expect, answer.Segment.Len() == 0, "%s", answer.Segment.Flags)
	return answer
}
