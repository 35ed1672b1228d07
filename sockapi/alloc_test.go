package sockapi

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Being traceable costs nothing.
func TestNoAllocations(t *testing.T) {
	c, s := newPair(t, nil)
	buf := make([]byte, 16)
	for name, f := range map[string]func() error{
		"Write and Read": func() error {
			if _, err := c.Write(buf); err != nil {
				return err
			}
			return last(s.Read(buf))
		},
		"Send and Recv": func() error {
			if _, err := c.Send(buf, 0); err != nil {
				return err
			}
			return last(s.Recv(buf, 0))
		},
		"Shutdown":    func() error { return c.Shutdown(unix.SHUT_RD) },
		"Getsockname": func() error { return last(c.Getsockname()) },
		"InQ":         func() error { return last(c.InQ()) },
		"Control":     func() error { return c.Control(func(uintptr) {}) },
	} {
		if n := testing.AllocsPerRun(100, func() { must(t, f()) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func benchmarkEcho(b *testing.B, write, read func(fd int, s *Socket, p []byte) (int, error), t Tracer) {
	c, s := newPair(b, t)
	cfd, sfd := c.FD(), s.FD()
	buf := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := write(cfd, c, buf); err != nil {
			b.Fatal(err)
		}
		if _, err := read(sfd, s, buf); err != nil {
			b.Fatal(err)
		}
	}
}

func write(_ int, s *Socket, p []byte) (int, error) { return s.Write(p) }
func read(_ int, s *Socket, p []byte) (int, error)  { return s.Read(p) }

// A server's sockets, which never block, allocate nothing either.
func TestNoAllocationsWithoutBlocking(t *testing.T) {
	c, s := newPairNonblocking(t)
	buf := make([]byte, 16)
	if n := testing.AllocsPerRun(100, func() {
		must(t, last(s.Write(buf)))
		must(t, last(c.Read(buf)))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkBare is the same two calls without this package.
func BenchmarkBare(b *testing.B) {
	benchmarkEcho(b,
		func(fd int, _ *Socket, p []byte) (int, error) { return unix.Write(fd, p) },
		func(fd int, _ *Socket, p []byte) (int, error) { return unix.Read(fd, p) }, nil)
}

func BenchmarkUntraced(b *testing.B) { benchmarkEcho(b, write, read, nil) }

func BenchmarkTraced(b *testing.B) { benchmarkEcho(b, write, read, blind{}) }

func BenchmarkEAGAIN(b *testing.B) {
	idle, _ := newPair(b, nil)
	must(b, unix.SetNonblock(idle.FD(), true))
	buf := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = idle.Read(buf)
	}
}

// blind is a Tracer that looks at nothing.
type blind struct{}

func (blind) Enter(*Call) func() { return nil }
