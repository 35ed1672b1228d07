package ladder

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// run is a run of one connection that is written down event by event.
type run struct {
	events []timeline.Event
	ids    int64
}

var ends = timeline.Ends{Local: netip.MustParseAddrPort("127.0.0.1:40112"), Remote: netip.MustParseAddrPort("127.0.0.1:7007")}

func (r *run) add(side timeline.Side, b timeline.Body) *run {
	r.events = append(r.events, timeline.Event{Seq: int64(len(r.events) + 1), At: time.Duration(len(r.events)) * time.Millisecond, Side: side, Body: b})
	return r
}

// call is one that returned: "write 19", "read -1 ECONNRESET", "shutdown 0 SHUT_WR".
func (r *run) call(side timeline.Side, says string) *run {
	w := append(strings.Fields(says), "")
	c := &timeline.Call{Call: w[0], Args: []string{"3", w[2], "1000"}, Socket: int(side[0]), ID: r.ids, EnteredUS: int64(len(r.events)) * 1000}
	fmt.Sscan(w[1], &c.Ret)
	if r.ids++; c.Ret < 0 {
		c.Errno = w[2]
	}
	return r.add(side, c)
}

// state is one with its queues, or without (-1).
func (r *run) state(side timeline.Side, from, to tcpinfo.State, recvQ, sendQ int) *run {
	b := &timeline.State{Local: ends.Local, Remote: ends.Remote, From: from, To: to, Source: "tcp_info", Socket: int(side[0])}
	if side == timeline.Server {
		b.Local, b.Remote = b.Remote, b.Local
	}
	for _, q := range []struct {
		n  int
		in **uint32
	}{{recvQ, &b.RecvQ}, {sendQ, &b.SendQ}} {
		if n := uint32(q.n); q.n >= 0 {
			*q.in = &n
		}
	}
	return r.add(side, b)
}

// listening is a server that listens, on a socket of its own.
func listening() *run {
	r := &run{}
	b := &timeline.State{Local: ends.Remote, From: tcpinfo.Closed, To: tcpinfo.Listen, Socket: 1}
	return r.call(timeline.Server, "socket 4").add(timeline.Server, b)
}

// connected is one with a connection, and no data yet.
func connected() *run {
	return listening().call(timeline.Client, "connect 0").
		state(timeline.Client, tcpinfo.Closed, tcpinfo.Established, 0, 0).state(timeline.Server, 0, tcpinfo.Established, 0, 0)
}

// oneTerminal is a connection in the client's terminal: of the server, states alone are known.
func oneTerminal() *run {
	return (&run{}).call(timeline.Client, "connect 0").
		state(timeline.Client, tcpinfo.Closed, tcpinfo.Established, 0, 0).state(timeline.Server, 0, tcpinfo.Established, 0, 0)
}

// entered is a run in which the client's connect() has begun.
func entered(r *run) *run {
	return r.add(timeline.Client, &timeline.Enter{Call: "connect", Socket: int(timeline.Client[0]), ID: r.ids})
}

// noPort is a connect() that was looked at while it failed: the kernel had set the state, and found no port.
func noPort() *run {
	b := &timeline.State{From: tcpinfo.Closed, To: tcpinfo.SynSent, Remote: ends.Remote, Socket: int(timeline.Client[0])}
	return entered(listening()).add(timeline.Client, b).call(timeline.Client, "connect -1 EADDRNOTAVAIL").
		state(timeline.Client, tcpinfo.SynSent, tcpinfo.Closed, -1, -1)
}

const handshake = "client SYN, server SYN ACK, client ACK"

// What each evidence shows, and that nothing is drawn without.
func TestWhatIsInferred(t *testing.T) {
	c, s := timeline.Client, timeline.Server
	for _, test := range []struct {
		name string
		run  *run
		want string
	}{
		{"a handshake", connected(), handshake},
		{"nobody answers", listening().call(c, "connect -1 EINPROGRESS").state(c, tcpinfo.Closed, tcpinfo.SynSent, 0, 1), "client SYN (open)"},
		{"no port is left", noPort(), ""},
		{"the port is used with that peer", entered(listening()).state(c, tcpinfo.Closed, tcpinfo.SynSent, 0, 0).call(c, "connect -1 EADDRNOTAVAIL").state(c, tcpinfo.SynSent, tcpinfo.Closed, -1, -1), ""},
		{"nobody listens", listening().call(c, "connect -1 ECONNREFUSED").state(c, tcpinfo.Closed, tcpinfo.Closed, -1, -1), "client SYN, server RST ACK"},
		{"half-open", listening().call(c, "connect -1 EINPROGRESS").state(c, tcpinfo.Closed, tcpinfo.SynSent, 0, 1).state(s, 0, tcpinfo.SynReceived, -1, -1), "client SYN"},
		{"data that nobody had", connected().call(c, "write 19"), handshake},
		{"data that was read", connected().call(c, "write 19").call(s, "read 19"), handshake + ", client 19 bytes"},
		{"data that waits there", connected().call(c, "write 19").state(s, tcpinfo.Established, tcpinfo.Established, 7, 0), handshake + ", client 7 bytes"},
		{"data that is acknowledged", connected().call(c, "write 19").state(c, tcpinfo.Established, tcpinfo.Established, 0, 4), handshake + ", client 15 bytes"},
		{"more than was written", connected().call(c, "write 3").call(s, "read 19"), handshake + ", client 3 bytes"},
		{"a FIN that may wait", connected().call(c, "shutdown 0 SHUT_WR").state(c, tcpinfo.Established, tcpinfo.FinWait1, 0, 1), handshake},
		{"a FIN that came, after the data", connected().call(c, "write 19").call(c, "close 0").state(s, tcpinfo.Established, tcpinfo.CloseWait, 20, 0), handshake + ", client 19 bytes, client FIN"},
		{"a FIN that was acknowledged", connected().call(c, "close 0").state(c, tcpinfo.Established, tcpinfo.FinWait2, 0, 0), handshake + ", client FIN, server ACK"},
		{"the end of the stream", connected().call(c, "close 0").call(s, "read 0"), handshake + ", client FIN"},
		{"shutdown(SHUT_RD) ends the stream here", connected().call(s, "shutdown 0 SHUT_RD").call(s, "read 0"), handshake},
		{"after a reset too", connected().call(s, "read -1 ECONNRESET").call(s, "read 0"), handshake + ", client RST"},
		{"a time limit is no reset", connected().call(s, "read -1 ETIMEDOUT").call(s, "read 0"), handshake},
		{"both close at once", connected().call(c, "close 0").call(s, "close 0").state(c, tcpinfo.FinWait1, tcpinfo.Closing, 1, 1).state(s, tcpinfo.FinWait1, tcpinfo.Closing, 1, 1).
			state(c, tcpinfo.Closing, tcpinfo.TimeWait, 0, 0), handshake + ", server FIN, client FIN, server ACK"},
		{"EPIPE in CLOSE-WAIT", connected().call(c, "close 0").state(s, tcpinfo.Established, tcpinfo.CloseWait, 1, 0).call(s, "write 1").call(s, "write -1 EPIPE"), handshake + ", client FIN, client RST"},
		{"the other terminal has the server's calls", oneTerminal(), handshake},
		{"and what was read here was sent there", oneTerminal().call(c, "read 19"), handshake + ", server 19 bytes"},
		{"one look that shows the answer and the FIN's end", oneTerminal().call(c, "write 19").call(c, "shutdown 0 SHUT_WR").state(c, tcpinfo.Established, tcpinfo.FinWait2, 4096, 0),
			handshake + ", client 19 bytes, client FIN, server 4095 bytes, server ACK"},
		{"its FIN", oneTerminal().state(s, tcpinfo.Established, tcpinfo.FinWait1, 0, 1).call(c, "read 0"), handshake + ", server FIN"},
		{"EPIPE after one's own shutdown", connected().call(s, "shutdown 0 SHUT_WR").call(s, "write -1 EPIPE"), handshake},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := Of(Head{}, test.run.events)
			var got []string
			for _, step := range l.Steps {
				if a := step.Arrow; a != nil {
					says := string(a.From) + " " + a.Says
					if a.Open {
						says += " (open)"
					}
					if got = append(got, says); !a.Inferred || a.Why == "" {
						t.Errorf("%s: inferred %v, why %q", says, a.Inferred, a.Why)
					}
				}
			}
			if strings.Join(got, ", ") != test.want {
				t.Errorf("drawn: %s\nwant:  %s", strings.Join(got, ", "), test.want)
			}
		})
	}
}

// An arrow stands below the entry of the call that sent it, and above what shows that it came.
func TestAnArrowsPlace(t *testing.T) {
	r := connected().call(timeline.Client, "close 0").state(timeline.Server, tcpinfo.Established, tcpinfo.CloseWait, 1, 0)
	var order []string
	for _, s := range Of(Head{}, r.events).Steps {
		switch b := s.Body.(type) {
		case nil:
			order = append(order, s.Arrow.Says)
		case *timeline.Enter:
			order = append(order, b.Call+"(")
		case *timeline.Call:
			order = append(order, b.Call+")")
		case *timeline.State:
			order = append(order, b.To.String())
		}
	}
	want := []string{"socket)", "LISTEN", "connect(", "SYN", "SYN ACK", "ACK", "connect)", "ESTABLISHED", "ESTABLISHED", "close)", "FIN", "CLOSE-WAIT"}
	if !slices.Equal(order, want) {
		t.Errorf("got  %v\nwant %v", order, want)
	}
}

// Where segments were seen, or one end's states were not, nothing is inferred.
func TestNothingIsInferred(t *testing.T) {
	seen := connected().add(timeline.Wire, &timeline.Segment{From: timeline.Client, Flags: []string{"SYN"}})
	if l := Of(Head{}, seen.events); l.Inferred || l.IsBare() {
		t.Error("a segment was seen")
	}
	alone := (&run{}).call(timeline.Client, "connect 0").state(timeline.Client, tcpinfo.Closed, tcpinfo.Established, 0, 0)
	if l := Of(Head{}, alone.events); l.Inferred || !l.IsBare() {
		t.Error("the server's states are not known")
	}
}
