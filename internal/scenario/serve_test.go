package scenario

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/unsupported"
	"socklife/sockapi"
)

// serving runs a server's side for two clients and hands over what came of each run.
func serving(t *testing.T, server func(*stage.Side), client func(netip.AddrPort)) (results []stage.Result, err error) {
	t.Helper()
	log := timeline.New(&record{})
	defer log.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := stage.Config{Log: log, Addr: loopback(), Ready: func(a netip.AddrPort) { go client(a) }}
	err = stage.Serve(ctx, &stage.Scenario{Name: "test", Server: server}, cfg, 2, func(r stage.Result) { results = append(results, r) })
	return results, err
}

// What a client did is no reason to stop serving: the listener goes on, with those in its queue.
func TestAFailedRunLeavesTheNextOneAListener(t *testing.T) {
	t.Parallel()
	second := make(chan error, 1)
	results, err := serving(t, func(s *stage.Side) {
		conn := s.Listen().Accept()
		s.ReadRequest(conn)
		conn.Read(64)
		conn.Close()
	}, func(a netip.AddrPort) {
		talk(t, a, "something else\n")
		second <- eventuallyTalk(t, a, "test hold=0s\n")
	})
	if err != nil || len(results) != 2 {
		t.Fatalf("%d runs, %v", len(results), err)
	}
	if !errors.Is(results[0].Err, stage.ErrMismatch) {
		t.Errorf("the first: %v, want %v", results[0].Err, stage.ErrMismatch)
	}
	if err := errors.Join(<-second, results[1].Err); err != nil {
		t.Errorf("the second: %v", err)
	}
}

// What this kernel or this user cannot do, the next run cannot either.
func TestWhatCannotBePlayedEndsTheServing(t *testing.T) {
	t.Parallel()
	runs := 0
	results, err := serving(t, func(s *stage.Side) {
		runs++
		s.Listen()
		s.Unsupported("this cannot be", "nothing helps")
	}, func(netip.AddrPort) {})
	if unsupported.In(err) == nil || runs != 1 || len(results) != 0 {
		t.Errorf("%d runs, %d results, %v", runs, len(results), err)
	}
}

// A close() that sends RST has not ended the connection in good order, though nothing is left of it either.
func TestAResetIsNoEndInGoodOrder(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*stage.Conn){
		"SO_LINGER": func(c *stage.Conn) { stage.Set(c, sockapi.SO_LINGER, sockapi.Linger{OnOff: true}) },
		"not read":  func(*stage.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			results, err := serving(t, func(s *stage.Side) {
				conn := s.Listen().Accept()
				option(conn)
				conn.AwaitUnread("what the client wrote")
				conn.Close()
				conn.ExpectEnded("so it is said")
			}, func(a netip.AddrPort) {
				talk(t, a, "hello\n")
				talk(t, a, "hello\n")
			})
			if err != nil || len(results) != 2 {
				t.Fatalf("%d runs, %v", len(results), err)
			}
			for _, r := range results {
				if r.Err != nil || r.Failed != 1 {
					t.Errorf("%d of %d checks failed, %v; want one", r.Failed, r.Checks, r.Err)
				}
			}
		})
	}
}

// talk connects, writes, and waits for the end of the stream.
func talk(t *testing.T, to netip.AddrPort, line string) error {
	t.Helper()
	c, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Connect(to); err != nil {
		return err
	}
	if _, err := c.Write([]byte(line)); err != nil {
		return err
	}
	if err := c.Shutdown(unix.SHUT_WR); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 64))
	return err
}

// eventuallyTalk is talk for a server that is about to listen again; its old listener may still be there, and takes
// what comes with it.
func eventuallyTalk(t *testing.T, to netip.AddrPort, line string) (err error) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		err = talk(t, to, line)
		if again := errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ECONNRESET); !again || time.Now().After(deadline) {
			return err
		}
	}
}
