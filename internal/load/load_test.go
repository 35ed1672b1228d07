package load

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// TestLoad is each kind of load by itself, then all of them at once. Every byte that comes back is compared.
func TestLoad(t *testing.T) {
	if !*load {
		t.Skip("-load puts echod under load: .ci/load")
	}
	defer func() { fmt.Print("\n", markdown()) }()
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"many", many},
		{"resets", resets},
		{"never read", func(t *testing.T) { neverRead(t) }},
		{"never read, no limit", func(t *testing.T) { neverRead(t, "--max-unread", "0") }},
		{"never write", neverWrite},
		{"half-close and stay", halfClose},
		{"no descriptors", noDescriptors},
		{"drain", drain},
		{"mixed", mixedLoad},
	} {
		if !t.Run(part.name, part.run) {
			fmt.Println(part.name + ": failed")
		}
	}
}

// each runs f for n clients at once, and returns the errors.
func each(n int, f func(i int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = f(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// dialAll opens so many connections, some at a time.
func dialAll(t *testing.T, s *server, n int) []*client {
	t.Helper()
	list := make([]*client, n)
	const together = 64
	err := each(together, func(first int) error {
		for i := first; i < n; i += together {
			c, err := s.dial()
			if err != nil {
				return fmt.Errorf("connection %d: %w", i, err)
			}
			list[i] = c
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range list {
			c.Close()
		}
	})
	return list
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// gone waits until the server has no connection left, in the kernel and by its descriptors: those that it had, the
// listener among them, and two of the Go runtime's.
func (s *server) gone() {
	s.t.Helper()
	wait(s.t, "all connections are gone", func() bool {
		now := s.sample()
		return now.conns == 0 && now.descriptors <= s.began.descriptors+2
	})
}

// some is how many clients there are of those that take long; -short has fewer.
func some(n int) int {
	if testing.Short() {
		return n / 4
	}
	return n
}

// many: most are idle, some talk; then the idle ones do, once.
func many(t *testing.T) {
	const conns, busy, exchanges = 8000, 1000, 20
	s := start(t, "--max-conns", "0")
	w := s.watch("8,000 connections, 1,000 of them busy")
	list := dialAll(t, s, conns)
	wait(t, "all are accepted", func() bool { return s.sample().descriptors >= w.before.descriptors+conns })
	w.look(s)
	var longest time.Duration
	var mu sync.Mutex
	must(t, each(busy, func(i int) error {
		for range exchanges {
			began := time.Now()
			if err := list[i].exchange(1 + rand.IntN(16<<10)); err != nil {
				return err
			}
			mu.Lock()
			longest = max(longest, time.Since(began))
			mu.Unlock()
		}
		return nil
	}))
	w.look(s)
	must(t, each(conns-busy, func(i int) error { return list[busy+i].exchange(100) }))
	w.look(s)
	must(t, each(conns, func(i int) error { return list[i].finish() }))
	s.gone()
	w.end(s, conns, "%d exchanges, the longest %d ms", busy*exchanges+conns-busy, longest.Milliseconds())
	s.stop()
}

// resets: connections that end in a reset, with nothing, something or much on its way.
func resets(t *testing.T) {
	const times = 20_000
	s := start(t)
	w := s.watch("20,000 connects and resets")
	stop := s.looking(w)
	must(t, each(32, func(int) error {
		for i := range times / 32 {
			c, err := s.dial()
			if err != nil {
				return err
			}
			if i%3 > 0 {
				if err := c.send(1 + rand.IntN(i%3*32<<10)); err != nil && !isReset(err) {
					return err
				}
			}
			c.reset()
		}
		return nil
	}))
	s.gone()
	stop()
	w.end(s, times, "")
	fresh := start(t).goroutines()
	left := s.goroutines()
	table[len(table)-1].note = fmt.Sprintf("%d goroutines after it; a fresh echod has %d", left, fresh)
	if left > fresh {
		t.Errorf("%d goroutines are left, a server that has just begun has %d", left, fresh)
	}
}

// looking takes samples until it is told to stop.
func (s *server) looking(w *watcher) (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.look(s)
			case <-over:
				return
			}
		}
	}()
	return func() { close(over); <-done }
}

// neverRead: clients that send and do not read, until nothing moves. The others are served; and when those read at last
// nothing is missing.
func neverRead(t *testing.T, flags ...string) {
	conns := some(400)
	s := start(t, flags...)
	w := s.watch(fmt.Sprintf("%d clients that never read%s", conns, map[bool]string{true: ", `--max-unread 0`"}[len(flags) > 0]))
	list := dialAll(t, s, conns)
	must(t, each(conns, func(i int) error { return list[i].fill(500 * time.Millisecond) }))
	full := w.look(s)
	other, err := s.dial()
	must(t, err)
	began := time.Now()
	must(t, other.exchange(1000))
	served := time.Since(began)
	must(t, other.finish())
	must(t, each(conns, func(i int) error {
		list[i].SetDeadline(time.Now().Add(patience))
		if err := list[i].drain(); err != nil {
			return err
		}
		return list[i].finish()
	}))
	s.gone()
	w.end(s, conns, "%d kB of kernel memory a client; another is served in %d ms; then they read, and nothing is missing",
		full.kernel/1000/int64(conns), served.Milliseconds())
	if perClient := full.kernel / int64(conns); len(flags) == 0 && perClient > 2<<20 {
		t.Errorf("%d bytes of kernel memory for a client that does not read", perClient)
	}
	s.stop()
}

// neverWrite: the idle timeout ends those that never send, tells of each, and lets the next ones in.
func neverWrite(t *testing.T) {
	const conns = 500
	s := start(t, "--idle-timeout", "2s", "--max-conns", "250")
	w := s.watch("500 clients that never write: `--max-conns 250 --idle-timeout 2s`")
	list := dialAll(t, s, conns)
	wait(t, "as many as may be are open", func() bool { return s.told("250 connections open (--max-conns)") == 1 })
	w.look(s)
	must(t, each(conns, func(i int) error {
		if n, err := list[i].Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
			return fmt.Errorf("%d bytes, %v", n, err)
		}
		return list[i].Close()
	}))
	s.gone()
	wait(t, "all are told", func() bool { return s.told("idle for 2s (--idle-timeout)") == conns })
	w.end(s, conns, "each ended and told, in two turns")
	if n := w.peak.descriptors - w.before.descriptors; n > 250 {
		t.Errorf("%d connections with --max-conns 250", n)
	}
	s.stop()
}

// halfClose: clients that half-close and stay, one half of them before they read.
func halfClose(t *testing.T) {
	conns := some(400)
	s := start(t)
	w := s.watch(fmt.Sprintf("%d clients that half-close and stay, %d of them with megabytes to read", conns, conns/2))
	list := dialAll(t, s, conns)
	must(t, each(conns, func(i int) error {
		if i%2 == 0 {
			return errors.Join(list[i].exchange(5000), list[i].CloseWrite())
		}
		return errors.Join(list[i].fill(500*time.Millisecond), list[i].CloseWrite())
	}))
	wait(t, "those that have read all are gone", func() bool { return w.look(s).descriptors <= w.before.descriptors+conns/2 })
	must(t, each(conns, func(i int) error {
		list[i].SetDeadline(time.Now().Add(patience))
		if err := list[i].receive(-1); err != nil {
			return err
		}
		if list[i].got != list[i].sent {
			return fmt.Errorf("%d bytes sent, %d came back", list[i].sent, list[i].got)
		}
		return list[i].Close()
	}))
	s.gone()
	w.end(s, conns, "nothing is missing")
	s.stop()
}

// noDescriptors: the server has none left for a while, until those that it serves end.
func noDescriptors(t *testing.T) {
	const conns = 600
	s := startLimited(t, 200)
	w := s.watch("600 clients of a server that has 200 descriptors (EMFILE)")
	list := dialAll(t, s, conns)
	wait(t, "it says so", func() bool { return s.told("too many open files") == 1 })
	short := w.look(s)
	began := time.Now()
	wait(t, "three seconds of that", func() bool { return time.Since(began) > 3*time.Second })
	used := s.sample().cpu - short.cpu
	if used > 300*time.Millisecond {
		t.Errorf("with no descriptors left it used %v of CPU in 3s", used)
	}
	must(t, each(conns, func(i int) error { return errors.Join(list[i].exchange(5000), list[i].finish()) }))
	s.gone()
	w.end(s, conns, "%d ms of CPU in 3 s without descriptors; as clients end the others are served", used.Milliseconds())
	s.stop()
}

// drain: SIGTERM while all are busy. Who pauses gets its answers and then the end; who does not read is cut, and sees
// that by a reset. No answer is half there before a clean end.
func drain(t *testing.T) {
	const conns, deaf, size = 500, 50, 8 << 10
	s := start(t, "--drain-timeout", "2s")
	w := s.watch("SIGTERM, with 500 busy clients of which 50 do not read: `--drain-timeout 2s`")
	list := dialAll(t, s, conns)
	must(t, each(deaf, func(i int) error { return list[i].fill(500 * time.Millisecond) }))
	var began sync.WaitGroup
	began.Add(conns - deaf)
	ended := make(chan error, 1)
	go func() {
		ended <- each(conns-deaf, func(i int) error {
			c, once := list[deaf+i], sync.OnceFunc(began.Done)
			defer once()
			for {
				err := c.exchange(size)
				once()
				switch {
				case err == nil:
					s.pause(300*time.Millisecond + rand.N(300*time.Millisecond))
				case isReset(err), errors.Is(err, io.EOF) && (c.sent-c.got)%size == 0:
					return nil
				default:
					return fmt.Errorf("%w: %d bytes sent, %d came back", err, c.sent, c.got)
				}
			}
		})
	}()
	began.Wait()
	w.look(s)
	last := s.stop()
	must(t, <-ended)
	must(t, each(deaf, func(i int) error {
		if err := list[i].receive(-1); !isReset(err) {
			return fmt.Errorf("of %d bytes %d came back, and then %v, not a reset", list[i].sent, list[i].got, err)
		}
		return nil
	}))
	w.took, w.clients, w.row.verified = time.Since(w.began), conns, verified.Load()-w.verified
	w.after.cpu = s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
	w.note = "its last line: " + last
	table = append(table, w.row)
}
