package capture

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/segment"
	"socklife/internal/unsupported"
)

// open skips without the privilege.
func open(t *testing.T) *Capture {
	t.Helper()
	c, err := Open()
	if unsupported.In(err) != nil {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// talk opens a connection to a fresh port, sends a word each way, and closes.
func talk(t *testing.T, l net.Listener) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b := make([]byte, 16)
		n, _ := conn.Read(b)
		conn.Write(b[:n])
		conn.Read(b)
	})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Write([]byte("hello"))
	conn.Read(make([]byte, 16))
	conn.Close()
	wg.Wait()
}

func listen(t *testing.T, network, addr string) (net.Listener, uint16) {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Skipf("%s: %v", network, err)
	}
	t.Cleanup(func() { l.Close() })
	return l, netip.MustParseAddrPort(l.Addr().String()).Port()
}

// Every segment of the connection is seen once, in order, with its time; those of other ports are not.
func TestSeesAConnectionAndNothingElse(t *testing.T) {
	for network, addr := range map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0"} {
		t.Run(network, func(t *testing.T) {
			c := open(t)
			seen, port := listen(t, network, addr)
			unseen, other := listen(t, network, addr)
			for p := port + 1; p != port+5; p++ {
				if p == other {
					continue
				}
				if err := c.AddPort(p); err != nil { // further tests in the filter
					t.Fatal(err)
				}
			}
			if err := c.AddPort(port); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			var packets []segment.Segment
			ctx, cancel := context.WithCancel(t.Context())
			var reading sync.WaitGroup
			reading.Go(func() {
				err := c.Run(ctx, func(p Packet) {
					s, err := segment.Decode(p.Data)
					if err != nil {
						t.Errorf("%v: % x", err, p.Data)
					}
					if p.At.Before(begin.Add(-time.Millisecond)) || p.At.After(time.Now().Add(time.Millisecond)) {
						t.Errorf("a packet of %v, now is %v", p.At, time.Now())
					}
					packets = append(packets, s) // whose data is overwritten: only its length counts
				}, nil)
				if err != nil {
					t.Error(err)
				}
			})
			talk(t, unseen)
			talk(t, seen)
			cancel()
			reading.Wait()
			judge(t, packets, port)
		})
	}
}

// However many ports are asked for, those are seen that were.
func TestSeesEachOfManyPorts(t *testing.T) {
	for _, many := range []int{maxPorts, maxPorts + 1, 300} {
		c := open(t)
		l, port := listen(t, "tcp4", "127.0.0.1:0")
		for p := uint16(1); len(c.ports) < many-1; p++ {
			if err := c.AddPort(p); err != nil {
				t.Fatal(err)
			}
			if err := c.AddPort(port); err != nil {
				t.Fatal(err)
			}
		}
		talk(t, l)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		seen := 0
		err := c.Run(ctx, func(p Packet) {
			if s, err := segment.Decode(p.Data); err == nil && (s.Src.Port() == port || s.Dst.Port() == port) {
				seen++
			}
		}, nil)
		if err != nil || seen < 7 {
			t.Errorf("%d ports: %d segments seen of a connection, %v", many, seen, err)
		}
	}
}

func judge(t *testing.T, packets []segment.Segment, port uint16) {
	t.Helper()
	syns, fins, data := 0, 0, 0
	for _, s := range packets {
		if s.Src.Port() != port && s.Dst.Port() != port {
			t.Errorf("a segment of another connection: %v > %v", s.Src, s.Dst)
		}
		if s.Flags.Has(segment.SYN) {
			syns++
		}
		if s.Flags.Has(segment.FIN) {
			fins++
		}
		data += s.Len()
	}
	if syns != 2 || fins != 2 || data != 10 {
		t.Errorf("%d SYNs, %d FINs, %d bytes of data in %d segments; want 2, 2, 10", syns, fins, data, len(packets))
	}
}

func TestNothingIsSeenBeforeAPortIsAdded(t *testing.T) {
	c := open(t)
	l, _ := listen(t, "tcp4", "127.0.0.1:0")
	talk(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Run(ctx, func(p Packet) { t.Errorf("seen: % x", p.Data) }, nil); err != nil {
		t.Error(err)
	}
}

// What there was no room for is not kept quiet.
func TestLossesAreTold(t *testing.T) {
	c := open(t)
	// The kernel makes it the least there is.
	if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
		t.Fatal(err)
	}
	l, port := listen(t, "tcp4", "127.0.0.1:0")
	if err := c.AddPort(port); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var told []uint32 // with each packet, and after the last
	for range 2 {
		for range 10 {
			talk(t, l)
		}
		var lost, seen uint32
		told = told[:0]
		err := c.Run(ctx, func(p Packet) {
			lost, told = lost+p.Lost, append(told, p.Lost)
			if p.Data != nil {
				seen++
			}
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if seen == 0 || lost == 0 {
			t.Errorf("%d packets seen, %d lost", seen, lost)
		}
	}
	if told[0] != 0 { // the buffer was empty: what is missing is missing behind those that found room
		t.Errorf("%d packets lost before the first", told[0])
	}
}

// A packet has the time at which the kernel had it and not that of being read, from the first one on.
func TestTimesAreTheKernels(t *testing.T) {
	t.Parallel()
	c := open(t)
	l, port := listen(t, "tcp4", "127.0.0.1:0")
	defer l.Close()
	if err := c.AddPort(port); err != nil {
		t.Fatal(err)
	}
	talk(t, l)
	talked := time.Now()
	for time.Since(talked) < 20*time.Millisecond { // nobody reads meanwhile
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	if err := c.Run(ctx, func(p Packet) {
		if n++; p.At.After(talked.Add(10 * time.Millisecond)) {
			t.Errorf("packet %d came %v after the connection", n, p.At.Sub(talked))
		}
	}, nil); err != nil || n == 0 {
		t.Errorf("%d packets, %v", n, err)
	}
}
