package echo

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// netServe is the echo server that one writes with package net: a goroutine for each connection.
func netServe(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			// Not io.Copy, which would move the bytes with splice(2) and never see them.
			buf := make([]byte, DefaultBufferSize)
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				if _, err := c.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
	}
}

// servers runs a benchmark against this package's server and against netServe, in turn. Each is a process of its own,
// as echod is: the clients' goroutines would get in its way. Besides the time it reports the server's processor time.
func servers(b *testing.B, run func(b *testing.B, server *child)) {
	for _, s := range []struct {
		name string
		cfg  childConfig
	}{{"epoll", childConfig{}}, {"net", childConfig{Net: true}}} {
		b.Run(s.name, func(b *testing.B) {
			server := startChild(b, s.cfg)
			before := server.status()
			run(b, server)
			b.StopTimer()
			used := server.status().CPUMicros - before.CPUMicros
			b.ReportMetric(float64(used)*1000/float64(b.N), "server-cpu-ns/op")
		})
	}
}

// BenchmarkThroughput is one connection that sends and receives as fast as it can.
func BenchmarkThroughput(b *testing.B) {
	servers(b, func(b *testing.B, server *child) {
		c := dialBench(b, server.status().Addr)
		const chunk = 1 << 20
		b.SetBytes(chunk)
		b.ResetTimer()
		var sender sync.WaitGroup
		sender.Go(func() {
			data := make([]byte, chunk)
			for range b.N {
				if _, err := c.Write(data); err != nil {
					b.Error(err)
					return
				}
			}
		})
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(c, int64(b.N)*chunk), make([]byte, 256<<10)); err != nil {
			b.Error(err)
		}
		sender.Wait()
	})
}

// BenchmarkPingPong is 64 bytes there and back, on one connection and on a hundred at once; ns/op is for one exchange.
func BenchmarkPingPong(b *testing.B) {
	for _, clients := range []int{1, 100} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			servers(b, func(b *testing.B, server *child) {
				addr := server.status().Addr
				conns := make([]*net.TCPConn, clients)
				for i := range conns {
					conns[i] = dialBench(b, addr)
				}
				b.ResetTimer()
				var all sync.WaitGroup
				for i, c := range conns {
					rounds := b.N / clients
					if i < b.N%clients {
						rounds++
					}
					all.Go(func() {
						buf := make([]byte, 64)
						for range rounds {
							if _, err := c.Write(buf); err != nil {
								b.Error(err)
								return
							}
							if _, err := io.ReadFull(c, buf); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				all.Wait()
			})
		})
	}
}

// BenchmarkConnections is connect, 1 byte there and back, close; ns/op is for one connection.
func BenchmarkConnections(b *testing.B) {
	servers(b, func(b *testing.B, server *child) {
		buf := make([]byte, 1)
		addr := server.status().Addr
		for b.Loop() {
			c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(addr))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := c.Write(buf); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(c, buf); err != nil {
				b.Fatal(err)
			}
			_ = c.SetLinger(0) // or the ports would be used up by TIME-WAITs
			c.Close()
		}
	})
}

// BenchmarkIdle is what 10,000 idle connections cost the server's process, in bytes for each: a child process here, so
// that the clients' memory does not count. They have all exchanged a byte before.
func BenchmarkIdle(b *testing.B) {
	const clients = 10_000
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < clients+100 {
		b.Skipf("at most %d descriptors: raise it, with ulimit -n %d", limit.Cur, clients+100)
	}
	servers(b, func(b *testing.B, server *child) {
		addr, before := server.status().Addr, server.resident()
		for b.Loop() {
			conns := make([]*net.TCPConn, clients)
			for i := range conns {
				conns[i] = dialBench(b, addr)
				exchange(b, conns[i], "x")
			}
			b.ReportMetric(float64(server.resident()-before)/clients, "B/conn")
			for _, c := range conns {
				_ = c.SetLinger(0)
				c.Close()
			}
		}
	})
}

func dialBench(b *testing.B, addr netip.AddrPort) *net.TCPConn {
	c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(addr))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}
