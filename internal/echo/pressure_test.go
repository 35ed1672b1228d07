package echo

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// TestServerSlowReader: a client that sends and does not read fills the kernel's queues, not the server; and has not
// lost a byte when it reads at last.
func TestServerSlowReader(t *testing.T) {
	t.Parallel()
	var accepted atomic.Pointer[sockapi.Socket]
	s := serve(t, Config{Events: Events{Accepted: func(s *sockapi.Socket, _ netip.AddrPort) { accepted.Store(s) }}})
	c := dialServer(t, s.Addr())
	total := fill(t, c, s.stalled)
	if st := s.Stats(); st.PendingBytes <= 0 || st.PendingBytes > DefaultBufferSize {
		t.Errorf("of %d bytes the server holds %d", total, st.PendingBytes)
	}
	if n, err := accepted.Load().InQ(); err != nil || n == 0 {
		t.Errorf("the server's receive queue has %d bytes, %v; it should be full", n, err)
	}
	exchange(t, dialServer(t, s.Addr()), "others are served")

	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil || len(got) != total || !bytes.Equal(got, make([]byte, total)) {
		t.Errorf("%d bytes of %d came back, %v", len(got), total, err)
	}
	wait(t, "the buffer is back in the pool", func() bool {
		st := s.Stats()
		return st.Stalled == 0 && st.PendingBytes == 0
	})
}

// TestServerManySlowReaders: the bound holds for each of many, and for the process.
func TestServerManySlowReaders(t *testing.T) {
	const clients = 50
	server := startChild(t, childConfig{})
	before, memory := server.status(), server.resident()
	var total atomic.Int64
	var all sync.WaitGroup
	conns := make([]*net.TCPConn, clients)
	for i := range conns {
		c := dialServer(t, before.Addr)
		// A send buffer of fixed size, so that what one client gets rid of is megabytes, not tens of them.
		if err := c.SetWriteBuffer(256 << 10); err != nil {
			t.Fatal(err)
		}
		conns[i] = c
		all.Go(func() {
			for chunk := make([]byte, 64<<10); ; {
				n, err := c.Write(chunk)
				total.Add(int64(n))
				if err != nil {
					return // reset, below
				}
			}
		})
	}
	var full childStatus
	var quiet int
	wait(t, "all are stalled, and nothing moves", func() bool {
		last := full.Stats.BytesIn
		full = server.status()
		if quiet++; full.Stats.BytesIn != last {
			quiet = 0
		}
		return full.Stats.Stalled == clients && quiet > 50
	})
	if n := full.Stats.PendingBytes; n > clients*DefaultBufferSize {
		t.Errorf("pending: %d bytes", n)
	}
	const room = 16 << 20 // for the Go runtime, with or without the race detector
	grown := server.resident() - memory
	t.Logf("%d clients sent %d MB and read nothing: %d kB pending, the process grew by %d kB", clients, total.Load()>>20,
		full.Stats.PendingBytes>>10, grown>>10)
	if grown > clients*DefaultBufferSize+room {
		t.Errorf("the process grew by %d bytes", grown)
	}
	for _, c := range conns {
		reset(t, c)
	}
	all.Wait()
	wait(t, "all are gone", func() bool { return server.status().Stats.Open == 0 })
	if end := server.finish(); end.Stats.Resets != clients || end.Stats.PendingBytes != 0 {
		t.Errorf("%+v", end.Stats)
	}
}

// TestServerReset: at every moment of a connection's life a reset is counted and hurts nobody else.
func TestServerReset(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *running, c *net.TCPConn)
	}{
		{"idle", func(t *testing.T, s *running, c *net.TCPConn) {
			wait(t, "open", func() bool { return s.Stats().Open == 1 })
		}},
		{"after an exchange", func(t *testing.T, s *running, c *net.TCPConn) { exchange(t, c, "x") }},
		{"stalled", func(t *testing.T, s *running, c *net.TCPConn) {
			fill(t, c, s.stalled)
		}},
		{"stalled, after its FIN", func(t *testing.T, s *running, c *net.TCPConn) {
			fill(t, c, s.stalled)
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var end ConnReport
			s := serve(t, Config{Events: Events{Closed: func(_ *sockapi.Socket, e ConnReport) {
				if e.Reason == Reset {
					end = e
				}
			}}})
			conn := dialServer(t, s.Addr())
			c.run(t, s, conn)
			reset(t, conn)
			wait(t, "counted", func() bool { return s.Stats().Resets == 1 })
			if st := s.Stats(); st.Stalled != 0 || st.PendingBytes != 0 || st.Open != 0 {
				t.Errorf("%+v", st)
			}
			exchange(t, dialServer(t, s.Addr()), "others are served")
			s.finish(t)
			if !isReset(end.Err) {
				t.Errorf("closed with %v", end.Err)
			}
		})
	}
}

// TestServerResetBeforeAccept: accept4 succeeds, the connection is dead.
func TestServerResetBeforeAccept(t *testing.T) {
	t.Parallel()
	s, err := NewServer(Config{Addr: loopback4})
	if err != nil {
		t.Fatal(err)
	}
	reset(t, dialServer(t, s.Addr()))
	r := start(t, s)
	wait(t, "counted", func() bool { return r.Stats().Resets == 1 })
	exchange(t, dialServer(t, s.Addr()), "x")
}

// TestServerMaxConns: those above the limit wait where they can be seen, and are served in their turn.
func TestServerMaxConns(t *testing.T) {
	t.Parallel()
	var paused, resumed atomic.Int32
	s := serve(t, Config{MaxConns: 2, Events: Events{
		AcceptPaused: func(why error) {
			if errors.Is(why, ErrMaxConns) {
				paused.Add(1)
			}
		},
		AcceptResumed: func() { resumed.Add(1) },
	}})
	var conns []*net.TCPConn
	for range 2 {
		c := dialServer(t, s.Addr())
		exchange(t, c, "served")
		conns = append(conns, c)
	}
	wait(t, "paused", func() bool { return s.Stats().Paused == ErrMaxConns })
	for range 3 {
		c := dialServer(t, s.Addr())
		if _, err := io.WriteString(c, "later"); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	wait(t, "three in the accept queue", func() bool { return acceptQueue(s.Listener()) == 3 })
	exchange(t, conns[0], "still served")
	for i := range 3 {
		conns[i].Close()
		got := make([]byte, 5)
		if _, err := io.ReadFull(conns[i+2], got); err != nil || string(got) != "later" {
			t.Fatalf("client %d: %q, %v", i+2, got, err)
		}
	}
	conns[3].Close()
	conns[4].Close()
	wait(t, "not paused", func() bool { return s.Stats().Paused == nil })
	n := s.finish(t)
	if n.Peak != 2 || n.Accepted != 5 || n.Pauses < 1 || n.Pauses != int64(paused.Load()) || paused.Load() != resumed.Load() {
		t.Errorf("%+v; paused %d, resumed %d", n, paused.Load(), resumed.Load())
	}
}

// TestServerIdleTimeout: idle is a connection on which nothing moves, for whatever reason, and no other.
func TestServerIdleTimeout(t *testing.T) {
	t.Parallel()
	const timeout = 500 * time.Millisecond
	s := serve(t, Config{IdleTimeout: timeout, DrainTimeout: -1})
	start := time.Now()
	silent, unread := dialServer(t, s.Addr()), dialServer(t, s.Addr())
	busy := dialServer(t, s.Addr())
	if _, err := unread.Write(make([]byte, 1)); err != nil { // answered, but it does not read
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if b, err := io.ReadAll(silent); err != nil || len(b) > 0 {
			t.Errorf("silent client: %q, %v", b, err)
		}
		if lived := time.Since(start); lived < timeout {
			t.Errorf("closed after %v", lived)
		}
	}()
	sent := time.Now() // before the last byte that was echoed
	wait(t, "two were idle", func() bool {
		now := time.Now()
		_, err := busy.Write([]byte("x"))
		if err == nil {
			_, err = io.ReadFull(busy, make([]byte, 1))
		}
		if gap := time.Since(sent); err != nil && gap < timeout {
			t.Fatalf("busy client: %v, %v after its last byte", err, gap)
		} else if err != nil {
			t.Skipf("this machine is too busy: the busy client was idle for %v", gap)
		}
		sent = now
		return s.Stats().Idle == 2
	})
	<-ended
	if n := s.finish(t); n.Idle < 2 || n.Idle+n.Drained+n.Cut != 3 { // the busy one is idle, too, from here on
		t.Errorf("%+v", n)
	}
}

// TestServerIdleStalled: a client that does not read is idle once nothing moves any more.
func TestServerIdleStalled(t *testing.T) {
	t.Parallel()
	srv, err := NewServer(Config{Addr: loopback4, IdleTimeout: 300 * time.Millisecond,
		ListenerOptions: func(s *sockapi.Socket) error { return sockapi.SO_SNDBUF.Set(s, 1) }})
	if err != nil {
		t.Fatal(err)
	}
	// There is no room for this much on the way back, and it is there before the time begins to run.
	c := dialSmallWindow(t, srv.Addr())
	fill(t, c, func() bool { return true })
	s := start(t, srv)
	wait(t, "idle", func() bool { return s.Stats().Idle == 1 })
	if st := s.Stats(); st.Open != 0 || st.Stalled != 0 || st.PendingBytes != 0 {
		t.Errorf("%+v", st)
	}
}

// TestServerLingeringClose: close(2) of one connection blocks, and the others do not notice.
func TestServerLingeringClose(t *testing.T) {
	t.Parallel()
	const linger = 2 * time.Second
	var trace recorder
	ended := make(chan ConnReport, 1)
	var stuck *sockapi.Socket // the first connection; the loop's
	s := serve(t, Config{
		Tracer: &trace,
		ListenerOptions: func(s *sockapi.Socket) error { // connections inherit it
			return sockapi.SO_LINGER.Set(s, sockapi.Linger{OnOff: true, Seconds: int(linger / time.Second)})
		},
		Events: Events{Accepted: func(s *sockapi.Socket, _ netip.AddrPort) {
			if stuck != nil {
				return
			}
			stuck = s
			if err := sockapi.SO_SNDBUF.Set(s, 1<<20); err != nil {
				t.Error(err)
			}
		}, Closed: func(s *sockapi.Socket, e ConnReport) {
			if s == stuck {
				ended <- e
			}
		}},
	})
	// Fill the way back only, and no more than the server's send buffer: the server has then read everything, so that
	// its close sends FIN and not RST, behind data that is not acknowledged.
	c := dialSmallWindow(t, s.Addr())
	if _, err := c.Write(make([]byte, 256<<10)); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	wait(t, "closing", func() bool { return s.Stats().Finished == 1 })
	start := time.Now()
	exchange(t, dialServer(t, s.Addr()), "others are served")
	took := time.Since(start)
	t.Logf("an exchange during the close: %v", took)
	select {
	case <-ended:
		if took < linger/2 {
			t.Error("the close did not linger")
		}
		return
	default:
	}
	select {
	case e := <-ended:
		if e.BytesOut != 256<<10 || e.Reason != Finished {
			t.Errorf("%+v", e)
		}
	case <-time.After(patience):
		t.Error("the lingering close was never reported")
	}
	if took := trace.longest("close"); took < linger-50*time.Millisecond {
		t.Errorf("close(2) took %v", took)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for errno, want := range map[unix.Errno]acceptResult{
		unix.EAGAIN:       queueEmpty,
		unix.EMFILE:       outOfResources,
		unix.ENFILE:       outOfResources,
		unix.ENOBUFS:      outOfResources,
		unix.ENOMEM:       outOfResources,
		unix.ECONNABORTED: connectionFailed,
		unix.EPERM:        connectionFailed,
		unix.ENETDOWN:     connectionFailed,
		unix.EOPNOTSUPP:   connectionFailed, // in accept(2)'s list of errors that were pending on the connection
		unix.ETIMEDOUT:    connectionFailed,
		unix.EACCES:       connectionFailed,
		unix.EIO:          connectionFailed,
		unix.EINVAL:       listenerGone,
		unix.EBADF:        listenerGone,
		unix.ENOTSOCK:     listenerGone,
	} {
		if got := classify(&sockapi.Error{Call: "accept4", Errno: errno}); got != want {
			t.Errorf("%v: %v, want %v", errno, got, want)
		}
	}
	if classify(nil) != accepted || classify(errors.New("x")) != listenerGone {
		t.Error("nil or not an errno")
	}
}
