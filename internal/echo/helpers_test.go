package echo

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// patience is how long a condition that must come true may take, on a machine that is busy.
const patience = 30 * time.Second

var (
	loopback4 = netip.MustParseAddrPort("127.0.0.1:0")
	loopback6 = netip.MustParseAddrPort("[::1]:0")
)

// The tests wait for the kernel most of the time. So many of them wait beside each other, unless -parallel says how
// many.
const waiters = 8

// TestMain also is the program of the child processes (child_test.go), and looks for what the tests left behind.
func TestMain(m *testing.M) {
	if config := os.Getenv(childEnv); config != "" {
		os.Exit(childMain(config))
	}
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		flag.Set("test.parallel", strconv.Itoa(waiters))
	}
	// The first use of package net opens the runtime's poller, which stays.
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
	descriptors, goroutines := countDescriptors(), runtime.NumGoroutine()
	code := m.Run()
	if code == 0 && !eventually(func() bool {
		return countDescriptors() <= descriptors && runtime.NumGoroutine() <= goroutines
	}) {
		fmt.Printf("left behind: %d descriptors (%d before), %d goroutines (%d before)\n",
			countDescriptors(), descriptors, runtime.NumGoroutine(), goroutines)
		stacks := make([]byte, 1<<20)
		fmt.Printf("%s\n", stacks[:runtime.Stack(stacks, true)])
		code = 1
	}
	os.Exit(code)
}

func countDescriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}

// eventually waits for a condition.
func eventually(condition func() bool) bool {
	deadline := time.Now().Add(patience)
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			return false
		}
		<-pause.C
	}
	return true
}

// wait fails the test if the condition does not come true.
func wait(t testing.TB, what string, condition func() bool) {
	t.Helper()
	if !eventually(condition) {
		t.Fatalf("not so after %v: %s", patience, what)
	}
}

// Stats is a Report so far, and the state of the server at this moment.
type Stats struct {
	Report
	Open         int   // connections
	Stalled      int   // of these, those not read from, because their client does not read; each holds one buffer
	PendingBytes int64 // read from stalled clients and not written back yet
	Paused       error // why no connections are accepted; nil if they are
}

// observer keeps the Stats as of the end of the loop's last turn.
type observer struct {
	mu    sync.Mutex
	stats Stats
}

// observe has an observer look at the loop of a server that is not serving yet.
func observe(s *Server) *observer {
	o := &observer{}
	s.cfg.afterTurn = func(l *loop) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.stats = Stats{Report: l.report, Open: l.conns.Len(), Paused: l.accept.paused}
		for e := l.conns.Front(); e != nil; e = e.Next() {
			if c := e.Value.(*conn); c.buffer != nil {
				o.stats.Stalled++
				o.stats.PendingBytes += int64(len(c.pending))
			}
		}
	}
	return o
}

// Stats may be called at any time, from any goroutine. The numbers are those of one moment.
func (o *observer) Stats() Stats {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stats
}

// discard closes a server that never served.
func discard(s *Server) {
	s.poller.close()
	s.listener.Close()
}

// running is a Server in its goroutine.
type running struct {
	*Server
	*observer
	stop   context.CancelFunc
	done   chan struct{}
	report Report
	err    error
}

// serve starts a server, which the end of the test stops. The zero Addr is a free port on 127.0.0.1.
func serve(t testing.TB, cfg Config) *running {
	t.Helper()
	if !cfg.Addr.IsValid() {
		cfg.Addr = loopback4
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, s)
}

func start(t testing.TB, s *Server) *running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Server: s, observer: observe(s), stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.report, r.err = s.Serve(ctx)
	}()
	t.Cleanup(func() { r.finish(t) })
	return r
}

// finish stops the server and returns its report, which must add up.
func (r *running) finish(t testing.TB) Report {
	t.Helper()
	r.stop()
	select {
	case <-r.done:
	case <-time.After(patience):
		t.Fatal("the server does not stop")
	}
	if r.err != nil {
		t.Errorf("Serve: %v", r.err)
	}
	n := r.report
	if ends := n.Finished + n.Resets + n.Idle + n.Drained + n.Cut + n.Failed; ends != n.Accepted {
		t.Errorf("accepted %d connections, %d ended: %+v", n.Accepted, ends, n)
	}
	if s := r.Stats(); s.Open != 0 || s.Stalled != 0 || s.PendingBytes != 0 {
		t.Errorf("after the end: %+v", s)
	}
	return n
}

// dialServer connects with package net, which is not this project's code.
func dialServer(t testing.TB, addr netip.AddrPort) *net.TCPConn {
	t.Helper()
	c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// dialSmallWindow connects with a receive buffer that holds next to nothing.
func dialSmallWindow(t testing.TB, addr netip.AddrPort) *net.TCPConn {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		controlErr := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) })
		return errors.Join(controlErr, err)
	}}
	c, err := d.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// exchange sends a line and wants it back.
func exchange(t testing.TB, c net.Conn, line string) {
	t.Helper()
	if _, err := io.WriteString(c, line); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(line))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != line {
		t.Fatalf("sent %q, got %q, %v", line, got, err)
	}
}

// reset closes a connection so that the kernel sends RST.
func reset(t testing.TB, c *net.TCPConn) {
	t.Helper()
	if err := c.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// randomBytes are the same for the same seed.
func randomBytes(seed uint64, n int) []byte {
	b := make([]byte, n)
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = source.Read(b)
	return b
}

// stalled says whether the server has stopped reading from a client.
func (r *running) stalled() bool { return r.Stats().Stalled > 0 }

// fill writes until the peer has stopped reading and both kernels take no more, and returns how much that was.
func fill(t testing.TB, c *net.TCPConn, stalled func() bool) int {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 64<<10)
	total, quiet := 0, 0
	wait(t, "the send queue is full", func() bool {
		n, writeErr := 0, error(nil)
		if err := raw.Control(func(fd uintptr) { n, writeErr = unix.Write(int(fd), chunk) }); err != nil {
			t.Fatal(err)
		}
		if writeErr != nil && writeErr != unix.EAGAIN {
			t.Fatal(writeErr)
		}
		if quiet++; n > 0 {
			total, quiet = total+n, 0
		}
		return quiet > 50 && stalled() // the condition is tried once a millisecond
	})
	return total
}

// needs skips the test where a program is not installed.
func needs(t testing.TB, program, from string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not here: install %s", program, from)
	}
	return path
}

// recorder is a Tracer that keeps the calls: "name", or "name ERRNO".
type recorder struct {
	noData bool // leaves out read and write
	mu     sync.Mutex
	calls  []string
	took   map[string]time.Duration // the longest call of each name
}

func (r *recorder) Enter(c *sockapi.Call) func() { return func() { r.add(c) } }

func (r *recorder) add(c *sockapi.Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := c.Name
	if c.Errno != 0 {
		s += " " + unix.ErrnoName(c.Errno)
	}
	if !r.noData || c.Name != "read" && c.Name != "write" {
		r.calls = append(r.calls, s)
	}
	if r.took == nil {
		r.took = make(map[string]time.Duration)
	}
	r.took[c.Name] = max(r.took[c.Name], c.Took())
}

func (r *recorder) longest(name string) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.took[name]
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.calls...)
}

// syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// isReset says whether a test's client met a reset connection.
func isReset(err error) bool { return errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) }

// dialServerErr is the error of a connect.
func dialServerErr(addr netip.AddrPort) error {
	c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(addr))
	if err == nil {
		c.Close()
	}
	return err
}
