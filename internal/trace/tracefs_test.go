package trace

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestTracefsMounts(t *testing.T) {
	const table = `22 28 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw
30 22 0:12 / /sys/kernel/debug/tracing rw,relatime shared:28 - tracefs tracefs rw
31 22 0:12 /events /mnt/events rw - tracefs tracefs rw
32 22 0:12 / /mnt/a\040b rw - tracefs none rw
33 22 0:12 / /sys/kernel/tracing rw,nosuid shared:29 master:1 - tracefs tracefs rw
34 22 0:22 / /mnt/not rw - ext4 tracefs rw
35 22 0:23 / /mnt/cut
`
	want := []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}
	if got := tracefsMounts(table); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := tracefsMounts(""); got != nil {
		t.Errorf("got %q", got)
	}
}

func FuzzTracefsMounts(f *testing.F) {
	f.Add(`33 22 0:12 / /sys/kernel/tracing rw,nosuid shared:29 master:1 - tracefs tracefs rw`)
	f.Fuzz(func(_ *testing.T, s string) { tracefsMounts(s) })
}

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
	for name, mount := range map[string]func() (folder, error){"detached": mountDetached, "mounted and detached": mountAndDetach} {
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
		root.close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if clocks, err := in.read("trace_clock"); err != nil || !strings.Contains(string(clocks), "mono") {
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
	const at = "/sys/kernel/tracing"
	for name, c := range map[string]struct{ script, want string }{
		"mounted":   {"mount -t tracefs x " + at, at},
		"elsewhere": {"mount -t tracefs x \"$TMPDIR\"", "tracefs"},
		"read-only": {"mount -t tracefs x " + at + " && mount -o remount,bind,ro " + at, "tracefs"},
		"hidden":    {"mount -t tracefs x " + at + " && mount -t tmpfs x " + at, "tracefs"},
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
		if got, want := strings.TrimSpace(string(out)), c.want; err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
		}
	}
}
