package view

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// script builds a run as a scenario would report it; times are in µs.
type script struct{ events []timeline.Event }

func (s *script) at(us int64, side timeline.Side, body timeline.Body) *script {
	at := time.Duration(us) * time.Microsecond
	s.events = append(s.events, timeline.Event{Seq: int64(len(s.events) + 1), At: at,
		Time: time.Date(2026, 1, 2, 23, 59, 59, 990_000_000, time.UTC).Add(at), Side: side, Body: body})
	return s
}

func (s *script) show(sink timeline.Sink) {
	for _, e := range s.events {
		sink.Event(e)
	}
	if f, ok := sink.(interface{ Flush() }); ok {
		f.Flush()
	}
}

const (
	C = timeline.Client
	S = timeline.Server
	W = timeline.Wire

	clientAddr = "127.0.0.1:40112"
	serverAddr = "127.0.0.1:7007"
)

func addr(s string) netip.AddrPort {
	a, _ := netip.ParseAddrPort(s) // "" is none
	return a
}

// made is a call that has returned, as an event.
func made(c sockapi.Call) *timeline.Call {
	unwritten := uint64(0x7ffc12345678) // an address of a machine of 64 bits
	c.Returned, c.Ptr = time.Unix(1, 0), uintptr(unwritten)
	return &timeline.Call{Call: c.Name, Args: c.Args(), FD: c.FD, Ret: c.Ret, TookUS: 12.5, Sys: &c}
}

func socket(fd int) *timeline.Call {
	return made(sockapi.Call{Name: "socket", FD: fd, Domain: unix.AF_INET, Type: unix.SOCK_STREAM | unix.SOCK_CLOEXEC, Ret: fd})
}

// passing is bind or connect.
func passing(name string, fd int, to string) *timeline.Call {
	c := sockapi.Call{Name: name, FD: fd, Addr: addr(to), Len: 16}
	if c.Addr.Addr().Is6() {
		c.Len = 28
	}
	return made(c)
}

func bind(fd int, to string) *timeline.Call    { return passing("bind", fd, to) }
func connect(fd int, to string) *timeline.Call { return passing("connect", fd, to) }

func listen(fd, backlog int) *timeline.Call {
	return made(sockapi.Call{Name: "listen", FD: fd, Backlog: backlog})
}

func accept(fd, conn int, from string, flags int) *timeline.Call {
	return made(sockapi.Call{Name: "accept4", FD: fd, Addr: addr(from), Len: 16, LenBack: 16, Flags: flags | unix.SOCK_CLOEXEC, Ret: conn})
}

func read(fd int, data string, room int) *timeline.Call {
	return made(sockapi.Call{Name: "read", FD: fd, Buf: []byte(data), Len: room, Ret: len(data)})
}

func write(fd int, data string) *timeline.Call {
	return made(sockapi.Call{Name: "write", FD: fd, Buf: []byte(data), Len: len(data), Ret: len(data)})
}

func shutdown(fd int) *timeline.Call {
	return made(sockapi.Call{Name: "shutdown", FD: fd, How: unix.SHUT_WR})
}

func closes(fd int) *timeline.Call { return made(sockapi.Call{Name: "close", FD: fd}) }

// long is more than strace shows.
var long = strings.Repeat("a", 32768)

// timeval is a struct timeval of two C longs.
func timeval(sec, usec uint32) []uint32 {
	if strconv.IntSize == 32 {
		return []uint32{sec, usec}
	}
	b := binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(nil, uint64(sec)), uint64(usec))
	return []uint32{binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[8:]), binary.NativeEndian.Uint32(b[12:])}
}

// setopt sets an option that the kernel has as C ints.
func setopt(fd int, option string, value any, ints ...uint32) *timeline.Call {
	return made(optionCall("setsockopt", fd, option, value, ints...))
}

func optionCall(name string, fd int, option string, value any, ints ...uint32) sockapi.Call {
	var b []byte
	for _, i := range ints {
		b = binary.NativeEndian.AppendUint32(b, i)
	}
	id := sockapi.OptionID{LevelName: "SOL_SOCKET", Name: option}
	return sockapi.Call{Name: name, FD: fd, Option: id, Value: value, Buf: b, Len: len(b), LenBack: len(b)}
}

func fails(errno unix.Errno, c *timeline.Call) *timeline.Call {
	c.Sys.Ret, c.Sys.Errno = -1, errno
	c.Ret, c.Errno, c.Args = -1, sockapi.ErrnoName(errno), c.Sys.Args()
	return c
}

func took(d time.Duration, c *timeline.Call) *timeline.Call {
	c.TookUS = float64(d.Microseconds())
	return c
}

// st is a state of the sample's client or server socket.
func st(from, to tcpinfo.State, more ...func(*timeline.State)) *timeline.State {
	b := &timeline.State{From: from, To: to, Source: "tcp_info"}
	for _, m := range more {
		m(b)
	}
	return b
}

func pair2(local, remote string) func(*timeline.State) {
	return func(b *timeline.State) { b.Local, b.Remote = addr(local), addr(remote) }
}

var (
	client = pair2(clientAddr, serverAddr)
	server = pair2(serverAddr, clientAddr)
)

func diag(b *timeline.State)  { b.Source = "sock_diag" }
func trace(b *timeline.State) { b.Source = "tracepoint" }

func timer(kind string, ms int64, retrans int) func(*timeline.State) {
	return func(b *timeline.State) { b.Timer, b.ExpiresMS, b.Retrans = kind, &ms, &retrans }
}

func queues(recv, send uint32) func(*timeline.State) {
	return func(b *timeline.State) { b.RecvQ, b.SendQ = &recv, &send }
}

func shut(bits ...string) func(*timeline.State) {
	return func(b *timeline.State) { b.Shutdown = bits }
}

func queue(n, limit uint32, syn int) *timeline.Queue {
	return &timeline.Queue{Local: addr(serverAddr), AcceptQueue: n, AcceptLimit: limit, SynQueue: &syn}
}

func note(s string) *timeline.Note { return &timeline.Note{Text: s} }

// entered is where a call entered the kernel, and split the same call where it returned.
func entered(c *timeline.Call) *timeline.Enter {
	args := c.Args
	if c.Call == "accept4" || c.Call == "read" {
		args = args[:1]
	}
	return &timeline.Enter{ID: 1, Call: c.Call, Args: args, FD: c.FD}
}

func split(c *timeline.Call) *timeline.Call {
	c.ID, c.Split = 1, true
	return c
}
func met(expect string) *timeline.Check {
	return &timeline.Check{Expect: expect, Got: expect, OK: true}
}

var halfCloseOptions = Options{Title: "half-close", Lesson: "the client has finished sending and keeps receiving", Ref: "RFC 9293 3.6"}

func halfClose() *script {
	s := &script{}
	s.at(90, S, socket(5)).
		at(95, S, st(0, tcpinfo.Closed)).
		at(110, S, setopt(5, "SO_REUSEADDR", true, 1)).
		at(140, S, bind(5, serverAddr)).
		at(310, S, listen(5, 128)).
		at(325, S, st(tcpinfo.Closed, tcpinfo.Listen, pair2(serverAddr, ""))).
		at(325, S, queue(0, 128, 0)).
		at(330, C, socket(6)).
		at(340, C, st(0, tcpinfo.Closed)).
		at(400, C, connect(6, serverAddr)).
		at(470, C, st(tcpinfo.Closed, tcpinfo.Established, client)).
		at(480, S, queue(1, 128, 0)).
		at(490, S, st(0, tcpinfo.Established, server, diag)).
		at(610, S, accept(5, 7, clientAddr, 0)).
		at(640, S, queue(0, 128, 0)).
		at(700, C, write(6, "hello\n")).
		at(760, S, read(7, "hello\n", 65536)).
		at(1000, W, note("The client has nothing more to send. It says so with a FIN and goes on receiving: half of the connection is closed.")).
		at(1200, C, shutdown(6)).
		at(1290, C, st(tcpinfo.Established, tcpinfo.FinWait2, client, shut("SEND_SHUTDOWN"))).
		at(1300, S, st(tcpinfo.Established, tcpinfo.CloseWait, server, shut("RCV_SHUTDOWN"), queues(1, 0))).
		at(1310, C, met("FIN-WAIT-2: our FIN is acknowledged; we wait for the peer's, and can still receive")).
		at(1320, S, met("CLOSE-WAIT: the peer's FIN has come; the application must close")).
		at(1400, S, read(7, "", 65536)).
		at(1500, S, write(7, long)).
		at(1660, C, read(6, long, 65536)).
		at(1700, C, met("32768 bytes sent after the FIN have all come, in order")).
		at(1800, C, fails(unix.EPIPE, write(6, "x"))).
		at(12400, S, closes(7)).
		at(12480, C, st(tcpinfo.FinWait2, tcpinfo.TimeWait, client, diag, timer("timewait", 59990, 0))).
		at(12490, S, st(tcpinfo.CloseWait, tcpinfo.Closed, server, diag)).
		at(12500, C, closes(6)).
		at(12510, C, met("TIME-WAIT: 60 s in which old segments die out and a lost last ACK can be sent again")).
		at(1012510, W, &timeline.Summary{Scenario: "half-close", OK: true, Checks: 4})
	return s
}

// wire is a handshake with every segment, some of which do not arrive.
func wire() *script {
	ack := uint32(1)
	s := &script{}
	s.at(300, C, entered(connect(6, serverAddr))).
		at(310, C, st(tcpinfo.Closed, tcpinfo.SynSent, client, timer("on", 1000, 0))).
		at(320, W, &timeline.Segment{From: C, Flags: []string{"SYN"}, Win: 65535, Options: []string{"mss=1460", "sackOK", "wscale=7"}, Fate: "dropped"}).
		at(1000320, W, &timeline.Segment{From: C, Flags: []string{"SYN"}, Win: 65535, Fate: "delivered"}).
		at(1000330, C, st(tcpinfo.SynSent, tcpinfo.SynSent, client, timer("on", 2000, 1))).
		at(1000340, S, st(0, tcpinfo.SynReceived, server, diag, timer("on", 1000, 0))).
		at(1000350, S, queue(0, 128, 1)).
		at(1000400, W, &timeline.Segment{From: S, Flags: []string{"SYN", "ACK"}, Ack: &ack, Win: 65535, Fate: "held"}).
		at(1000500, W, &timeline.Segment{From: S, Flags: []string{"SYN", "ACK"}, Ack: &ack, Win: 65535,
			Options: []string{"mss=1460", "sackOK", "TS val 1234567890 ecr 1234567891", "wscale=7", "UNKNOWN(254)"}}).
		at(1000510, C, st(tcpinfo.SynSent, tcpinfo.Established, client)).
		at(1000515, C, split(took(1000200*time.Microsecond, connect(6, serverAddr)))).
		at(1000600, W, &timeline.Segment{From: C, Flags: []string{"ACK"}, Seq: 1, Ack: &ack, Win: 512, Fate: "duplicated"}).
		at(1000610, S, st(tcpinfo.SynReceived, tcpinfo.Established, server)).
		at(1000620, S, queue(1, 128, 0)).
		at(1000700, W, &timeline.Segment{From: S, Flags: []string{"PSH", "ACK"}, Seq: 1, Ack: &ack, Len: 6, Win: 512, Fate: "duplicated"}).
		at(1000800, W, &timeline.Segment{From: S, Flags: []string{"RST"}, Seq: 1, Fate: "dropped"}).
		at(1000900, W, &timeline.Segment{Src: addr(serverAddr), Dst: addr(clientAddr), Marks: []string{"injected"}})
	return s
}

// trouble is what a run with failures shows.
func trouble() *script {
	s := &script{}
	s.at(310, S, listen(5, 1)).
		at(325, S, st(tcpinfo.Closed, tcpinfo.Listen, pair2(serverAddr, ""))).
		at(325, S, queue(0, 1, 0)).
		at(400, C, setopt(6, "SO_LINGER", sockapi.Linger{OnOff: true}, 1, 0)).
		at(410, C, setopt(6, "SO_RCVTIMEO", 200*time.Millisecond, timeval(0, 200000)...)).
		at(420, C, connect(6, "[fe80:db8:ffff:ffff:ffff:ffff:ffff:ffff%veth0]:7007")).
		at(500, S, queue(2, 1, 3)).
		at(700, S, entered(accept(5, 7, clientAddr, 0))).
		at(200100, C, took(200*time.Millisecond, fails(unix.EAGAIN, read(6, "", 16)))).
		at(200200, C, closes(6)).
		at(200220, C, st(tcpinfo.Established, tcpinfo.Closed, client)).
		at(200225, S, st(tcpinfo.CloseWait, tcpinfo.Closed, server)).
		at(200300, S, &timeline.Counter{Name: "ListenOverflows", Delta: 3}).
		at(200310, S, &timeline.Counter{Name: "TCPAbortOnClose", Delta: 1}).
		at(200400, C, &timeline.Check{Expect: "FIN-WAIT-1 or FIN-WAIT-2, as our FIN may not be acknowledged yet", Got: "CLOSED"}).
		at(200500, S, &timeline.Check{Expect: "ECONNRESET", Got: "0 bytes: end of stream"}).
		at(4200500, W, &timeline.Counter{Name: "TCPTimeouts", Delta: -1}).
		at(62200500, S, read(7, "\x1b[2", 16)).
		at(62200600, W, &timeline.Summary{Scenario: "linger-reset", Checks: 2, Failed: 2})
	return s
}

// many has three connections at once.
func many() *script {
	s := &script{}
	c2, s2 := pair2("127.0.0.1:40114", serverAddr), pair2(serverAddr, "127.0.0.1:40114")
	s.at(310, S, listen(5, 1)).
		at(400, C, connect(6, serverAddr)).
		at(410, C, st(tcpinfo.Closed, tcpinfo.Established, client)).
		at(411, S, queue(1, 1, 0)).
		at(412, S, st(0, tcpinfo.Established, server, diag)).
		at(500, C, connect(7, serverAddr)).
		at(510, C, st(tcpinfo.Established, tcpinfo.TimeWait, client, diag, timer("timewait", 60000, 0))).
		at(511, C, st(tcpinfo.Closed, tcpinfo.SynSent, c2, timer("on", 980, 0))).
		at(512, S, st(tcpinfo.SynReceived, tcpinfo.CloseWait, s2)).
		at(513, S, st(tcpinfo.Established, tcpinfo.LastAck, server, timer("persist", 203, 4), queues(0, 2565440)))
	return s
}

// tour ends with the coverage table.
func tour() *script {
	s := &script{}
	s.at(1, W, &timeline.Coverage{State: tcpinfo.Listen, Seen: true, Scenario: "handshake", Source: "tcp_info"}).
		at(1, W, &timeline.Coverage{State: tcpinfo.SynReceived, Seen: true, Scenario: "syn-queue", Source: "sock_diag"}).
		at(1, W, &timeline.Coverage{State: tcpinfo.Closing, WhyNot: "this kernel does not let ordinary users attach a filter (EPERM): echoc tour --wire shows it"}).
		at(1, W, &timeline.Coverage{From: tcpinfo.Established, To: tcpinfo.FinWait1, Seen: true, Scenario: "simultaneous-close", Source: "tracepoint"}).
		at(1, W, &timeline.Coverage{From: tcpinfo.SynSent, To: tcpinfo.SynReceived, Seen: true, Scenario: "simultaneous-open", Source: "tracepoint"}).
		at(1, W, &timeline.Coverage{From: tcpinfo.Listen, To: tcpinfo.SynSent, WhyNot: "in the figure and not in Linux: connect() on a listener is refused with EISCONN"}).
		at(1, W, &timeline.Summary{Scenario: "tour", OK: true, Checks: 131})
	return s
}

// serving is echod without a scenario, on two days; echoing is echoc, which sees the server's state too.
func serving() *script {
	s := &script{}
	far := "192.0.2.7:51000"
	s.at(0, S, listen(3, 4096)).
		at(100, S, accept(3, 5, clientAddr, unix.SOCK_NONBLOCK)).
		at(150, S, st(0, tcpinfo.Established, server)).
		at(200, S, accept(3, 6, far, unix.SOCK_NONBLOCK)).
		at(300, S, read(5, "hello\n", 65536)).
		at(310, S, write(5, "hello\n")).
		at(400, S, st(0, tcpinfo.Established, pair2("192.0.2.1:7007", far))).
		at(9000, S, fails(unix.ECONNRESET, read(6, "", 65536))).
		at(9100, S, st(tcpinfo.Established, tcpinfo.Closed, pair2("192.0.2.1:7007", far))).
		at(9200, S, closes(6)).
		at(61000000, S, st(tcpinfo.Established, tcpinfo.CloseWait, server, queues(1, 0), shut("RCV_SHUTDOWN"))).
		at(61000100, S, read(5, "", 65536)).
		at(61000200, S, closes(5)).
		at(61000300, S, st(tcpinfo.CloseWait, tcpinfo.LastAck, server, diag)).
		at(61000400, S, queue(129, 128, 3)).
		at(61000500, S, &timeline.Counter{Name: "ListenOverflows", Delta: 1}).
		at(61000600, W, &timeline.Segment{From: C, Flags: []string{"SYN"}, Win: 65535}).
		at(61000700, S, &timeline.Check{Expect: "FIN-WAIT-2", Got: "CLOSED"}).
		at(61000800, W, note("2 connections served, 6 bytes echoed"))
	return s
}

func echoing() *script {
	s := &script{}
	s.at(0, C, socket(3)).
		at(50, C, connect(3, serverAddr)).
		at(90, C, st(tcpinfo.Closed, tcpinfo.Established, client)).
		at(95, S, st(0, tcpinfo.Established, server, diag)).
		at(100, C, shutdown(3)).
		at(120, C, st(tcpinfo.Established, tcpinfo.FinWait2, client, shut("SEND_SHUTDOWN"))).
		at(125, S, st(tcpinfo.Established, tcpinfo.CloseWait, server, diag, shut("RCV_SHUTDOWN"))).
		at(130, C, read(3, "", 65536)).
		at(140, C, closes(3))
	return s
}
