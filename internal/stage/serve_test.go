package stage

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/sockapi"
)

// served plays the server's side of a lesson once, for a client that connects and stays. It fails the test if the
// server does not end.
func served(t *testing.T, lesson func(*Side)) Result {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	cfg := Config{Timeout: 5 * time.Second, Addr: netip.MustParseAddrPort("127.0.0.1:0"), Log: timeline.New(unmet{t})}
	defer cfg.Log.Close()
	cfg.Ready = func(a netip.AddrPort) {
		c, err := net.Dial("tcp", a.String())
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { c.Close() })
	}
	results := make(chan Result, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, &Scenario{Name: "test", Server: lesson}, cfg, 1, func(r Result) { results <- r })
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the server ended with %v, and not of its one turn", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the server does not end, not when it is told either")
	}
	if len(results) == 0 {
		t.Fatal("no result")
	}
	return <-results
}

// A client whose run fails since there is no memory has had its turn, whatever else is tried again where nobody came.
func TestATurnThatFailsForWantOfMemory(t *testing.T) {
	t.Parallel()
	r := served(t, func(s *Side) {
		s.Listen().Accept()
		s.Fail(&ObserverError{"sock_diag", unix.ENOMEM})
	})
	if !errors.Is(r.Err, unix.ENOMEM) {
		t.Errorf("%v", r.Err)
	}
}

// An accept() that fails is nobody's coming: the clock does not begin to run.
func TestAnAcceptThatFailsIsNoVisit(t *testing.T) {
	t.Parallel()
	var err error
	visited := true
	lesson := func(s *Side) {
		l := s.Listen()
		l.Must(sockapi.SO_RCVTIMEO.Set(l.sock, 10*time.Millisecond))
		_, err = l.TryAccept()
		visited = !s.run.unvisited.Load()
	}
	cfg := Config{Timeout: 5 * time.Second, Addr: netip.MustParseAddrPort("127.0.0.1:0"), Log: timeline.New(unmet{t})}
	defer cfg.Log.Close()
	if failed := Serve(t.Context(), &Scenario{Name: "test", Server: lesson}, cfg, 1, func(Result) {}); failed != nil {
		t.Error(failed)
	}
	if !errors.Is(err, unix.EAGAIN) || visited {
		t.Errorf("accept(): %v; somebody was there: %v", err, visited)
	}
}

// An observer that fails while it looks for the other end ends the run, which looks who is there on its way out.
func TestTheOtherEndCannotBeLookedFor(t *testing.T) {
	t.Parallel()
	r := served(t, func(s *Side) {
		l := s.Listen()
		s.host.diag.Close()
		l.Accept()
	})
	var observer *ObserverError
	if !errors.As(r.Err, &observer) {
		t.Errorf("%v", r.Err)
	}
}
