package echo

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// TestDrainIdle: idle clients do not hold the server up.
func TestDrainIdle(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{DrainTimeout: patience})
	for range 10 {
		exchange(t, dialServer(t, s.Addr()), "x")
	}
	start := time.Now()
	n := s.finish(t)
	if took := time.Since(start); n.Drained != 10 || took > patience/2 {
		t.Errorf("%v: %+v", took, n)
	}
	c := dialServerErr(s.Addr())
	if !errors.Is(c, unix.ECONNREFUSED) {
		t.Errorf("connect after the end: %v", c)
	}
}

// TestDrainInFlight: a transfer that is under way when the server is told to stop is completed.
func TestDrainInFlight(t *testing.T) {
	if testing.Short() {
		t.Skip("32 MiB, and a quiet time behind them")
	}
	t.Parallel()
	var draining sync.WaitGroup
	draining.Add(1)
	s := serve(t, Config{DrainTimeout: patience, drainQuiet: patience / 10, Events: Events{Draining: func(open int) {
		if open != 1 {
			t.Errorf("%d open", open)
		}
		draining.Done()
	}}})
	c := dialServer(t, s.Addr())
	data := randomBytes(1, 32<<20)
	go func() { // ends when the server has everything
		if _, err := c.Write(data); err != nil {
			t.Error(err)
		}
	}()
	wait(t, "stalled", func() bool { return s.Stats().Stalled == 1 })
	s.stop()
	draining.Wait()
	if st := s.Stats(); st.BytesIn == int64(len(data)) {
		t.Error("the server had everything when it was told to stop")
	}
	got, err := io.ReadAll(c) // the server closes: the client has not sent FIN
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes of %d came back, %v", len(got), len(data), err)
	}
	if n := s.finish(t); n.Drained != 1 || n.BytesOut != int64(len(data)) {
		t.Errorf("%+v", n)
	}
}

// TestDrainDeadline: clients that do not read, or never stop sending, are cut when the time is up.
func TestDrainDeadline(t *testing.T) {
	t.Parallel()
	const timeout = 500 * time.Millisecond
	s := serve(t, Config{DrainTimeout: timeout})
	stalled, endless := dialServer(t, s.Addr()), dialServer(t, s.Addr())
	fill(t, stalled, s.stalled)
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(io.Discard, endless) })
	both.Go(func() {
		chunk := make([]byte, 64<<10)
		for {
			if _, err := endless.Write(chunk); err != nil {
				return
			}
		}
	})
	wait(t, "endless client under way", func() bool { return s.Stats().BytesOut > 10<<20 })
	start := time.Now()
	n := s.finish(t)
	if took := time.Since(start); took < timeout || took > patience/2 {
		t.Errorf("took %v", took)
	}
	// There may be a moment at which the endless one has just been echoed.
	if n.Cut < 1 || n.Cut+n.Drained != 2 {
		t.Errorf("%+v", n)
	}
	both.Wait()
}

// TestDrainAcceptQueue: who was connected when the server was told to stop is served, as far as MaxConns goes; the
// kernel resets the others.
func TestDrainAcceptQueue(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{MaxConns: 1})
	first := dialServer(t, s.Addr())
	exchange(t, first, "x")
	second := dialServer(t, s.Addr())
	if _, err := io.WriteString(second, "too late"); err != nil {
		t.Fatal(err)
	}
	wait(t, "in the queue", func() bool { return acceptQueue(s.Listener()) == 1 })
	if n := s.finish(t); n.Refused != 1 || n.Accepted != 1 || n.Drained != 1 {
		t.Errorf("%+v", n)
	}
	if b, err := io.ReadAll(second); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("%q, %v", b, err)
	}
}

// slow is a server that is slower than its clients.
type slow struct{}

func (slow) Enter(c *sockapi.Call) func() {
	if c.Name == "read" {
		time.Sleep(2 * time.Millisecond) // as a view is that writes to a slow terminal
	}
	return nil
}

// TestDrainOfClientsThatGoOn: clients that always have something to echo do not hold the server up for longer than it
// was to wait, however many there are.
func TestDrainOfClientsThatGoOn(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{DrainTimeout: 200 * time.Millisecond, Tracer: slow{}})
	for range 4 {
		c := dialServer(t, s.Addr())
		go func() {
			for {
				if _, err := c.Write(make([]byte, 100)); err != nil {
					return
				}
			}
		}()
		go io.Copy(io.Discard, c)
	}
	wait(t, "all are served", func() bool { return s.Stats().Peak == 4 && s.Stats().BytesOut > 4000 })
	began := time.Now()
	if n := s.finish(t); n.Cut+n.Drained != 4 || n.Cut == 0 || time.Since(began) > patience/3 {
		t.Errorf("%v: %+v", time.Since(began), n)
	}
}
