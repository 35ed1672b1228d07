package trace

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func mounts(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Both ways of mounting it for ourselves give a tracefs that works, and leave the machine's mounts as they were.
func TestOwnMounts(t *testing.T) {
	needRoot(t)
	t.Setenv("TMPDIR", t.TempDir())
	for name, mount := range map[string]func() (*os.Root, error){"detached": mountDetached, "mounted and detached": mountAndDetach} {
		before := mounts(t)
		root, err := mount()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if after := mounts(t); after != before {
			t.Errorf("%s: the mounts were\n%sand are\n%s", name, before, after)
		}
		in, err := newInstance(root)
		root.Close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if clocks, err := in.ReadFile("trace_clock"); err != nil || !strings.Contains(string(clocks), "mono") {
			t.Errorf("%s: trace_clock: %q, %v", name, clocks, err)
		}
		if err := in.remove(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left in TMPDIR: %v, %v", left, err)
	}
}

// A tracefs that is mounted in a usual place is used, unless it can only be read, or is hidden.
func TestMountedTracefs(t *testing.T) {
	needRoot(t)
	t.Parallel()
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skip("install util-linux")
	}
	const at, detached = mountPoint, "/proc/self/fd/"
	for name, c := range map[string]struct{ script, want string }{
		"mounted":   {"mount -t tracefs x " + at, at},
		"elsewhere": {"mount -t tracefs x \"$TMPDIR\"", detached},
		"read-only": {"mount -t tracefs x " + at + " && mount -o remount,bind,ro " + at, detached},
		"hidden":    {"mount -t tracefs x " + at + " && mount -t tmpfs x " + at, detached},
	} {
		tmp := t.TempDir()
		// Without what is mounted there already.
		script := "for m in /sys/kernel/tracing /sys/kernel/debug/tracing; do while umount $m 2>/dev/null; do :; done; done; " +
			c.script + " && exec \"$SELF\""
		cmd := exec.Command("unshare", "-m", "sh", "-c", script)
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(os.Environ(), childVariable+"=where", "SELF="+self, "TMPDIR="+tmp)
		out, err := cmd.CombinedOutput()
		if got, want := strings.TrimSpace(string(out)), c.want; err != nil || strings.TrimRight(got, "0123456789") != want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
		}
	}
}
