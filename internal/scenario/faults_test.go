package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// server is a scenario's server in this process, as echod would run it.
type server struct {
	t       *testing.T
	addr    netip.AddrPort
	results chan stage.Result
	ended   chan error
	rec     *record
}

func serve(t *testing.T, sc *stage.Scenario, runs int, change func(*stage.Config)) *server {
	t.Helper()
	s := &server{t: t, results: make(chan stage.Result, 100), ended: make(chan error, 1), rec: &record{}}
	log := timeline.New(s.rec)
	ready := make(chan netip.AddrPort, 1)
	cfg := stage.Config{Log: log, Addr: loopback(), Timeout: 15 * time.Minute, Ready: func(a netip.AddrPort) { ready <- a }}
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer log.Close()
		s.ended <- stage.Serve(ctx, sc, cfg, runs, func(r stage.Result) { s.results <- r })
	}()
	t.Cleanup(func() {
		cancel()
		if s.ended != nil {
			<-s.ended
		}
	})
	select {
	case s.addr = <-ready:
	case err := <-s.ended:
		t.Fatal(err)
	}
	return s
}

// result is how the next run ended.
func (s *server) result() stage.Result {
	s.t.Helper()
	select {
	case r := <-s.results:
		return r
	case <-time.After(50 * time.Second):
		s.t.Fatal("the run does not end")
		return stage.Result{}
	}
}

// end is what Serve returned.
func (s *server) end() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		s.ended = nil
		return err
	case <-time.After(50 * time.Second):
		s.t.Fatal("the server goes on")
		return nil
	}
}

// visit connects and says something.
func (s *server) visit(words string) *sockapi.Socket {
	s.t.Helper()
	c, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	if err == nil {
		s.t.Cleanup(func() { c.Close() })
		if err = c.Connect(s.addr); err == nil && words != "" {
			_, err = c.Write([]byte(words))
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// reset closes with RST.
func (s *server) reset(c *sockapi.Socket) {
	if err := errors.Join(sockapi.SO_LINGER.Set(c, sockapi.Linger{OnOff: true}), c.Close()); err != nil {
		s.t.Error(err)
	}
}

// served plays the client's side, which must be served at once.
func (s *server) served(sc *stage.Scenario) {
	s.t.Helper()
	result, rec := playClient(s.t, sc, s.addr)
	if !result.OK() {
		s.t.Errorf("the next client: %v\n%s", result.Err, strings.Join(rec.failures(), "\n"))
	}
}

func playClient(t *testing.T, sc *stage.Scenario, addr netip.AddrPort) (stage.Result, *record) {
	rec := &record{}
	log := timeline.New(rec)
	defer log.Close()
	return stage.Client(t.Context(), sc, stage.Config{Log: log, Addr: addr, Timeout: 15 * time.Second}), rec
}

// What is refused before anybody has come is refused again.
func TestAnOptionThatIsRefusedEndsTheServing(t *testing.T) {
	s := &server{t: t, results: make(chan stage.Result, 1000), ended: make(chan error, 1)}
	log := timeline.New(&record{})
	defer log.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := stage.Serve(ctx, halfClose, stage.Config{Log: log, Addr: loopback(), OnListener: func(l *sockapi.Socket) error {
		return sockapi.TCP_MAXSEG.Set(l, 100_000)
	}}, 0, func(r stage.Result) { s.results <- r })
	if !errors.Is(err, unix.EINVAL) || len(s.results) != 0 {
		t.Errorf("%d runs, %v", len(s.results), err)
	}
}

// An accept() that fails is nobody's coming: the clock does not run, and the serving is over.
func TestAcceptThatFailsIsNoVisit(t *testing.T) {
	s := serve(t, halfClose, 0, func(c *stage.Config) {
		c.OnListener = func(l *sockapi.Socket) error { return sockapi.SO_RCVTIMEO.Set(l, 10*time.Millisecond) }
	})
	if err := s.end(); !errors.Is(err, unix.EAGAIN) || len(s.results) != 0 {
		t.Errorf("%d runs, %v", len(s.results), err)
	}
}

// A wire that has stopped is no side that did not come.
func TestAWireThatFails(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the wire needs root here")
	}
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skip("install iproute2")
	}
	sc := &stage.Scenario{Name: "test", Client: func(c *stage.Side) { c.Dial() }, Server: func(s *stage.Side) {
		l := s.Socket()
		l.Bind(s.Addr)
		l.Listen(1)
		l.Must(exec.Command(ip, "link", "del", "wire0").Run()) // on this side's host
		s.Ready(l)
		l.Accept()
	}}
	result, _ := play(t.Context(), sc, stage.Config{Wire: &stage.WireConfig{}, Timeout: 2 * time.Second})
	var observer *stage.ObserverError
	if !errors.As(result.Err, &observer) || observer.Observer != "the wire" {
		t.Error(result.Err)
	}
}

// Who comes after a visitor that did not play is served at once, and a scan is no run.
func TestVisitorsThatDoNotPlay(t *testing.T) {
	lessons := []*stage.Scenario{halfClose, handshake, timeWait, urgent, refused, backlog, connectTimeout}
	if testing.Short() {
		lessons = lessons[:5] // the others wait for SYNs that nobody answers
	}
	for _, sc := range lessons {
		for name, visit := range map[string]func(*server){
			"reset":    func(s *server) { s.reset(s.visit("")) },
			"finished": func(s *server) { s.visit("").Close() },
			"garbage":  func(s *server) { c := s.visit("GET / HTTP/1.0\r\n\r\n"); c.Read(make([]byte, 64)); c.Close() },
			"leaves":   func(s *server) { s.reset(s.visit(sc.Name + " hold=0s\n")) },
			"a scan": func(s *server) {
				for range 2 {
					s.reset(s.visit(""))
				}
			},
		} {
			if name == "a scan" && sc == connectTimeout {
				continue // its queue has one place
			}
			t.Run(sc.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, sc, 0, nil)
				visit(s)
				s.settled()
				s.served(sc)
			})
		}
	}
}

// settled waits until the server has done with whoever was there: it listens, and its queue is empty.
func (s *server) settled() {
	s.t.Helper()
	diag, err := tcpinfo.Dial()
	if err != nil {
		s.t.Fatal(err)
	}
	defer diag.Close()
	deadline := time.Now().Add(10 * time.Second)
	for clear := 0; clear < 20; {
		b, err := diag.Backlog(s.addr)
		if clear++; err != nil || b.AcceptQueue > 0 || s.others(diag) {
			clear = 0
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the server is not ready again: %+v, %v", b, err)
		}
	}
}

// others tells whether the server has a connection open.
func (s *server) others(diag *tcpinfo.Conn) bool {
	list, err := diag.Dump(tcpinfo.Filter{LocalPort: s.addr.Port(), States: tcpinfo.MaskOf(tcpinfo.Established, tcpinfo.CloseWait)})
	return err != nil || len(list) > 0
}

// A client that was killed between its connections has not left the server waiting: the next one is not taken for it.
func TestTheNextClientIsNotTakenForTheLast(t *testing.T) {
	s := serve(t, timeWait, 0, nil)
	first := s.visit("time-wait hold=0s\n")
	if err := first.Shutdown(unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	first.Read(make([]byte, 1))
	first.Close()
	s.served(timeWait)
	if r := s.result(); !errors.Is(r.Err, stage.ErrGone) {
		t.Errorf("the first: %v", r.Err)
	}
}

// A control connection that ends tells that nobody will come for the other port.
func TestAClientThatGoesInTheMiddle(t *testing.T) {
	s := serve(t, refused, 0, nil)
	c := s.visit("refused hold=0s\n")
	c.Read(make([]byte, 64))
	c.Write([]byte("refused\n"))
	c.Read(make([]byte, 64)) // counted
	c.Write([]byte("listen\n"))
	c.Read(make([]byte, 64)) // open
	c.Close()
	if r := s.result(); !errors.Is(r.Err, stage.ErrGone) {
		t.Errorf("it ended with %v", r.Err)
	}
	s.served(refused)
}

// What a client has asked for is a minute at most, and ends with it.
func TestAHoldEndsWithTheClient(t *testing.T) {
	s := serve(t, halfClose, 0, nil)
	c := s.visit("half-close hold=1h\n")
	c.Shutdown(unix.SHUT_WR)
	s.note("held for 1m0s")
	s.reset(c)
	if r := s.result(); r.OK() {
		t.Error("all is well, though the client has gone")
	}
	s.served(halfClose)
}

// note waits for a note that begins like this.
func (s *server) note(begins string) {
	s.t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	for !s.rec.noted(begins) {
		if time.Now().After(deadline) {
			s.t.Fatalf("no note %q", begins)
		}
	}
}

func (r *record) noted(begins string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if n, ok := e.Body.(*timeline.Note); ok && strings.HasPrefix(n.Text, begins) {
			return true
		}
	}
	return false
}

// A silent client is waited for, but not while another one waits, who is served then.
func TestASilentClientIsLetGo(t *testing.T) {
	t.Parallel()
	s := serve(t, halfClose, 0, nil)
	s.visit("")
	began := time.Now()
	s.served(halfClose)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the next one waited for %v", took)
	}
}

// Both terminals are told that they do not play the same, by the one that knows.
func TestTheOtherTerminalPlaysSomethingElse(t *testing.T) {
	for _, client := range []*stage.Scenario{halfClose, handshake, backlog, abort, timeWait} {
		t.Run(client.Name, func(t *testing.T) {
			t.Parallel()
			for _, at := range []*stage.Scenario{closing, echoServer} {
				s := serve(t, at, 0, nil)
				if r, _ := playClient(t, client, s.addr); !errors.Is(r.Err, stage.ErrMismatch) || !strings.Contains(r.Err.Error(), "echod "+client.Name) {
					t.Errorf("at %s: %v", at.Name, r.Err)
				}
			}
		})
	}
}

// Servers that look at their queue first find out too.
func TestAServerFindsOutBeforeItAccepts(t *testing.T) {
	servers := []*stage.Scenario{handshake, backlog, connectTimeout}
	if testing.Short() {
		servers = servers[:1]
	}
	for _, at := range servers {
		t.Run(at.Name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, at, 0, nil)
			if r, _ := playClient(t, halfClose, s.addr); !errors.Is(r.Err, stage.ErrMismatch) {
				t.Errorf("the client: %v", r.Err)
			}
			if r := s.result(); r.OK() {
				t.Error("the server is content")
			}
			s.settled()
			s.served(at)
		})
	}
}

// echoServer gives back what it gets, to everyone.
var echoServer = &stage.Scenario{Name: "an echo server", Server: func(s *stage.Side) {
	l := s.Listen()
	for {
		conn := l.Accept()
		go func() {
			defer func() { recover() }() // the run is over
			for {
				b, err := conn.TryRead(64 << 10)
				if err != nil || len(b) == 0 {
					conn.Close()
					return
				}
				conn.TryWrite(b)
			}
		}()
	}
}}

// backlog without a single answer, or with a refusal, is a line and no panic.
func TestBacklogWithoutAnAnswer(t *testing.T) {
	full, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	if err := full.Bind(loopback()); err != nil {
		t.Fatal(err)
	}
	addr, err := full.Getsockname()
	if err != nil {
		t.Fatal(err)
	}
	if r, _ := playClient(t, backlog, addr); !errors.Is(r.Err, unix.ECONNREFUSED) || r.Failed != 0 {
		t.Errorf("nobody listens: %d failed, %v", r.Failed, r.Err)
	}
	if err := full.Listen(0); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, addr: addr}
	s.visit("")
	if r, _ := playClient(t, backlog, addr); r.Err == nil || !strings.Contains(r.Err.Error(), "not even the first SYN got an answer") {
		t.Errorf("the queue is full: %v", r.Err)
	}
}

// A server that answers for ever is not kept in memory.
func TestAnAnswerWithoutAnEnd(t *testing.T) {
	s := serve(t, &stage.Scenario{Name: "server-close", Server: func(s *stage.Side) {
		conn := s.Listen().Accept()
		for b := make([]byte, 1<<20); ; {
			if _, err := conn.TryWrite(b); err != nil {
				s.Fail(err)
			}
		}
	}}, 0, nil)
	r, _ := playClient(t, serverClose, s.addr)
	if r.Err == nil || !strings.Contains(r.Err.Error(), "goes on") {
		t.Error(r.Err)
	}
}

// Where no ports are free, the search for them ends: here two are taken, and every half of the range has one of them.
func TestTheSearchForPortsEnds(t *testing.T) {
	sc := &stage.Scenario{Name: "test", Server: func(s *stage.Side) { s.Listen().Accept() }, Client: func(c *stage.Side) {
		c.Dial()
		var lo, hi int
		if _, err := fmt.Sscan(c.Sysctl("ip_local_port_range"), &lo, &hi); err != nil {
			c.Fail(err)
		}
		for _, third := range []int{1, 2} {
			taken := c.Socket()
			if err := taken.TryBind(netip.AddrPortFrom(loopback().Addr(), uint16(lo+third*(hi-lo)/3))); err != nil && !errors.Is(err, unix.EADDRINUSE) {
				c.Fail(err)
			}
		}
		c.FreePorts((hi-lo)/2 - 1)
	}}
	if r, _ := play(t.Context(), sc, stage.Config{}); r.Err == nil || !strings.Contains(r.Err.Error(), "neighbouring ports") {
		t.Error(r.Err)
	}
}

// queued waits until so many are in the accept queue.
func (s *server) queued(n uint32) {
	s.t.Helper()
	diag, err := tcpinfo.Dial()
	if err != nil {
		s.t.Fatal(err)
	}
	defer diag.Close()
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		if b, err := diag.Backlog(s.addr); err == nil && b.AcceptQueue == n {
			return
		} else if time.Now().After(deadline) {
			s.t.Fatalf("%d are in the queue, want %d: %v", b.AcceptQueue, n, err)
		}
	}
}

// A client that waits is not turned away for one that has left the queue behind it.
func TestWhoWaitsIsNotTurnedAway(t *testing.T) {
	s := serve(t, halfClose, 0, nil)
	first := s.visit("half-close hold=0s\n")
	s.queued(0)
	second := s.visit("half-close hold=0s\n") // without asking for its turn
	s.queued(1)
	s.reset(s.visit(""))
	s.queued(2)
	s.reset(first)
	if r := s.result(); r.OK() {
		t.Error("the first run is content, though its client was reset")
	}
	if err := second.Shutdown(unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	for n, b := 1, make([]byte, 64<<10); n > 0; {
		var err error
		if n, err = second.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	if r := s.result(); !r.OK() {
		t.Errorf("the one who waited: %d failed, %v", r.Failed, r.Err)
	}
}
