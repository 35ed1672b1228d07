package watch

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

func TestWait(t *testing.T) {
	t.Parallel()
	w, _ := newWatcher(t)
	p := newPair(t)
	client := follow(t, w, p.client, "client")
	if s, err := client.Wait(t.Context(), tcpinfo.Closed, tcpinfo.Established); err != nil || s.State != tcpinfo.Established {
		t.Errorf("for a state that is there: %+v, %v", s, err)
	}
	if s, err := client.Wait(t.Context()); err != nil || s.State != tcpinfo.Established {
		t.Errorf("for any state: %+v, %v", s, err)
	}

	ended, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	s, err := client.Wait(ended, tcpinfo.TimeWait, tcpinfo.FinWait2)
	if !errors.Is(err, context.DeadlineExceeded) || s.State != tcpinfo.Established ||
		err.Error() != "waited for [TIME-WAIT FIN-WAIT-2], it is ESTABLISHED: context deadline exceeded" {
		t.Errorf("in vain: %+v, %v", s, err)
	}
	if len(client.waiters) != 0 {
		t.Errorf("%d waiters are left", len(client.waiters))
	}
	why := errors.New("the reason")
	cancelled, stop := context.WithCancelCause(t.Context())
	stop(why)
	if _, err := client.Wait(cancelled, tcpinfo.TimeWait); !errors.Is(err, why) {
		t.Errorf("cancelled: %v", err)
	}

	p.client.lingerZero()
	p.client.close()
	w.Sample()
	if s, err := client.Wait(t.Context(), tcpinfo.Closed); err != nil || !s.Gone {
		t.Errorf("for the end: %+v, %v", s, err)
	}
	if s, err := client.Wait(t.Context(), tcpinfo.TimeWait); !errors.Is(err, ErrGone) || !s.Gone {
		t.Errorf("for what cannot come: %+v, %v", s, err)
	}
}

// TestWaitIsWoken: waiters are woken by what others observe, also by a state passed within a Look, and by the end.
func TestWaitIsWoken(t *testing.T) {
	t.Parallel()
	w := New(nil, nil)
	sk := w.add(1, nil)
	w.observe(sk, Sample{State: tcpinfo.Established}, look)
	type result struct {
		s   Sample
		err error
	}
	wait := func(states ...tcpinfo.State) <-chan result {
		ch := make(chan result, 1)
		go func() {
			s, err := sk.Wait(patient(t), states...)
			ch <- result{s, err}
		}()
		return ch
	}
	passed, late, never := wait(tcpinfo.FinWait1), wait(tcpinfo.TimeWait), wait(tcpinfo.CloseWait)
	eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(sk.waiters) == 3
	}, func() { t.Fatal("nobody waits") })
	for _, s := range []Sample{{State: tcpinfo.FinWait1}, {State: tcpinfo.FinWait2}, {State: tcpinfo.TimeWait}, {State: tcpinfo.Closed, Gone: true}} {
		w.observe(sk, s, look)
	}
	if got := <-passed; got.err != nil || got.s.State != tcpinfo.FinWait1 {
		t.Errorf("a state that was passed: %+v", got)
	}
	if got := <-late; got.err != nil || got.s.State != tcpinfo.TimeWait {
		t.Errorf("a state that was reached: %+v", got)
	}
	if got := <-never; !errors.Is(got.err, ErrGone) || got.s.State != tcpinfo.Closed {
		t.Errorf("a state that was not: %+v", got)
	}
}

func TestWaitFor(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	p := newPair(t)
	follow(t, w, p.client, "client")
	if err := w.WaitFor(t.Context(), func() bool { return true }); err != nil {
		t.Error(err)
	}
	// Periodically: nobody looks.
	n := 0
	if err := w.WaitFor(patient(t), func() bool { n++; return n == 3 }); err != nil {
		t.Error(err)
	}
	// By news.
	run(t, w)
	done := make(chan error, 1)
	go func() {
		done <- w.WaitFor(patient(t), func() bool { return strings.HasSuffix(strings.Join(r.states(firstWatch(r)), " "), "FIN-WAIT-2") })
	}()
	p.client.shutdown(unix.SHUT_WR)
	if err := <-done; err != nil {
		t.Errorf("%v: %v", err, r.changes())
	}
	ended, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := w.WaitFor(ended, func() bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("in vain: %v", err)
	}
}

func firstWatch(r *recorder) *Socket { return r.changes()[0].Socket }

// TestWatchConcurrently has everybody at it at once: callers that look, a poller, waiters, accessors, and a report that
// uses them too.
func TestWatchConcurrently(t *testing.T) {
	t.Parallel()
	d, err := tcpinfo.Dial()
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{t: t}
	w := New(d, func(c Change) {
		_, _, _, _, _ = c.Socket.Local(), c.Socket.Remote(), c.Socket.Cookie(), c.Socket.Tag(), c.Socket.Last()
		_ = c.Socket.w.Err()
		r.report(c)
	})
	t.Cleanup(func() { d.Close() })
	run(t, w)
	l := listen(t, loopback4, 16)
	w.FollowChildren(follow(t, w, l, "listener"), "child")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				c := newSocket(t, loopback4.Addr())
				client, err := w.Follow(c, "client")
				if err != nil {
					t.Error(err)
					return
				}
				c.connect(l.local())
				w.Sample()
				s := l.accept()
				server, err := w.Follow(s, "server")
				if err != nil {
					t.Error(err)
					return
				}
				s.lingerZero()
				s.close()
				w.Sample()
				if _, err := server.Wait(patient(t), tcpinfo.Closed); err != nil {
					t.Error(err)
				}
				c.close()
				_ = client.Last()
			}
		})
	}
	wg.Wait()
	if err := w.Err(); err != nil {
		t.Error(err)
	}
}
