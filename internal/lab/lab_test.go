package lab

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/internal/unsupported"
	"socklife/sockapi"
)

// childEnv makes the test binary do something else than test: what a test needs another process for.
const childEnv = "SOCKLIFE_LAB_TEST_CHILD"

// The tests wait for the kernel most of the time. So many of them wait beside each other, unless -parallel says how
// many.
const waiters = 8

// TestMain enters a user namespace where there is one to enter, so that an ordinary user runs all of the tests too.
// Where there is none, those that need a lab skip and say why.
func TestMain(m *testing.M) {
	if path := os.Getenv("SOCKLIFE_LAB_TEST_TUN"); path != "" {
		tunPath = path
	}
	if child := children[os.Getenv(childEnv)]; child != nil {
		child()
		os.Exit(0)
	}
	done, status, err := Enter()
	if done {
		os.Exit(status)
	}
	var u *unsupported.Error
	if err != nil && !errors.As(err, &u) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		flag.Set("test.parallel", strconv.Itoa(waiters))
	}
	os.Exit(m.Run())
}

// needLab skips the test where there can be no lab.
func needLab(t testing.TB) {
	t.Helper()
	if tryHere() != nil {
		t.Skipf("no lab here: %v", available())
	}
}

// available tells whether this process can have a lab, at once or after Enter: nil, or what is missing.
func available() error {
	err := tryHere()
	if err == nil || !unprivileged(err) {
		return err
	}
	return tryUserNamespace()
}

// MustRules reads rules that are part of the program; it panics if one is wrong.
func MustRules(texts ...string) []Rule {
	rules := make([]Rule, len(texts))
	for i, s := range texts {
		var err error
		if rules[i], err = ParseRule(s); err != nil {
			panic(err)
		}
	}
	return rules
}

// MustMatch is ParseMatch for a text that is part of the program; it panics if it is wrong.
func MustMatch(s string) Match {
	m, err := ParseMatch(s)
	if err != nil {
		panic(err)
	}
	return m
}

// newLab is a lab that is closed with the test, which fails if anything is left of it.
func newLab(t testing.TB, c Config) *Lab {
	t.Helper()
	needLab(t)
	l, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// socket makes a socket on a host. It is closed before the lab is.
func socket(t testing.TB, h *Host, addr netip.Addr) *sockapi.Socket {
	t.Helper()
	domain := unix.AF_INET
	if addr.Is6() {
		domain = unix.AF_INET6
	}
	var s *sockapi.Socket
	err := h.Do(func() (err error) {
		s, err = sockapi.NewSocket(domain, unix.SOCK_STREAM, 0, nil)
		return err
	})
	must(t, err)
	t.Cleanup(func() { s.Close() }) // an error means that the test has closed it
	must(t, sockapi.SO_RCVTIMEO.Set(s, patience))
	must(t, sockapi.SO_SNDTIMEO.Set(s, patience))
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// listen is a listener on a host, at a port that the kernel chooses.
func listen(t testing.TB, h *Host, addr netip.Addr) (*sockapi.Socket, netip.AddrPort) {
	t.Helper()
	s := socket(t, h, addr)
	must(t, s.Bind(netip.AddrPortFrom(addr, 0)))
	must(t, s.Listen(16))
	at, err := s.Getsockname()
	must(t, err)
	return s, at
}

// connect is a connection from one host to a listener on the other, both its ends.
func connect(t testing.TB, from *Host, listener *sockapi.Socket, at netip.AddrPort) (active, passive *sockapi.Socket) {
	t.Helper()
	active = socket(t, from, at.Addr())
	must(t, active.Connect(at))
	passive, _, err := listener.Accept4(0)
	must(t, err)
	t.Cleanup(func() { passive.Close() })
	must(t, sockapi.SO_RCVTIMEO.Set(passive, patience))
	must(t, sockapi.SO_SNDTIMEO.Set(passive, patience))
	return active, passive
}

// pairOn is a connection across the lab, over IPv4.
func pairOn(t testing.TB, l *Lab) (client, server *sockapi.Socket) {
	t.Helper()
	listener, at := listen(t, l.Server, l.Server.IPv4)
	return connect(t, l.Client, listener, at)
}

// onHost runs a command in a host's namespace and returns what it prints.
func onHost(t testing.TB, h *Host, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("needs %s (install iproute2)", name)
	}
	var out []byte
	err := h.Do(func() (err error) {
		out, err = exec.Command(name, args...).CombinedOutput()
		return err
	})
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// setMTU is for what the wire carries when segments are longer than a reader's.
func setMTU(t testing.TB, l *Lab, mtu int) {
	t.Helper()
	for _, h := range []*Host{l.Client, l.Server} {
		onHost(t, h, "ip", "link", "set", "wire0", "mtu", strconv.Itoa(mtu))
	}
}

// The kernel's numbers of states, include/net/tcp_states.h.
const (
	established = 0x01
	synSent     = 0x02
	synRecv     = 0x03
	finWait1    = 0x04
	finWait2    = 0x05
	timeWait    = 0x06
	closed      = 0x07
	closeWait   = 0x08
	lastAck     = 0x09
	closing     = 0x0b
)

// states are those of the host's sockets on a port, as /proc/net/tcp has them: not what the sockets say of themselves.
func states(t testing.TB, h *Host, port uint16) []uint8 {
	t.Helper()
	var all []uint8
	for _, name := range []string{"tcp", "tcp6"} {
		var text []byte
		must(t, h.Do(func() (err error) {
			text, err = os.ReadFile("/proc/thread-self/net/" + name)
			return err
		}))
		for _, line := range strings.Split(string(text), "\n")[1:] {
			f := strings.Fields(line)
			if len(f) < 4 || !strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				continue
			}
			var state uint8
			_, err := fmt.Sscanf(f[3], "%x", &state)
			must(t, err)
			all = append(all, state)
		}
	}
	return all
}

// awaitStates waits until the host's sockets on a port are in these states, in any order.
func awaitStates(t testing.TB, h *Host, port uint16, want ...uint8) {
	t.Helper()
	var got []uint8
	defer func() {
		if t.Failed() {
			t.Logf("%s port %d: states %x, want %x", h.Name, port, got, want)
		}
	}()
	await(t, fmt.Sprintf("states %x on the %s", want, h.Name), func() bool {
		got = states(t, h, port)
		return same(got, want)
	})
}

func same(a, b []uint8) bool {
	var n [256]int
	for _, x := range a {
		n[x]++
	}
	for _, x := range b {
		n[x]--
	}
	return n == [256]int{}
}
