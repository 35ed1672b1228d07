package view

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

func TestCallsAreShortAndExact(t *testing.T) {
	peek := func(name, data string, flags int) *timeline.Call {
		return made(sockapi.Call{Name: name, FD: 7, Buf: []byte(data), Len: len(data), Flags: flags, Ret: len(data)})
	}
	value := func(option string, v any, ints ...uint32) *timeline.Call {
		return made(optionCall("getsockopt", 6, option, v, ints...))
	}
	getsockname := sockapi.Call{Name: "getsockname", FD: 6, Addr: addr(clientAddr), Len: 16, LenBack: 16}
	getpeername := sockapi.Call{Name: "getpeername", FD: 6, Len: 16}
	filter := []unix.SockFilter{{Code: unix.BPF_RET}}
	saved := sockapi.Call{Name: "getsockopt", FD: 6, Option: sockapi.OptionID{Name: "TCP_SAVED_SYN"}, Len: 512, LenBack: 60,
		Value: []byte(long[:32]), Buf: []byte(long[:32])}
	for _, c := range []struct {
		call *timeline.Call
		want string
	}{
		{socket(3), "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3"},
		{bind(5, serverAddr), "bind(5, 127.0.0.1:7007) = 0"},
		{connect(6, serverAddr), "connect(6, 127.0.0.1:7007) = 0"},
		{fails(unix.ECONNREFUSED, connect(6, "[::1]:7007")), "connect(6, [::1]:7007) = -1 ECONNREFUSED"},
		{connect(6, ""), `connect(6, {sa_family=AF_UNSPEC, sa_data="\0\0\0\0\0\0\0\0\0\0\0\0\0\0"}, 16) = 0`},
		{took(2*time.Second, fails(unix.ETIMEDOUT, connect(6, serverAddr))), "connect(6, 127.0.0.1:7007) = -1 ETIMEDOUT took 2.0 s"},
		{accept(5, 7, clientAddr, 0), "accept4(5) = 7 from 127.0.0.1:40112"},
		{accept(5, 7, clientAddr, unix.SOCK_NONBLOCK), "accept4(5, SOCK_CLOEXEC|SOCK_NONBLOCK) = 7 from 127.0.0.1:40112"},
		{fails(unix.EAGAIN, accept(5, -1, "", 0)), "accept4(5) = -1 EAGAIN"},
		{took(time.Second, accept(5, 7, clientAddr, 0)), "accept4(5) = 7 from 127.0.0.1:40112"},
		{made(getsockname), "getsockname(6, 127.0.0.1:40112) = 0"},
		{fails(unix.ENOTCONN, made(getpeername)), "getpeername(6, 0x7ffc12345678, [16]) = -1 ENOTCONN"},
		{setopt(6, "SO_LINGER", sockapi.Linger{OnOff: true}, 1, 0), "setsockopt(6, SO_LINGER, {on, 0 s}) = 0"},
		{setopt(6, "SO_LINGER", sockapi.Linger{Seconds: 7}, 0, 7), "setsockopt(6, SO_LINGER, {off, 7 s}) = 0"},
		{setopt(6, "SO_RCVTIMEO", 1050*time.Millisecond, timeval(1, 50000)...), "setsockopt(6, SO_RCVTIMEO, {1.05 s}) = 0"},
		{setopt(6, "SO_RCVTIMEO", 5*time.Second, timeval(5, 0)...), "setsockopt(6, SO_RCVTIMEO, {5 s}) = 0"},
		{setopt(6, "TCP_KEEPIDLE", 5*time.Second, 5), "setsockopt(6, TCP_KEEPIDLE, [5]) = 0"},
		{setopt(6, "SO_ATTACH_FILTER", filter), "setsockopt(6, SO_ATTACH_FILTER, {1 instruction}) = 0"},
		{value("SO_ERROR", unix.ECONNRESET, uint32(unix.ECONNRESET)), "getsockopt(6, SO_ERROR, [ECONNRESET]) = 0"},
		{made(saved), "getsockopt(6, TCP_SAVED_SYN, 60 bytes) = 0"},
		{read(7, "hello\n", 65536), `read(7, "hello\n") = 6`},
		{read(7, "", 65536), "read(7) = 0 end of stream"},
		{read(7, "", 0), "read(7) = 0"},
		{read(7, long, 65536), "read(7, 32768 bytes) = 32768"},
		{took(200*time.Millisecond, fails(unix.EAGAIN, read(7, "", 16))), "read(7) = -1 EAGAIN took 200 ms"},
		{peek("recvfrom", "!", unix.MSG_OOB), `recvfrom(7, "!", MSG_OOB) = 1`},
		{peek("sendto", "!", 0), `sendto(7, "!") = 1`},
		{made(sockapi.Call{Name: "write", FD: 7, Buf: []byte(long), Len: 65536, Ret: 32768}), "write(7, 65536 bytes) = 32768"},
		{fails(unix.EPIPE, write(7, "x")), `write(7, "x") = -1 EPIPE`},
		{write(7, ""), `write(7, "") = 0`},
		{shutdown(6), "shutdown(6, SHUT_WR) = 0"},
		{took(2*time.Second, closes(6)), "close(6) = 0 took 2.0 s"},
		{made(sockapi.Call{Name: "ioctl", FD: 6, Request: unix.SIOCINQ, Value: 5}), "ioctl(6, FIONREAD, [5]) = 0"},
		{&timeline.Call{Call: "read\x1b", Args: []string{"7"}}, `read\x1b(7) = 0`},
	} {
		if got := new(palette).paint(callText(c.call)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// The same event goes to other sinks too.
func TestDrawingChangesNoEvent(t *testing.T) {
	json := func() string {
		var b bytes.Buffer
		for _, s := range samples {
			script := s.script()
			script.show(NewNarrator(io.Discard, s.options))
			script.show(New(io.Discard, s.options))
			script.show(NewJSONLines(&b))
		}
		return b.String()
	}
	golden(t, "jsonl", json())
	c := &timeline.Call{Call: "read", Args: []string{"a b|c\x1b", "a very long argument|of flags"}}
	callText(c)
	if c.Args[0] != "a b|c\x1b" || c.Args[1] != "a very long argument|of flags" {
		t.Errorf("the arguments have become %q", c.Args)
	}
}

func TestSpansAndClocks(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 203 * time.Millisecond: "203 ms", 59900 * time.Millisecond: "59.9 s", 2 * time.Hour: "7200 s",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
	run, day := newLayout(Options{}), newLayout(Options{Wall: true})
	for d, want := range map[time.Duration]string{
		0: "    0.000", 310 * time.Microsecond: "    0.310", 12400 * time.Microsecond: "   12.400", 99_996 * time.Microsecond: "   99.996",
		1203 * time.Millisecond: " 1203.000", time.Minute: "60000.000", 100 * time.Second: "100000.00",
	} {
		e := timeline.Event{At: d, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(d)}
		if got := run.when(e); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
		if got := day.when(e); len(got) != day.clock || !strings.HasPrefix(got, "03:0") {
			t.Errorf("%v is %q", e.Time, got)
		}
	}
}

func TestPassed(t *testing.T) {
	for _, c := range []struct {
		from, to tcpinfo.State
		finished bool
		want     string
	}{
		{tcpinfo.Closed, tcpinfo.Established, false, "SYN-SENT passed unseen"},
		{tcpinfo.Closed, tcpinfo.CloseWait, false, "SYN-SENT and ESTABLISHED passed unseen"},
		{tcpinfo.Established, tcpinfo.FinWait1, false, ""},
		{tcpinfo.Established, tcpinfo.FinWait2, false, "FIN-WAIT-1 passed unseen"},
		{tcpinfo.Established, tcpinfo.TimeWait, false, "FIN-WAIT-1, then FIN-WAIT-2 or CLOSING, passed unseen"},
		{tcpinfo.FinWait1, tcpinfo.TimeWait, false, "FIN-WAIT-2 or CLOSING passed unseen"},
		{tcpinfo.CloseWait, tcpinfo.Closed, false, "LAST-ACK unseen, or aborted"},
		{tcpinfo.CloseWait, tcpinfo.Closed, true, "LAST-ACK passed unseen"},
		{tcpinfo.Established, tcpinfo.Closed, false, "aborted, or closed unseen"},
		{tcpinfo.Established, tcpinfo.Closed, true, "closed unseen: its FIN came"},
		{tcpinfo.LastAck, tcpinfo.Closed, false, ""},
		{tcpinfo.TimeWait, tcpinfo.TimeWait, false, ""},
		{0, tcpinfo.TimeWait, false, ""},
	} {
		if got := passed(&timeline.State{From: c.from, To: c.to}, knowledge{finArrived: c.finished, listened: true}).String(); got != c.want {
			t.Errorf("%s to %s: %q, want %q", c.from, c.to, got, c.want)
		}
	}
	if got := passed(st(tcpinfo.CloseWait, tcpinfo.Closed, trace), knowledge{}).String(); got != "" {
		t.Errorf("the tracepoint misses no state, and yet: %q", got)
	}
}

// Without a listener at the other end the SYNs may have crossed; a socket that connects to itself gets its own.
func TestPassedUnseenOneWayOrAnother(t *testing.T) {
	a, b := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:7007")
	for _, c := range []struct {
		from, to      tcpinfo.State
		local, remote netip.AddrPort
		want          string
	}{
		{tcpinfo.Closed, tcpinfo.Established, a, b, "SYN-SENT passed unseen, perhaps SYN-RECEIVED"},
		{tcpinfo.Closed, tcpinfo.Established, a, a, "SYN-SENT and SYN-RECEIVED passed unseen"},
		{tcpinfo.SynSent, tcpinfo.Established, a, a, "SYN-RECEIVED passed unseen"},
		{tcpinfo.SynSent, tcpinfo.Established, a, b, ""},
		{tcpinfo.Closed, tcpinfo.CloseWait, a, b, "SYN-SENT and ESTABLISHED passed unseen, perhaps SYN-RECEIVED"},
	} {
		if got := passed(&timeline.State{Local: c.local, Remote: c.remote, From: c.from, To: c.to}, knowledge{}).String(); got != c.want {
			t.Errorf("%s to %s: %q, want %q", c.from, c.to, got, c.want)
		}
	}
	listener := sockets{timeline.Ends{Local: b}: {Local: b, To: tcpinfo.Listen}}
	if !listener.knows(&timeline.State{Local: a, Remote: b}).listened || listener.knows(&timeline.State{Local: b, Remote: a}).listened {
		t.Error("a listener is not known, or another socket is taken for one")
	}
}

func TestDetails(t *testing.T) {
	quiet := st(tcpinfo.Established, tcpinfo.Established, queues(0, 0))
	busy := st(tcpinfo.Established, tcpinfo.Established, queues(3, 65536), timer("on", 203, 2))
	for _, c := range []struct {
		now, before *timeline.State
		want        string
	}{
		{quiet, nil, ""},
		{busy, nil, "retransmission or probe in 203 ms, retrans 2, Recv-Q 3, Send-Q 65536"},
		{quiet, busy, "timer off, Recv-Q 0, Send-Q 0"},
		{st(tcpinfo.Established, tcpinfo.Established, timer("keepalive", 7_200_000, 0)), busy, "keepalive probe in 7200 s, retrans 0"},
		{st(tcpinfo.Established, tcpinfo.FinWait1, queues(0, 0)), busy, ""}, // the state is the news
		{st(tcpinfo.Established, tcpinfo.Established, queues(0, 65536)), busy, "timer off, Recv-Q 0, Send-Q 65536"},
		{st(tcpinfo.Established, tcpinfo.Established), busy, ""}, // tcp_info alone knows of no timer
		{&timeline.State{Timer: "persist"}, nil, "zero-window probe"},
		{st(0, tcpinfo.FinWait2, shut("RCV_SHUTDOWN", "SEND_SHUTDOWN")), nil, "RCV_SHUTDOWN, SEND_SHUTDOWN"},
		{st(0, tcpinfo.FinWait2, shut("\x1b[0m")), nil, `\x1b[0m`},
	} {
		got := new(palette).paint(text(nil).join(", ", newSymbols(false).details(c.now, c.before)...))
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
