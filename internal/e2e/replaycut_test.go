package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Of two records one may be cut after its first line: that is said, and nothing crashes.
func TestReplayOfARecordWithoutEvents(t *testing.T) {
	beside(t)
	dir := t.TempDir()
	client, server := filepath.Join(dir, "client.jsonl"), filepath.Join(dir, "server.jsonl")
	s := start(t, "--record", server, "--runs", "1", "close")
	if status, _, errs := run(t, "echoc", "--quiet", "--record", client, "close", s.addr); status != 0 {
		t.Fatalf("status %d, %q", status, errs)
	}
	if status := s.wait(t); status != 0 {
		t.Fatalf("the server: status %d", status)
	}
	head := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		cut := filepath.Join(dir, "head-"+filepath.Base(name))
		if err := os.WriteFile(cut, []byte(first+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return cut
	}
	for _, args := range [][]string{{client, head(server)}, {head(client), server}, {head(client), head(server)}} {
		status, _, errs := run(t, "echoc", append([]string{"replay", "--quiet"}, args...)...)
		if status != 1 || strings.Count(errs, "\n") != 1 || strings.Contains(errs, "panic") {
			t.Errorf("%q: status %d, %.300q", args, status, errs)
		}
	}
}

// Ctrl-C ends a replay that waits: for somebody who writes to a FIFO, and for what that one writes.
func TestReplayThatWaits(t *testing.T) {
	t.Parallel()
	for _, written := range []bool{false, true} {
		fifo := filepath.Join(t.TempDir(), "fifo")
		if err := unix.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := command(t, "echoc", "replay", fifo)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if written {
			w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
		}
		eventually(t, "it waits", func() bool { // in fifo_open(), or has been let in
			tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/wchan", cmd.Process.Pid))
			return written || slices.ContainsFunc(tasks, func(name string) bool {
				at, _ := os.ReadFile(name)
				return string(at) == "wait_for_partner"
			})
		})
		cmd.Process.Signal(unix.SIGINT)
		if status := statusOf(t, cmd.Wait()); status != 130 {
			t.Errorf("written to %v: status %d", written, status)
		}
	}
}
