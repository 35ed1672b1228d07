package echo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"reflect"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

func TestServerAddresses(t *testing.T) {
	t.Parallel()
	for _, addr := range []netip.AddrPort{loopback4, loopback6} {
		t.Run(addr.String(), func(t *testing.T) {
			t.Parallel()
			if addr.Addr().Is6() {
				needsIPv6(t)
			}
			s := serve(t, Config{Addr: addr})
			if got := s.Addr(); got.Addr() != addr.Addr() || got.Port() == 0 {
				t.Errorf("listening on %v, asked for %v", got, addr)
			}
			exchange(t, dialServer(t, s.Addr()), "hello\n")
		})
	}
}

func needsIPv6(t testing.TB) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 loopback here (%v): enable net.ipv6.conf.lo", err)
	}
	l.Close()
}

func TestServerErrors(t *testing.T) {
	t.Parallel()
	busy := serve(t, Config{})
	for _, c := range []struct {
		name string
		addr netip.AddrPort
		want error
	}{
		{"address in use", busy.Addr(), unix.EADDRINUSE},
		{"not an address of ours", netip.MustParseAddrPort("192.0.2.1:0"), unix.EADDRNOTAVAIL},
	} {
		if _, err := NewServer(Config{Addr: c.addr}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := NewServer(Config{}); err == nil {
		t.Error("the zero address was taken")
	}
	refusal := errors.New("no")
	_, err := NewServer(Config{Addr: loopback4, ListenerOptions: func(*sockapi.Socket) error { return refusal }})
	if !errors.Is(err, refusal) {
		t.Errorf("ListenerOptions' error became %v", err)
	}
}

// TestServerRestart: the server closes first, so its port has a TIME-WAIT, and SO_REUSEADDR is what allows the next to
// bind.
func TestServerRestart(t *testing.T) {
	t.Parallel()
	first := serve(t, Config{})
	c := dialServer(t, first.Addr())
	exchange(t, c, "x")
	if n := first.finish(t); n.Drained != 1 {
		t.Fatalf("%+v", n)
	}
	c.Close()
	if _, err := NewServer(Config{Addr: first.Addr(), NoReuseAddr: true}); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("without SO_REUSEADDR: %v", err)
	}
	again := serve(t, Config{Addr: first.Addr()})
	exchange(t, dialServer(t, again.Addr()), "x")
}

// TestServerAnyChunks: whatever pieces the data comes in, it comes back the same.
func TestServerAnyChunks(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 512, DefaultBufferSize} { // of the server's buffer; 0 is the default
		s := serve(t, Config{BufferSize: size})
		var all sync.WaitGroup
		for seed := range uint64(8) {
			all.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(size)))
				limit := 1 << 20
				if size == 1 {
					limit = 1 << 12
				}
				data := randomBytes(seed, r.IntN(limit))
				if err := sendInChunks(t, s.Addr(), data, r); err != nil {
					t.Errorf("buffer %d, seed %d: %v", size, seed, err)
				}
			})
		}
		all.Wait()
		if n := s.finish(t); n.BytesIn != n.BytesOut || n.Finished != 8 {
			t.Errorf("%+v", n)
		}
	}
}

// sendInChunks sends data in pieces of random lengths, half-closes, and compares what comes back.
func sendInChunks(t testing.TB, addr netip.AddrPort, data []byte, r *rand.Rand) error {
	c := dialServer(t, addr)
	defer c.Close()
	sent := make(chan error, 1)
	go func() {
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(1<<r.IntN(18)))
			if _, err := c.Write(rest[:n]); err != nil {
				sent <- err
				return
			}
			rest = rest[n:]
		}
		sent <- c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err := errors.Join(err, <-sent); err != nil {
		return err
	}
	if !bytes.Equal(got, data) {
		return fmt.Errorf("%d bytes sent, %d came back, different", len(data), len(got))
	}
	return nil
}

func TestServerThousandClients(t *testing.T) {
	t.Parallel()
	const clients = 1000
	s := serve(t, Config{})
	conns := make([]*net.TCPConn, clients)
	for i := range conns {
		conns[i] = dialServer(t, s.Addr())
	}
	wait(t, "all are open at once", func() bool { return s.Stats().Open == clients })
	var all sync.WaitGroup
	for i, c := range conns {
		all.Go(func() {
			data := randomBytes(uint64(i), 10_000)
			var sender sync.WaitGroup
			sender.Go(func() {
				if _, err := c.Write(data); err != nil {
					t.Error(err)
				}
				if err := c.CloseWrite(); err != nil {
					t.Error(err)
				}
			})
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, data) {
				t.Errorf("client %d: %d bytes came back, %v", i, len(got), err)
			}
			sender.Wait()
		})
	}
	all.Wait()
	n := s.finish(t)
	if n.Accepted != clients || n.Finished != clients || n.Peak != clients || n.BytesIn != clients*10_000 {
		t.Errorf("%+v", n)
	}
}

// TestServerCalls: what is shown of a connection.
func TestServerCalls(t *testing.T) {
	t.Parallel()
	var trace recorder
	s := serve(t, Config{Tracer: &trace})
	conn := dialServer(t, s.Addr())
	wait(t, "accepted", func() bool { return s.Stats().Open == 1 })
	exchange(t, conn, "hello\n")
	conn.Close()
	wait(t, "closed", func() bool { return s.Stats().Finished == 1 })
	s.stop()
	<-s.done
	want := []string{"socket", "setsockopt", "setsockopt", "bind", "listen", "getsockname", "accept4", "read", "write", "read", "close",
		"accept4 EAGAIN", "close"} // at the end it looks once more whether somebody waits to be accepted
	if got := trace.all(); !reflect.DeepEqual(got, want) {
		t.Errorf("calls\n%q, want\n%q", got, want)
	}
}

func TestServerEvents(t *testing.T) {
	t.Parallel()
	var events []string // written by the loop, read after it has ended
	var peer netip.AddrPort
	var sock *sockapi.Socket
	var end ConnReport
	s := serve(t, Config{
		Events: Events{
			Accepted: func(s *sockapi.Socket, p netip.AddrPort) {
				events = append(events, "accepted")
				sock, peer = s, p
			},
			PeerFinished: func(s *sockapi.Socket) {
				events = append(events, "peer finished")
				if s != sock || s.FD() < 0 {
					t.Error("not the open socket that was accepted")
				}
			},
			Closed: func(s *sockapi.Socket, e ConnReport) {
				events = append(events, "closed")
				if s != sock || s.FD() >= 0 {
					t.Error("not the socket that was accepted, closed")
				}
				end = e
			},
			Draining: func(int) { events = append(events, "draining") },
		},
	})
	c := dialServer(t, s.Addr())
	exchange(t, c, "hello\n")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
		t.Fatalf("%q, %v", rest, err)
	}
	s.finish(t)
	if want := []string{"accepted", "peer finished", "closed"}; !reflect.DeepEqual(events, want) {
		t.Errorf("%q, want %q", events, want)
	}
	local := c.LocalAddr().(*net.TCPAddr).AddrPort()
	if want := (ConnReport{Peer: local, BytesIn: 6, BytesOut: 6, Reason: Finished}); peer != local || end != want {
		t.Errorf("peer %v, end %+v, want %+v", peer, end, want)
	}
}

// TestServerFairness: a client that never stops sending does not keep the others waiting.
func TestServerFairness(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{DrainTimeout: -1})
	busy := dialServer(t, s.Addr())
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(io.Discard, busy) })
	both.Go(func() {
		chunk := make([]byte, 1<<20)
		for {
			if _, err := busy.Write(chunk); err != nil {
				return
			}
		}
	})
	wait(t, "the busy client is busy", func() bool { return s.Stats().BytesOut > 10<<20 })
	small := dialServer(t, s.Addr())
	start := time.Now()
	for range 100 {
		exchange(t, small, "ping")
	}
	t.Logf("100 exchanges beside a busy client: %v", time.Since(start))
	busy.Close()
	both.Wait()
}

// TestServerContextAlreadyEnded: nothing hangs, and who had connected is served.
func TestServerContextAlreadyEnded(t *testing.T) {
	t.Parallel()
	s, err := NewServer(Config{Addr: loopback4})
	if err != nil {
		t.Fatal(err)
	}
	c := dialServer(t, s.Addr())
	if _, err := io.WriteString(c, "in time"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n, err := s.Serve(ctx)
	if got, readErr := io.ReadAll(c); string(got) != "in time" || errors.Join(err, readErr) != nil {
		t.Errorf("%q, %v, %v", got, err, readErr)
	}
	if n.Accepted != 1 || n.Drained != 1 {
		t.Errorf("%+v", n)
	}
}

// TestServerListenerGone: without its listener the server ends with an error, also while it is not interested in it.
func TestServerListenerGone(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, 1} {
		s, err := NewServer(Config{Addr: loopback4, MaxConns: limit})
		if err != nil {
			t.Fatal(err)
		}
		c := dialServer(t, s.Addr())
		seen := observe(s)
		ended := make(chan error, 1)
		go func() {
			_, err := s.Serve(t.Context())
			ended <- err
		}()
		exchange(t, c, "x")
		if err := s.Listener().Shutdown(unix.SHUT_RD); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, errListenerGone) {
			t.Errorf("limit %d: %v", limit, err)
		}
		if b, err := io.ReadAll(c); err != nil || len(b) > 0 {
			t.Errorf("limit %d: %q, %v", limit, b, err)
		}
		if st := seen.Stats(); st.Open != 0 || st.Failed != 1 {
			t.Errorf("limit %d: %+v", limit, st)
		}
	}
}
