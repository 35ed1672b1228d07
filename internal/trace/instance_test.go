package trace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tracefs is the root of it, for a test that looks at it itself.
func tracefs(t testing.TB) *os.Root {
	t.Helper()
	needRoot(t)
	root, err := openTracefs()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func instances(t testing.TB) *os.Root {
	t.Helper()
	root := tracefs(t)
	defer root.Close()
	all, err := root.OpenRoot("instances")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func exists(t testing.TB, name string) bool {
	t.Helper()
	all := instances(t)
	defer all.Close()
	if !strings.HasPrefix(name, prefix) {
		t.Fatalf("no instance has the name %q", name)
	}
	_, err := all.Stat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func wantInstance(t testing.TB, name string, want bool) {
	t.Helper()
	if got := exists(t, name); got != want {
		t.Errorf("instance %s: there is one: %v; want %v", name, got, want)
	}
}

func descriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// Not parallel: it counts descriptors.
func TestNothingIsLeftAfterClose(t *testing.T) {
	needRoot(t)
	before := descriptors(t)
	tr := open(t, 1)
	name := tr.in.name
	wantInstance(t, name, true)
	for range 3 {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
	wantInstance(t, name, false)
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// Ctrl-C ends a program through its handler, a failure through its deferred calls.
func TestNothingIsLeftAfterAnEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("instances of tracefs are slow to make and to remove")
	}
	needRoot(t)
	t.Parallel()
	interrupted := start(t, command(t, "interrupted"))
	name := interrupted.line()
	wantInstance(t, name, true)
	interrupted.signal(unix.SIGINT)
	if out, err := interrupted.rest(); err != nil {
		t.Error(out, err)
	}
	wantInstance(t, name, false)

	panics := start(t, command(t, "panics"))
	name = panics.line()
	wantInstance(t, name, true)
	if out, err := panics.rest(); err == nil {
		t.Error("it did not panic: ", out)
	}
	wantInstance(t, name, false)
}

// Nobody can clean up after SIGKILL but the next one. Until then nothing is recorded.
func TestTheKilledAreSwept(t *testing.T) {
	if testing.Short() {
		t.Skip("instances of tracefs are slow to make and to remove")
	}
	needRoot(t)
	t.Parallel()
	killed := start(t, command(t, "hold"))
	name := killed.line()
	killed.signal(unix.SIGKILL)
	killed.rest()
	all := instances(t)
	defer all.Close()
	// The kernel closes what the killed had open a little after its end is told. The instance may have been swept
	// already.
	for deadline := time.Now().Add(20 * time.Second); ; {
		on, err := all.ReadFile(name + "/tracing_on")
		if err != nil || strings.TrimSpace(string(on)) == "0" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the instance of the one that was killed goes on: tracing_on is %q", on)
		}
		runtime.Gosched()
	}
	swept(t, name)
}

// swept waits until somebody opened a trace and swept: not all do, where many do at once.
func swept(t *testing.T, name string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); exists(t, name); {
		if time.Now().After(deadline) {
			t.Fatalf("instance %s is still there", name)
		}
		open(t).Close()
	}
}

// A process number says nothing about who lives.
func TestTheLivingAreNotSwept(t *testing.T) {
	if testing.Short() {
		t.Skip("instances of tracefs are slow to make and to remove")
	}
	needRoot(t)
	t.Parallel()
	plain := start(t, command(t, "hold"))
	cmd := command(t, "hold")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	inPidns := start(t, cmd)
	living := []string{plain.line(), inPidns.line()}

	all := instances(t)
	defer all.Close()
	stale := fmt.Sprintf("%s%d-0", prefix, os.Getpid()) // ours by its number
	if err := all.Mkdir(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	swept(t, stale)
	for i, c := range []*child{plain, inPidns} {
		wantInstance(t, living[i], true)
		if out, err := c.rest(); err != nil {
			t.Error(out, err)
		}
		wantInstance(t, living[i], false)
	}
}

func TestManyAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("instances of tracefs are slow to make and to remove")
	}
	needRoot(t)
	t.Parallel()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 3 {
				tr, err := Open(1)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := drain(tr); err != nil {
					t.Error(err)
				}
				if err := tr.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// Somebody who looks into our instance can keep us from removing it. They are named, and the next run removes it.
func TestAnInstanceInUse(t *testing.T) {
	if testing.Short() {
		t.Skip("instances of tracefs are slow to make and to remove")
	}
	t.Parallel()
	needRoot(t)
	tr, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	cat, err := tr.in.Open("trace_pipe")
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err == nil || !strings.Contains(err.Error(), tr.in.name) {
		t.Errorf("got %v", err)
	}
	wantInstance(t, tr.in.name, true)
	cat.Close()
	swept(t, tr.in.name)
}
