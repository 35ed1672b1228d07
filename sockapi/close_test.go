package sockapi

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// After Close a number may be another file's at once. Readers that do not care about Close must never see what is in
// that file.
func TestCloseNeverSomebodyElses(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	foreign := []byte("somebody else's")
	var reads atomic.Int64
	for range rounds {
		c, s := newPairNonblocking(t)
		number := s.FD()
		var stop atomic.Bool
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				buf := make([]byte, 64)
				for !stop.Load() {
					n, err := s.Read(buf)
					reads.Add(1)
					switch {
					case n != 0:
						t.Errorf("read %q from a closed socket's number", buf[:n])
						return
					case err == nil:
						t.Error("read the end of a stream that has not ended")
						return
					case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, os.ErrClosed):
						t.Errorf("read: %v", err)
						return
					}
				}
			})
		}
		before := reads.Load()
		waitFor(t, "the readers", func() bool { return reads.Load() > before })
		must(t, s.Close())
		takeNumber(t, number, foreign, func() {
			before := reads.Load()
			waitFor(t, "the readers to try again", func() bool { return reads.Load() > before+3 })
		})
		stop.Store(true)
		wg.Wait()
		must(t, c.Close())
		if t.Failed() {
			return
		}
	}
}

// takeNumber opens pipes with content in them until one has the number, if nothing else in this process took it first,
// and runs f with them open.
func takeNumber(t *testing.T, number int, content []byte, f func()) {
	t.Helper()
	var open []int
	defer func() {
		for _, fd := range open {
			unix.Close(fd)
		}
	}()
	for range 8 {
		var p [2]int
		must(t, unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK))
		open = append(open, p[:]...)
		if _, err := unix.Write(p[1], content); err != nil {
			t.Fatal(err)
		}
		if p[0] == number || p[1] == number {
			break
		}
	}
	f()
}

func newPairNonblocking(t *testing.T) (client, server *Socket) {
	t.Helper()
	l, at := newListener(t, loopback4, 1, nil)
	client = newSocket(t, unix.AF_INET, 0, nil)
	must(t, client.Connect(at))
	server, _, err := l.Accept4(unix.SOCK_NONBLOCK)
	must(t, err)
	must(t, l.Close())
	return client, server
}

// All calls at once against Close, for the race detector.
func TestCloseRace(t *testing.T) {
	for range 50 {
		c, s := newPair(t, &recorder{})
		var wg sync.WaitGroup
		for _, f := range []func(){
			func() { _, _ = c.Write([]byte("x")) },
			func() { _, _ = c.Getsockname() },
			func() { _, _ = SO_RCVBUF.SetGet(c, 4096) },
			func() { _ = c.Control(func(uintptr) {}) },
			func() { c.Abort() },
			func() { _ = c.FD() },
			func() { _ = c.Close() },
			func() { _ = c.Close() },
			func() { _ = s.Close() },
		} {
			wg.Go(f)
		}
		wg.Wait()
		if c.FD() != -1 || s.FD() != -1 {
			t.Fatal("not closed")
		}
	}
}
