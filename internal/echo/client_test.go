package echo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// peer runs a server of the test's own making for one connection, and returns its address.
func peer(t *testing.T, handle func(c *net.TCPConn)) netip.AddrPort {
	t.Helper()
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(loopback4))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.AcceptTCP()
		if err != nil {
			return // the test ended without a connection
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(patience))
		handle(c)
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// runClient runs a client that must return.
func runClient(t *testing.T, ctx context.Context, cfg ClientConfig) (ClientReport, error) {
	t.Helper()
	type result struct {
		report ClientReport
		err    error
	}
	done := make(chan result, 1)
	go func() {
		report, err := RunClient(ctx, cfg)
		done <- result{report, err}
	}()
	select {
	case r := <-done:
		return r.report, r.err
	case <-time.After(patience):
		t.Fatal("the client does not return")
		return ClientReport{}, nil
	}
}

// endless is an input like a terminal at which nobody types, after a first line. The test's end releases the read that
// hangs in it.
func endless(t *testing.T, first string) io.Reader {
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	return io.MultiReader(strings.NewReader(first), r)
}

func TestClient(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	for _, size := range []int{0, 1, 10, 1 << 20} {
		data := randomBytes(uint64(size), size)
		for _, in := range []io.Reader{bytes.NewReader(data), iotest.DataErrReader(bytes.NewReader(data)), iotest.HalfReader(bytes.NewReader(data))} {
			var out bytes.Buffer
			n, err := runClient(t, t.Context(), ClientConfig{Addrs: []netip.AddrPort{s.Addr()}, In: in, Out: &out})
			if want := (ClientReport{s.Addr(), int64(size), int64(size)}); err != nil || n != want || !bytes.Equal(out.Bytes(), data) {
				t.Errorf("%d bytes in %T: %+v, %v", size, in, n, err)
			}
		}
	}
	if n := s.finish(t); n.Finished != 12 || n.Accepted != 12 {
		t.Errorf("%+v", n)
	}
}

func TestClientIPv6(t *testing.T) {
	t.Parallel()
	needsIPv6(t)
	s := serve(t, Config{Addr: loopback6})
	var out bytes.Buffer
	_, err := runClient(t, t.Context(), ClientConfig{Addrs: []netip.AddrPort{s.Addr()}, In: strings.NewReader("six"), Out: &out})
	if err != nil || out.String() != "six" {
		t.Errorf("%q, %v", &out, err)
	}
}

// TestClientCalls: what is shown.
func TestClientCalls(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	var trace recorder
	var events []string
	var out bytes.Buffer
	_, err := runClient(t, t.Context(), ClientConfig{
		Addrs: []netip.AddrPort{s.Addr()}, In: strings.NewReader("x"), Out: &out, Tracer: &trace,
		Options: func(s *sockapi.Socket) error { return sockapi.TCP_NODELAY.Set(s, true) },
		Events: ClientEvents{
			Connected:    func(*sockapi.Socket, netip.AddrPort) { events = append(events, "connected") },
			PeerFinished: func(*sockapi.Socket, bool) { events = append(events, "peer finished") },
			Closed:       func(*sockapi.Socket, ClientReport) { events = append(events, "closed") },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"connected", "peer finished", "closed"}; !reflect.DeepEqual(events, want) {
		t.Errorf("events %q, want %q", events, want)
	}
	calls := strings.Join(trace.all(), " ")
	if n := strings.Count(calls, "read") + 10*strings.Count(calls, "write"); n != 12 {
		t.Errorf("calls: %s", calls)
	}
}

// TestClientFullDuplex: everything is sent before the reader of the output reads a byte, as far as the queues go, and
// neither direction waits for the other.
func TestClientFullDuplex(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	size := 100 << 20
	if testing.Short() {
		size = 20 << 20
	}
	data := randomBytes(7, size)
	r, w := io.Pipe()
	got := make(chan []byte, 1)
	go func() {
		if !eventually(func() bool { return s.Stats().Stalled == 1 }) {
			t.Error("the queues never were full")
		}
		all, err := io.ReadAll(r)
		if err != nil {
			t.Error(err)
		}
		got <- all
	}()
	n, err := runClient(t, t.Context(), ClientConfig{Addrs: []netip.AddrPort{s.Addr()}, In: bytes.NewReader(data), Out: w})
	w.Close()
	if all := <-got; err != nil || !bytes.Equal(all, data) {
		t.Errorf("%d bytes of %d came back; %+v, %v", len(all), len(data), n, err)
	}
}

func TestClientNoServer(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	closed := s.Addr()
	s.finish(t)
	_, err := runClient(t, t.Context(), ClientConfig{Addrs: []netip.AddrPort{closed}, In: strings.NewReader("x"), Out: io.Discard})
	if want := "connect " + closed.String() + ": connection refused"; !errors.Is(err, unix.ECONNREFUSED) || err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	for _, none := range [][]netip.AddrPort{nil, {{}}} {
		if _, err := runClient(t, t.Context(), ClientConfig{Addrs: none}); !errors.Is(err, errNoAddress) {
			t.Errorf("addresses %v: %v", none, err)
		}
	}
	// The next address is tried.
	open := serve(t, Config{})
	n, err := runClient(t, t.Context(), ClientConfig{
		Addrs: []netip.AddrPort{closed, open.Addr()}, In: strings.NewReader("x"), Out: io.Discard,
	})
	if err != nil || n.Peer != open.Addr() {
		t.Errorf("%+v, %v", n, err)
	}
}

// TestClientReset: the server resets in the middle, while the client waits in different places.
func TestClientReset(t *testing.T) {
	t.Parallel()
	someThenReset := func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 5))
		_, _ = io.WriteString(c, "hel")
		_ = c.SetLinger(0)
	}
	for _, c := range []struct {
		name string
		in   func(t *testing.T) io.Reader
	}{
		{"at a terminal", func(t *testing.T) io.Reader { return endless(t, "hello") }},
		{"after the end of input", func(*testing.T) io.Reader { return strings.NewReader("hello") }},
		{"while sending", func(*testing.T) io.Reader { return bytes.NewReader(make([]byte, 64<<20)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			finished := false
			n, err := runClient(t, t.Context(), ClientConfig{
				Addrs: []netip.AddrPort{peer(t, someThenReset)}, In: c.in(t), Out: io.Discard,
				Events: ClientEvents{PeerFinished: func(*sockapi.Socket, bool) { finished = true }},
			})
			if !isReset(err) || !strings.Contains(err.Error(), "bytes sent, ") || finished {
				t.Errorf("%v, finished %v", err, finished)
			}
			if n.Sent < 5 || n.Received > 3 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// TestClientServerFinishesFirst: the connection is half-closed the other way.
func TestClientServerFinishesFirst(t *testing.T) {
	t.Parallel()

	t.Run("and still receives", func(t *testing.T) {
		t.Parallel()
		var got atomic.Pointer[[]byte]
		addr := peer(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "0123456789")
			_ = c.CloseWrite()
			b, _ := io.ReadAll(c)
			got.Store(&b)
		})
		in, typing := io.Pipe()
		var stillSending atomic.Bool
		n, err := runClient(t, t.Context(), ClientConfig{
			Addrs: []netip.AddrPort{addr}, In: in, Out: io.Discard,
			Events: ClientEvents{PeerFinished: func(_ *sockapi.Socket, sending bool) {
				stillSending.Store(sending)
				go func() { // the user is told, types another line, and then ends the input
					_, _ = io.WriteString(typing, "late\n")
					typing.Close()
				}()
			}},
		})
		if err != nil || n.Sent != 5 || n.Received != 10 || !stillSending.Load() {
			t.Errorf("%+v, %v, still sending: %v", n, err, stillSending.Load())
		}
		wait(t, "the server has got it", func() bool { b := got.Load(); return b != nil && string(*b) == "late\n" })
	})

	t.Run("and is gone", func(t *testing.T) {
		t.Parallel()
		addr := peer(t, func(*net.TCPConn) {})
		in, typing := io.Pipe()
		t.Cleanup(func() { typing.Close() })
		n, err := runClient(t, t.Context(), ClientConfig{
			Addrs: []netip.AddrPort{addr}, In: in, Out: io.Discard,
			Events: ClientEvents{PeerFinished: func(*sockapi.Socket, bool) {
				go func() { _, _ = io.WriteString(typing, "to nobody\n") }() // answered with RST; nothing more is typed
			}},
		})
		if !isReset(err) || n.Sent != 10 {
			t.Errorf("%+v, %v", n, err)
		}
	})

	t.Run("with bytes missing", func(t *testing.T) {
		t.Parallel()
		addr := peer(t, func(c *net.TCPConn) {
			_, _ = io.ReadAll(c)
			_, _ = io.WriteString(c, "hel")
		})
		n, err := runClient(t, t.Context(), ClientConfig{Addrs: []netip.AddrPort{addr}, In: strings.NewReader("hello"), Out: io.Discard})
		if !errors.Is(err, ErrIncomplete) || n.Sent != 5 || n.Received != 3 {
			t.Errorf("%+v, %v", n, err)
		}
	})
}

// TestClientStreams: what goes wrong with the input and the output.
func TestClientStreams(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	addrs := []netip.AddrPort{s.Addr()}

	var out bytes.Buffer
	in := io.MultiReader(strings.NewReader("before"), iotest.ErrReader(syscall.EIO))
	_, err := runClient(t, t.Context(), ClientConfig{Addrs: addrs, In: in, Out: &out})
	if !errors.Is(err, ErrInput) || !errors.Is(err, unix.EIO) || out.String() != "before" {
		t.Errorf("unreadable input: %v, %q came back", err, &out)
	}

	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err = runClient(t, t.Context(), ClientConfig{Addrs: addrs, In: dir, Out: io.Discard}); !errors.Is(err, unix.EISDIR) {
		t.Errorf("input is a directory: %v", err)
	}

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	_, err = runClient(t, t.Context(), ClientConfig{Addrs: addrs, In: endless(t, "x"), Out: w})
	if !errors.Is(err, ErrOutputClosed) {
		t.Errorf("output closed: %v", err)
	}

	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	_, err = runClient(t, t.Context(), ClientConfig{Addrs: addrs, In: endless(t, "x"), Out: full})
	if !errors.Is(err, ErrOutput) || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("output full: %v", err)
	}
}

// TestClientOptionsFail: the error is returned, nothing is left open.
func TestClientOptionsFail(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no")
	var sock *sockapi.Socket
	_, err := runClient(t, t.Context(), ClientConfig{
		Addrs: []netip.AddrPort{loopback4}, In: strings.NewReader(""), Out: io.Discard,
		Options: func(s *sockapi.Socket) error { sock = s; return refusal },
	})
	if !errors.Is(err, refusal) || sock.FD() >= 0 {
		t.Errorf("%v, descriptor %d", err, sock.FD())
	}
}

// TestClientSendTimeout: SO_SNDTIMEO ends the run, although the connection is well.
func TestClientSendTimeout(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	addr := peer(t, func(*net.TCPConn) { <-gone }) // reads nothing
	defer close(gone)
	_, err := runClient(t, t.Context(), ClientConfig{
		Addrs: []netip.AddrPort{addr}, In: bytes.NewReader(make([]byte, 64<<20)), Out: io.Discard,
		Options: func(s *sockapi.Socket) error { return sockapi.SO_SNDTIMEO.Set(s, 50*time.Millisecond) },
	})
	if !isTimeout(err) {
		t.Error(err)
	}
}

// TestClientSendFails: write(2) fails although the connection lives. The client ends, and what the server had sent is
// had.
func TestClientSendFails(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	defer close(ended)
	addr := peer(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "0123456789")
		<-ended
	})
	var sock *sockapi.Socket
	lines, more := []string{"first\n", "second\n"}, 0
	in := readerFunc(func(p []byte) (int, error) {
		if more++; more == 1 {
			return copy(p, lines[0]), nil
		}
		// Behind the client's back, so that its next write meets EPIPE.
		if err := sock.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) }); err != nil {
			t.Error(err)
		}
		if !eventually(func() bool { n, err := sock.InQ(); return n == 9 && err == nil }) {
			t.Error("not all has come")
		}
		return copy(p, lines[1]), nil
	})
	hungUp := make(chan struct{})
	out := &heldBack{release: hungUp}
	n, err := runClient(t, t.Context(), ClientConfig{
		Addrs: []netip.AddrPort{addr}, In: in, Out: out, BufferSize: 1,
		Options: func(s *sockapi.Socket) error { sock = s; return nil },
		Tracer:  &entered{when: "shutdown", do: func() { close(hungUp) }},
	})
	if !errors.Is(err, unix.EPIPE) || n.Received != 10 || out.String() != "0123456789" {
		t.Errorf("%+v, %v, %q came", n, err, out.String())
	}
}

// readerFunc is a function as an io.Reader.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// heldBack is an output that takes nothing until it is released.
type heldBack struct {
	release <-chan struct{}
	syncBuffer
}

func (h *heldBack) Write(p []byte) (int, error) {
	<-h.release
	return h.syncBuffer.Write(p)
}

// blockedWriter is an output whose reader has stopped.
type blockedWriter struct{ release <-chan struct{} }

func (w blockedWriter) Write(p []byte) (int, error) {
	<-w.release
	return len(p), nil
}

// TestClientCancel: the end of the context ends the client at once, wherever it waits.
func TestClientCancel(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{DrainTimeout: -1})
	released := make(chan struct{})
	defer close(released)
	silence := func(*net.TCPConn) { <-released }
	silent := []netip.AddrPort{peer(t, silence), peer(t, silence)}
	cause := errors.New("Ctrl-C")
	for _, c := range []struct {
		name string
		cfg  ClientConfig
		when func(received *syncBuffer) bool
	}{
		{"waiting for input", ClientConfig{Addrs: []netip.AddrPort{s.Addr()}, In: endless(t, "x")},
			func(received *syncBuffer) bool { return received.String() == "x" }},
		{"waiting for the server to read", ClientConfig{Addrs: []netip.AddrPort{silent[0]}, In: bytes.NewReader(make([]byte, 64<<20))}, nil},
		{"waiting for the server to finish", ClientConfig{Addrs: []netip.AddrPort{silent[1]}, In: strings.NewReader("x")}, nil},
		{"waiting for the reader of the output", ClientConfig{
			Addrs: []netip.AddrPort{s.Addr()}, In: bytes.NewReader(make([]byte, 64<<20)), Out: blockedWriter{released},
		}, func(*syncBuffer) bool { return s.Stats().Stalled == 1 }},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		var out syncBuffer
		if c.cfg.Out == nil {
			c.cfg.Out = &out
		}
		connected := make(chan struct{})
		c.cfg.Events.Connected = func(*sockapi.Socket, netip.AddrPort) { close(connected) }
		c.cfg.Events.PeerFinished = func(*sockapi.Socket, bool) { t.Errorf("%s: the server never finished", c.name) }
		trace := recorder{noData: true}
		c.cfg.Tracer = &trace
		halfClosed := func() bool { return strings.Contains(strings.Join(trace.all(), " "), "shutdown") }
		go func() {
			<-connected
			eventually(func() bool {
				_, short := c.cfg.In.(*strings.Reader)
				return (c.when == nil || c.when(&out)) && (!short || halfClosed())
			})
			cancel(cause)
		}()
		_, err := runClient(t, ctx, c.cfg)
		if err != cause {
			t.Errorf("%s: %v", c.name, err)
		}
		calls := strings.Join(trace.all(), " ")
		if !strings.HasPrefix(calls, "socket connect ") || !strings.HasSuffix(calls, " close") || !strings.Contains(calls, " shutdown") {
			t.Errorf("%s: calls %s", c.name, calls)
		}
	}
}

// TestClientCancelConnect: a handshake that does not come to an end, because the accept queue is full.
func TestClientCancelConnect(t *testing.T) {
	t.Parallel()
	busy, err := NewServer(Config{Addr: loopback4, Backlog: new(0)}) // and nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer discard(busy)
	dialServer(t, busy.Addr())
	ctx, cancel := context.WithCancel(t.Context())
	var connecting entered
	connecting.when = "connect"
	connecting.do = cancel
	_, err = runClient(t, ctx, ClientConfig{
		Addrs: []netip.AddrPort{busy.Addr()}, In: strings.NewReader("x"), Out: io.Discard, Tracer: &connecting,
	})
	if err != context.Canceled {
		t.Error(err)
	}
	// And one that ended before.
	if _, err = runClient(t, ctx, ClientConfig{Addrs: []netip.AddrPort{busy.Addr()}, Out: io.Discard}); err != context.Canceled {
		t.Error(err)
	}
}

// entered is a Tracer that does something shortly before a call is made.
type entered struct {
	when string
	do   func()
	once sync.Once
}

func (e *entered) Enter(c *sockapi.Call) func() {
	if c.Name == e.when {
		e.once.Do(func() { go e.do() })
	}
	return nil
}
