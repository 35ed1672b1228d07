package tcpinfo

import (
	"errors"
	"io/fs"
	"os/exec"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const someNetstat = `TcpExt: SyncookiesSent ListenOverflows ListenDrops TW
TcpExt: 0 7 9 18446744073709551615
IpExt: InNoRoutes InCsumErrors
IpExt: 1 2
`

const someSNMP = `Ip: Forwarding DefaultTTL InReceives
Ip: 1 64 100
Tcp: RtoAlgorithm MaxConn ActiveOpens EstabResets CurrEstab OutRsts InCsumErrors
Tcp: 1 -1 5 3 2 4 0
UdpLite: InCsumErrors
UdpLite: 8
`

func TestParseCounters(t *testing.T) {
	t.Parallel()
	got, err := ParseCounters([]byte(someSNMP + someNetstat))
	if err != nil {
		t.Fatal(err)
	}
	want := Counters{
		"RtoAlgorithm": 1, "MaxConn": -1, "ActiveOpens": 5, "EstabResets": 3, "CurrEstab": 2, "OutRsts": 4, "InCsumErrors": 0,
		"SyncookiesSent": 0, "ListenOverflows": 7, "ListenDrops": 9, "TW": -1, // wrapped, so that differences stay right
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestParseCountersErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"names alone":       {"Tcp: A B\n", "line 1: no values after the names of \"Tcp\""},
		"no prefix":         {"A B\n1 2\n", "line 1: no prefix before the counters' names"},
		"another prefix":    {"Tcp: A\nUdp: 1\n", "line 1: no values after the names of \"Tcp\""},
		"values missing":    {"Tcp: A B\nTcp: 1\n", "line 1: Tcp has 2 names and 1 values"},
		"values too many":   {"TcpExt: A\nTcpExt: 1 2\n", "line 1: TcpExt has 1 names and 2 values"},
		"not a number":      {"\nIp: A\nIp: x\nTcp: A\nTcp: 0x1\n", "line 4: Tcp \"A\": value \"0x1\" is not a number"},
		"larger than it is": {"Tcp: A\nTcp: 18446744073709551616\n", "line 1: Tcp \"A\": value \"18446744073709551616\" is not a number"},
	} {
		if _, err := ParseCounters([]byte(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if got, err := ParseCounters(nil); err != nil || len(got) != 0 {
		t.Errorf("no text: got %v, %v", got, err)
	}
}

func FuzzParseCounters(f *testing.F) {
	f.Add([]byte(someSNMP + someNetstat))
	f.Add([]byte("Tcp: A\nTcp: -1"))
	f.Add([]byte("Tcp:\nTcp:\n\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := ParseCounters(text)
		if err != nil {
			if len(err.Error()) > 400 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			return
		}
		for name := range got {
			if name == "" || strings.ContainsAny(name, " \t\n") {
				t.Errorf("name %q", name)
			}
		}
		if d := got.Since(got); len(d) != 0 {
			t.Errorf("changed since itself: %v", d)
		}
	})
}

func TestCountersSince(t *testing.T) {
	t.Parallel()
	before := Counters{"OutRsts": 1, "ActiveOpens": 5, "CurrEstab": 2, "Zeta": 1, "Alpha": 1, "Same": 4, "OnlyBefore": 1}
	after := Counters{"OutRsts": 3, "ActiveOpens": 6, "CurrEstab": 1, "Zeta": 2, "Alpha": 3, "Same": 4, "OnlyAfter": 1}
	want := []CounterDelta{{"ActiveOpens", 1}, {"Alpha", 2}, {"CurrEstab", -1}, {"OutRsts", 2}, {"Zeta", 1}}
	if got := after.Since(before); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestReadCounters(t *testing.T) {
	t.Parallel()
	c, err := ReadCounters()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no /proc/thread-self/net/netstat here: mount proc")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ListenOverflows", "TCPAbortOnData", "EstabResets", "OutRsts"} {
		if _, ok := c[name]; !ok {
			t.Errorf("this kernel has no %s", name)
		}
	}
}

// TestCountersOfNamespace reads, on a thread that has a network namespace of its own, the counters of that namespace,
// and checks against the kernel what the table says of the commonest ones.
func TestCountersOfNamespace(t *testing.T) {
	enterNamespace(t)
	first := readCounters(t)
	for _, constant := range []string{"RtoAlgorithm", "RtoMin", "RtoMax", "MaxConn"} {
		delete(first, constant)
	}
	for name, value := range first {
		if value != 0 {
			t.Errorf("%s is %d in a new namespace: another one's was read", name, value)
		}
	}
	for _, c := range []struct {
		what string
		do   func()
		want Counters
	}{
		{"refused", func() { connectRefused(t) },
			Counters{"ActiveOpens": 1, "AttemptFails": 1, "OutRsts": 1, "EstabResets": 0}},
		{"opened and closed", func() {
			p := newPair(t)
			p.client.close()
			p.server.waitState(CloseWait)
			p.server.close()
		}, Counters{"ActiveOpens": 1, "PassiveOpens": 1, "TW": 1, "TCPOrigDataSent": 2, "OutRsts": 0}},
		{"aborted with SO_LINGER", func() {
			p := newPair(t)
			p.client.lingerZero()
			p.client.close()
		}, Counters{"TCPAbortOnData": 1, "TCPAbortOnLinger": 0, "OutRsts": 1, "EstabResets": 2, "TW": 0}},
		{"closed with unread data", func() {
			p := newPair(t)
			p.client.write("unread")
			p.server.close()
		}, Counters{"TCPAbortOnClose": 1, "OutRsts": 1, "EstabResets": 2}},
		{"closed in FIN-WAIT-2 with a negative TCP_LINGER2", func() {
			p := newPair(t)
			p.client.setInt(unix.IPPROTO_TCP, unix.TCP_LINGER2, -1)
			p.client.shutdown(unix.SHUT_WR)
			p.client.waitState(FinWait2)
			p.client.close()
		}, Counters{"TCPAbortOnLinger": 1, "TCPAbortOnData": 0, "OutRsts": 1, "EstabResets": 1}},
		{"deferred", func() {
			l := listen(t, loopback4, 4)
			l.setInt(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30)
			connect(t, l.local())
		}, Counters{"TCPDeferAcceptDrop": 1, "PassiveOpens": 0, "ActiveOpens": 1}},
		{"orphan in FIN-WAIT-2 for 2 s", func() {
			p := newPair(t)
			p.client.setInt(unix.IPPROTO_TCP, unix.TCP_LINGER2, 2)
			p.client.shutdown(unix.SHUT_WR)
			p.client.waitState(FinWait2)
			p.client.close()
		}, Counters{"TWKilled": 1, "TW": 0}},
	} {
		before := readCounters(t)
		c.do()
		after := readCounters(t)
		for name, want := range c.want {
			if strings.HasPrefix(name, "TW") && running().before(release{5, 18}) {
				want = 0 // it is counted when the entry ends: "tcp/dccp: no longer use twsk_net(tw) from tw_timer_handler()"
			}
			if got := after[name] - before[name]; got != want {
				t.Errorf("%s: %s moved by %d, want %d (all: %v)", c.what, name, got, want, after.Since(before))
			}
		}
	}
	before := readCounters(t)
	l := listen(t, loopback4, 0)
	connect(t, l.local())
	startConnect(t, l.local()) // sends its SYN once a second
	moved := readCounters(t)
	overflows, drops := moved["ListenOverflows"]-before["ListenOverflows"], moved["ListenDrops"]-before["ListenDrops"]
	if overflows < 1 || drops != overflows {
		t.Errorf("accept queue full: ListenOverflows moved by %d, ListenDrops by %d", overflows, drops)
	}
}

// TestCountersLikeNstat compares every counter with what nstat(8) says of the same namespace.
func TestCountersLikeNstat(t *testing.T) {
	nstat, err := exec.LookPath("nstat")
	if err != nil {
		t.Skip("install iproute2")
	}
	enterNamespace(t)
	p := newPair(t)
	p.client.write("data")
	p.server.waitRecvQ(4)
	p.client.close()
	connectRefused(t)
	var missing []string
	eventually(t, func() bool { // a timer may count something in between
		out, err := exec.Command(nstat, "--ignore", "--zeros", "--noupdate").Output()
		if err != nil {
			t.Fatal(err)
		}
		missing = differFromNstat(readCounters(t), string(out))
		return len(missing) == 0
	}, func() { t.Errorf("nstat says otherwise of %v", missing) })
}

// differFromNstat lists the counters for which nstat has no line, or another value: "TcpOutRsts   1   0.0".
func differFromNstat(c Counters, out string) (differ []string) {
	says := map[string]string{}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) >= 2 {
			says[f[0]] = f[1]
		}
	}
	for name, n := range c {
		switch name {
		case "RtoAlgorithm", "RtoMin", "RtoMax", "MaxConn", "CurrEstab":
			continue // not counters: nstat leaves them out
		}
		want := strconv.FormatInt(n, 10)
		if says["Tcp"+name] != want && says["TcpExt"+name] != want {
			differ = append(differ, name)
		}
	}
	return differ
}

func readCounters(t *testing.T) Counters {
	t.Helper()
	c, err := ReadCounters()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// enterNamespace gives the test's goroutine a thread, and the thread a network namespace of its own with the loopback
// interface up. The thread is never unlocked, so it ends with the test.
func enterNamespace(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); errors.Is(err, unix.EPERM) {
		t.Skip("a network namespace of one's own needs root, or: unshare -Urn")
	} else if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r); err != nil {
		t.Fatal(err)
	}
}
