package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A capture takes no other file's place, and follows no link; --overwrite lets it replace a file, not write into it.
func TestACaptureTakesNoFilesPlace(t *testing.T) {
	t.Parallel()
	onWire(t)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(path("old"), []byte("old\n"), 0o666), os.Symlink(path("old"), path("link")), os.Symlink(path("nothing"), path("dangling")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, says := range map[string]string{"old": "--overwrite replaces it", "link": "symbolic link", "dangling": "symbolic link"} {
		status, _, errs := run(t, "echoc", "--wire", "--quiet", "--pcap", path(name), "close")
		if status != 1 || !strings.Contains(errs, says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: status %d: %s", name, status, errs)
		}
	}
	if b, _ := os.ReadFile(path("old")); string(b) != "old\n" {
		t.Errorf("%q", b)
	}
	if err := os.Link(path("old"), path("other")); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := run(t, "echoc", "--wire", "--quiet", "--overwrite", "--pcap", path("old"), "close"); status != 0 {
		t.Errorf("status %d: %s", status, errs)
	}
	if b, _ := os.ReadFile(path("other")); string(b) != "old\n" {
		t.Errorf("it was written into: %d bytes", len(b))
	}
	if b, _ := os.ReadFile(path("old")); len(b) < 1000 {
		t.Errorf("the capture has %d bytes", len(b))
	}
}

// Whoever reads a named pipe may come late, and have enough early: the run waits for them, and ends with them.
func TestACaptureInANamedPipe(t *testing.T) {
	t.Parallel()
	onWire(t)
	for name, enough := range map[string]bool{"all": false, "the beginning": true} {
		t.Run(name, func(t *testing.T) {
			beside(t)
			fifo := filepath.Join(t.TempDir(), "fifo")
			if err := unix.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			args, want := []string{"--wire", "--quiet", "--pcap", fifo, "half-close"}, 0
			if enough {
				args, want = append([]string{"--hold", "1h", "--delay", "300ms"}, args...), 130
			}
			cmd := command(t, "echoc", args...)
			var errs strings.Builder
			cmd.Stderr = &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			r, err := os.Open(fifo)
			if err != nil {
				t.Fatal(err)
			}
			if enough {
				io.CopyN(io.Discard, r, 10)
				r.Close()
			} else if b, err := io.ReadAll(r); err != nil || len(b) < 1000 {
				t.Errorf("%d bytes, %v", len(b), err)
			}
			if status := statusOf(t, cmd.Wait()); status != want || errs.Len() > 0 {
				t.Errorf("status %d: %s", status, errs.String())
			}
		})
	}
}

// Ctrl-C ends a run that waits for a pipe's reader, at its beginning and when the reader has stopped reading.
func TestACaptureThatIsNotRead(t *testing.T) {
	t.Parallel()
	onWire(t)
	for name, reads := range map[string]bool{"nobody": false, "somebody who does not read": true} {
		t.Run(name, func(t *testing.T) {
			beside(t)
			fifo := filepath.Join(t.TempDir(), "fifo")
			if err := unix.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := command(t, "echoc", "--wire", "--pcap", fifo, "--hold", "1h", "half-close")
			errs := &syncWriter{w: new(bytes.Buffer)}
			cmd.Stderr = errs
			if reads {
				r, err := os.OpenFile(fifo, os.O_RDWR|unix.O_NONBLOCK, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				raw, err := r.SyscallConn()
				if err != nil {
					t.Fatal(err)
				}
				raw.Control(func(fd uintptr) {
					for err == nil {
						_, err = unix.Write(int(fd), make([]byte, 4096))
					}
				})
				if err != unix.EAGAIN {
					t.Fatalf("the pipe is not full: %v", err)
				}
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if reads {
				eventually(t, "it has the pipe", func() bool { return has(cmd.Process.Pid, fifo) })
			} else {
				eventually(t, "it waits for a reader", func() bool { return errs.contains("waiting until somebody reads it\n") })
			}
			cmd.Process.Signal(os.Interrupt)
			status := statusOf(t, cmd.Wait())
			if reads && (status != 1 || !errs.contains("timeout")) || !reads && status != 130 {
				t.Errorf("status %d: %s", status, errs.w)
			}
		})
	}
}

// has tells whether a process has a file open.
func has(pid int, file string) bool {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	return slices.ContainsFunc(links, func(l string) bool { to, err := os.Readlink(l); return err == nil && to == file })
}

// Two streams in one are neither.
func TestACaptureIntoTheTimeline(t *testing.T) {
	t.Parallel()
	onWire(t)
	for _, name := range []string{"/dev/fd/1", "/proc/self/fd/1"} {
		if status, out, errs := run(t, "echoc", "--wire", "--json", "--pcap", name, "close"); status != 2 || out != "" || !strings.Contains(errs, "--pcap -") {
			t.Errorf("%s: status %d: %s", name, status, errs)
		}
	}
}
