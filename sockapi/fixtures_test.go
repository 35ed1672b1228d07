package sockapi

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var (
	loopback4 = netip.MustParseAddr("127.0.0.1")
	loopback6 = netip.MustParseAddr("::1")
)

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

// recorder is a Tracer that keeps the calls.
type recorder struct {
	mu      sync.Mutex
	entered []string
	calls   []Call
}

func (r *recorder) Enter(c *Call) func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entered = append(r.entered, c.Name+"("+strings.Join(c.Args(), ", ")+")")
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.calls = append(r.calls, *c.Clone())
	}
}

// named returns the calls of that name so far.
func (r *recorder) named(name string) (found []Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c.Name == name {
			found = append(found, c)
		}
	}
	return found
}

// names returns what was called, in order.
func (r *recorder) names() (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		names = append(names, c.Name)
	}
	return names
}

// family is the socket domain that an address belongs to.
func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newSocket makes a stream socket that is closed at the end of the test.
func newSocket(t testing.TB, domain, flags int, tr Tracer) *Socket {
	t.Helper()
	s, err := NewSocket(domain, unix.SOCK_STREAM|flags, 0, tr)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		t.Skip("this kernel has no IPv6: boot it without ipv6.disable=1")
	}
	must(t, err)
	t.Cleanup(func() { closeQuietly(s) })
	return s
}

// closeQuietly closes a socket that the test may have closed.
func closeQuietly(s *Socket) {
	s.Abort()
	_ = s.Close()
}

// newListener makes a listener at a fresh port.
func newListener(t testing.TB, ip netip.Addr, backlog int, tr Tracer) (*Socket, netip.AddrPort) {
	t.Helper()
	s := newSocket(t, family(ip), 0, tr)
	must(t, s.Bind(netip.AddrPortFrom(ip, 0)))
	must(t, s.Listen(backlog))
	addr, err := s.Getsockname()
	must(t, err)
	return s, addr
}

// newPair makes a connection.
func newPair(t testing.TB, tr Tracer) (client, server *Socket) {
	t.Helper()
	l, addr := newListener(t, loopback4, 1, tr)
	client = newSocket(t, unix.AF_INET, 0, tr)
	must(t, client.Connect(addr))
	server, _, err := l.Accept4(0)
	must(t, err)
	t.Cleanup(func() { closeQuietly(server) })
	must(t, l.Close())
	return client, server
}

// newFullPair makes a connection on which the client cannot write another byte: the server does not read. The receive
// buffer is set before the connection is made, so that the window offered never was larger than it.
func newFullPair(t testing.TB, tr Tracer) (client, server *Socket) {
	t.Helper()
	l := newSocket(t, unix.AF_INET, 0, tr)
	must(t, SO_RCVBUF.Set(l, 8<<10))
	must(t, l.Bind(netip.AddrPortFrom(loopback4, 0)))
	must(t, l.Listen(1))
	addr, err := l.Getsockname()
	must(t, err)
	client = newSocket(t, unix.AF_INET, 0, tr)
	must(t, SO_SNDBUF.Set(client, 8<<10))
	must(t, client.Connect(addr))
	server, _, err = l.Accept4(0)
	must(t, err)
	t.Cleanup(func() { closeQuietly(server) })
	fill(t, client)
	return client, server
}

// fill writes until the kernel takes no more, and goes on taking none: while something is in flight its acknowledgement
// may still make room.
func fill(t testing.TB, s *Socket) {
	t.Helper()
	chunk := make([]byte, 64<<10)
	waitFor(t, "the connection to be full", func() bool {
		inFlight := unacked(t, s)
		_, err := s.Send(chunk, unix.MSG_DONTWAIT)
		if err != nil && !errors.Is(err, unix.EAGAIN) {
			t.Fatal(err)
		}
		return err != nil && inFlight == 0
	})
}

// unacked is how many segments are in flight.
func unacked(t testing.TB, s *Socket) (n uint32) {
	t.Helper()
	must(t, s.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		must(t, err)
		n = info.Unacked
	}))
	return n
}

// drain reads until the end of the stream.
func drain(s *Socket) {
	chunk := make([]byte, 64<<10)
	for {
		if n, err := s.Read(chunk); n == 0 || err != nil {
			return
		}
	}
}

// waitFor waits for a condition, and fails the test if it does not come.
func waitFor(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline, look := time.After(patience), time.NewTicker(200*time.Microsecond)
	defer look.Stop()
	for !cond() {
		select {
		case <-deadline:
			t.Fatalf("waited %v in vain for: %s", patience, what)
		case <-look.C:
		}
	}
}

// blockedIn says whether a thread of this process sleeps in the system call: proc(5), /proc/pid/syscall.
func blockedIn(tid, nr int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", tid))
	if err != nil {
		return false
	}
	return strings.HasPrefix(string(b), strconv.Itoa(nr)+" ")
}

// onThread runs f on a thread of its own and returns the thread's id, and a channel that gets f's error.
func onThread(f func() error) (tid int, done <-chan error) {
	tids, errs := make(chan int, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		tids <- unix.Gettid()
		errs <- f()
	}()
	return <-tids, errs
}

// result waits for what onThread's f returned.
func result(t testing.TB, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatal("the call did not return")
		return nil
	}
}

// needSyscallFile skips where the kernel does not tell what a thread waits in.
func needSyscallFile(t testing.TB) {
	t.Helper()
	if _, err := os.ReadFile("/proc/thread-self/syscall"); err != nil {
		t.Skipf("cannot see what a thread waits in (needs CONFIG_HAVE_ARCH_TRACEHOOK and /proc): %v", err)
	}
}
