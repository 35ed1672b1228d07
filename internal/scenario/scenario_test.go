package scenario

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/unsupported"
	"socklife/sockapi"
)

// record keeps the events of a run.
type record struct {
	mu     sync.Mutex
	events []timeline.Event
}

func (r *record) Event(e timeline.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *record) failures() (out []string) {
	for _, e := range r.events {
		if c, ok := e.Body.(*timeline.Check); ok && !c.OK {
			out = append(out, string(e.Side)+": "+c.Expect+": got "+c.Got)
		}
	}
	return out
}

func loopback() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:0") }

func play(ctx context.Context, sc *stage.Scenario, cfg stage.Config) (stage.Result, *record) {
	if sc.OnlyWire && cfg.Wire == nil {
		cfg.Wire = &stage.WireConfig{}
	}
	rec := &record{}
	cfg.Log = timeline.New(rec)
	if !cfg.Addr.IsValid() {
		cfg.Addr = loopback()
	}
	result := stage.Both(ctx, sc, cfg)
	cfg.Log.Close()
	return result, rec
}

func TestEveryScenarioMeetsItsChecks(t *testing.T) {
	t.Parallel()
	for i, sc := range All() {
		families := []string{"127.0.0.1:0", "[::1]:0"}
		if testing.Short() {
			families = families[i%2 : i%2+1]
		}
		for _, family := range families {
			t.Run(sc.Name+"/"+family, func(t *testing.T) {
				needsWire(t, sc)
				if !alone(t) {
					return
				}
				cfg := stage.Config{Addr: netip.MustParseAddrPort(family)}
				begin, before := time.Now(), waitedForCPU(t)
				result, rec := play(t.Context(), sc, cfg)
				took, heldUp := time.Since(begin), waitedForCPU(t)-before
				possible(t, result)
				if !result.OK() {
					t.Fatalf("%v\n%s", result.Err, strings.Join(rec.failures(), "\n"))
				}
				if result.Checks == 0 {
					t.Error("a lesson that checks nothing")
				}
				takesItsSeconds(t, sc, cfg, took, heldUp)
			})
		}
	}
}

// some are all scenarios; with -short, when each is played once, every sixth.
func some() (list []*stage.Scenario) {
	for i, sc := range All() {
		if !testing.Short() || i%6 == 0 {
			list = append(list, sc)
		}
	}
	return list
}

// needsWire skips where the scenario cannot be played.
func needsWire(t *testing.T, sc *stage.Scenario) {
	t.Helper()
	if os.Getuid() != 0 && sc.OnlyWire {
		t.Skip("the wire needs root here, or a user namespace that the test is not in: run as root")
	}
}

// possible skips what this user, or this kernel, cannot do; the scenario itself says what and how.
func possible(t *testing.T, r stage.Result) {
	t.Helper()
	if cannot := unsupported.In(r.Err); cannot != nil {
		t.Skip(cannot)
	}
}

// descriptors counts this process' open files.
func descriptors(t *testing.T) int {
	t.Helper()
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}

// settled waits until there are no more descriptors and goroutines than before.
func settled(t *testing.T, fds, goroutines int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for descriptors(t) > fds || runtime.NumGoroutine() > goroutines {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d descriptors and %d goroutines, before the run %d and %d\n%s", descriptors(t), runtime.NumGoroutine(),
				fds, goroutines, buf[:runtime.Stack(buf, true)])
		}
		<-tick.C
	}
}

func TestNothingIsLeftOfARun(t *testing.T) {
	t.Parallel()
	for _, sc := range some() {
		t.Run(sc.Name, func(t *testing.T) {
			needsWire(t, sc)
			if !alone(t) {
				return
			}
			play(t.Context(), sc, stage.Config{}) // what Go itself opens once
			fds, goroutines := descriptors(t), runtime.NumGoroutine()
			play(t.Context(), sc, stage.Config{})
			settled(t, fds, goroutines)
		})
	}
}

// Whatever call of a scenario fails, the run ends, says why, and leaves nothing.
func TestNothingIsLeftOfARunThatFailsHalfway(t *testing.T) {
	t.Parallel()
	for _, sc := range some() {
		t.Run(sc.Name, func(t *testing.T) {
			needsWire(t, sc)
			if !alone(t) {
				return
			}
			result, rec := play(t.Context(), sc, stage.Config{})
			possible(t, result)
			if !result.OK() {
				t.Fatal(result.Err)
			}
			calls := 0
			for _, e := range rec.events {
				if e.Body.Kind() == "call" {
					calls++
				}
			}
			fds, goroutines := descriptors(t), runtime.NumGoroutine()
			for at := 0; at < calls; at += 1 + calls/8 {
				interruptAt(t, sc, at)
			}
			settled(t, fds, goroutines)
		})
	}
}

var errStop = errors.New("stopped by the test")

// interruptAt ends the run at its nth call, as Ctrl-C would.
func interruptAt(t *testing.T, sc *stage.Scenario, at int) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var mu sync.Mutex
	n := 0
	result, _ := play(ctx, sc, stage.Config{Step: func(context.Context, timeline.Side, string) error {
		mu.Lock()
		defer mu.Unlock()
		if n == at {
			cancel(errStop)
		}
		n++
		return nil
	}})
	if n > at && !errors.Is(result.Err, errStop) { // reuseport is not as long each time
		t.Errorf("stopped at call %d, and the run says %v", at, result.Err)
	}
}

func TestAnAddressInUseIsSaidSo(t *testing.T) {
	t.Parallel()
	taken, err := sockapi.NewSocket(2, 1, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := errors.Join(taken.Bind(loopback()), taken.Listen(1)); err != nil {
		t.Fatal(err)
	}
	addr, err := taken.Getsockname()
	if err != nil {
		t.Fatal(err)
	}
	result, _ := play(t.Context(), halfClose, stage.Config{Addr: addr})
	if result.OK() || !strings.Contains(result.Err.Error(), "bind "+addr.String()+": address already in use") {
		t.Errorf("got %v", result.Err)
	}
}

func TestNamesNearby(t *testing.T) {
	for typed, want := range map[string]string{
		"halfclose": "half-close", "half_close": "half-close", "Half-Close": "half-close", "backlogs": "backlog",
		"handshak": "handshake", "linger-rset": "linger-reset", "xyzzy": "",
	} {
		if got := Nearest(typed); got != want {
			t.Errorf("%s: got %q, want %q", typed, got, want)
		}
	}
}

func TestEveryScenarioSaysWhatItIs(t *testing.T) {
	names := map[string]bool{}
	for _, sc := range All() {
		if names[sc.Name] {
			t.Errorf("two are called %s", sc.Name)
		}
		names[sc.Name] = true
		if sc.Lesson == "" || sc.Source == "" || sc.Group == "" || len(sc.Lesson) > 70 {
			t.Errorf("%s: lesson %q (%d letters), source %q, group %q", sc.Name, sc.Lesson, len(sc.Lesson), sc.Source, sc.Group)
		}
	}
}
