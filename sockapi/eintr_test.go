package sockapi

import (
	"errors"
	"os"
	"os/signal"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// interrupt sends the blocked thread a signal that a handler catches, and waits for the handler to have run.
func interrupt(t *testing.T, tid int) {
	t.Helper()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, unix.SIGUSR1)
	defer signal.Stop(caught)
	must(t, unix.Tgkill(os.Getpid(), tid, unix.SIGUSR1))
	select {
	case <-caught:
	case <-time.After(patience):
		t.Fatal("the signal was not caught")
	}
}

// The kernel restarts interrupted calls by itself (Go asks it to, with SA_RESTART), but never on a socket with a
// timeout: signal(7).
func TestBlockingRetriesEINTR(t *testing.T) {
	needSyscallFile(t)
	const times = 3
	for _, b := range blockingCalls {
		t.Run(b.name, func(t *testing.T) {
			var rec recorder
			sc := b.before(t, &rec)
			must(t, b.limit.Set(sc.s, time.Minute))
			tid, done := onThread(sc.call)
			nr := b.nr
			for range times {
				waitFor(t, b.name+" to block", func() bool { return blockedIn(tid, nr) })
				interrupt(t, tid)
				if b.name == "connect" { // which is then waited for in another way
					nr = unix.SYS_PPOLL
				}
			}
			waitFor(t, b.name+" to block again", func() bool { return blockedIn(tid, nr) })
			sc.unblock()
			if err := result(t, done); err != nil {
				t.Fatal(err)
			}
			calls, want := rec.named(b.name), times
			if b.name == "connect" {
				if c := calls[len(calls)-1]; c.Errno != unix.EINTR {
					t.Errorf("connect: %v; want EINTR", c.Errno)
				}
				calls, want = rec.named("ppoll"), times-1
			}
			// The runtime's own signals may add to ours. Each time is shown.
			shown := 0
			for _, c := range calls {
				if c.Errno == unix.EINTR && c.Ret == -1 {
					shown++
				}
			}
			if c := calls[len(calls)-1]; c.Interrupted < want || c.Errno != 0 || shown != c.Interrupted {
				t.Errorf("%s: interrupted %d times, %v; want %d, and %d were shown", c.Name, c.Interrupted, c.Errno, want, shown)
			}
		})
	}
}

func TestConnectInterruptedThenRefused(t *testing.T) {
	needSyscallFile(t)
	l, at := fullListener(t)
	var rec recorder
	c := newSocket(t, unix.AF_INET, 0, &rec)
	must(t, SO_SNDTIMEO.Set(c, time.Minute))
	tid, done := onThread(func() error { return c.Connect(at) })
	waitFor(t, "connect to block", func() bool { return blockedIn(tid, unix.SYS_CONNECT) })
	interrupt(t, tid)
	waitFor(t, "ppoll to block", func() bool { return blockedIn(tid, unix.SYS_PPOLL) })
	must(t, l.Close()) // the next SYN is answered with RST
	err := result(t, done)
	if e, ok := err.(*Error); !ok || e.Call != "connect" || e.Addr != at || e.Errno != unix.ECONNREFUSED {
		t.Errorf("%v; want connect %v: ECONNREFUSED", err, at)
	}
	want := []string{"socket", "setsockopt", "connect", "getsockopt", "ppoll", "getsockopt"}
	if got := rec.names(); len(got) != len(want) {
		t.Errorf("made %v; want %v", got, want)
	}
	// strace says the same of an error that is not 0.
	if last := rec.named("getsockopt"); last[len(last)-1].OptionValue() != "[ECONNREFUSED]" {
		t.Errorf("SO_ERROR was %v", last[len(last)-1].OptionValue())
	}
}

// What is left of SO_SNDTIMEO bounds the wait after an interruption too.
func TestConnectInterruptedThenLate(t *testing.T) {
	needSyscallFile(t)
	_, at := fullListener(t)
	var rec recorder
	c := newSocket(t, unix.AF_INET, 0, &rec)
	const limit = 400 * time.Millisecond
	must(t, SO_SNDTIMEO.Set(c, limit))
	start := time.Now()
	tid, done := onThread(func() error { return c.Connect(at) })
	waitFor(t, "connect to block", func() bool { return blockedIn(tid, unix.SYS_CONNECT) })
	interrupt(t, tid)
	err := result(t, done)
	if !errors.Is(err, unix.EINPROGRESS) || !err.(*Error).Timeout() {
		t.Errorf("%v; want EINPROGRESS, a timeout", err)
	}
	if took := time.Since(start); took < limit {
		t.Errorf("gave up after %v of %v", took, limit)
	}
	if len(rec.named("ppoll")) != 1 {
		t.Errorf("made %v", rec.names())
	}
}

func TestConnectInterruptedThenAborted(t *testing.T) {
	needSyscallFile(t)
	_, at := fullListener(t)
	c := newSocket(t, unix.AF_INET, 0, nil)
	must(t, SO_SNDTIMEO.Set(c, time.Minute))
	tid, done := onThread(func() error { return c.Connect(at) })
	waitFor(t, "connect to block", func() bool { return blockedIn(tid, unix.SYS_CONNECT) })
	interrupt(t, tid)
	waitFor(t, "ppoll to block", func() bool { return blockedIn(tid, unix.SYS_PPOLL) })
	c.Abort()
	err := result(t, done)
	if e, ok := err.(*Error); !ok || e.Call != "connect" || !errors.Is(err, os.ErrClosed) {
		t.Errorf("%v; want connect: os.ErrClosed", err)
	}
}

// Signals do not have Poll begin its time anew.
func TestPollIsForSoLongAtMost(t *testing.T) {
	l, _ := newListener(t, loopback4, 1, nil)
	const atMost = 200 * time.Millisecond
	began := time.Now()
	tid, done := onThread(func() error { _, err := l.Poll(unix.POLLIN, atMost); return err })
	again := time.NewTicker(atMost / 10)
	defer again.Stop()
	for {
		select {
		case err := <-done:
			if took := time.Since(began); err != nil || took < atMost {
				t.Errorf("%v after %v", err, took)
			}
			return
		case <-again.C:
			_ = unix.Tgkill(os.Getpid(), tid, unix.SIGURG) // the thread may have ended
			if time.Since(began) > patience {
				t.Fatal("it is still polling")
			}
		}
	}
}
