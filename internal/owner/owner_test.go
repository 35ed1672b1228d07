package owner

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// This process's own socket is found by its inode, under both of its descriptors, and no more once it is closed.
func TestOwnSocket(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	other, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	inode := uint32(st.Ino)
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSpace(string(comm))
	got := Of(inode)
	slices.SortFunc(got, func(a, b Holder) int { return a.FD - b.FD })
	if want := []Holder{{name, os.Getpid(), fd}, {name, os.Getpid(), other}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	unix.Close(fd)
	unix.Close(other)
	if got := Of(inode); got != nil {
		t.Errorf("closed, and yet %v", got)
	}
	if got := Of(0); got != nil {
		t.Errorf("no inode, and yet %v", got)
	}
}

func TestSocketInode(t *testing.T) {
	for to, want := range map[string]uint32{"socket:[4711]": 4711, "socket:[4294967295]": 1<<32 - 1, "pipe:[4711]": 0, "socket:[x]": 0, "/tmp/socket:[1]": 0, "": 0} {
		if got, is := socketInode(to); got != want || is != (want != 0) {
			t.Errorf("%q: %d, %v", to, got, is)
		}
	}
}

// A name that is no UTF-8 is text all the same, and what its bytes are is not lost: the kernel cuts a name after 15.
func TestANameThatIsNoUTF8(t *testing.T) {
	for name, want := range map[string]string{"sh": "sh", "Prüfstände": "Prüfstände", "Prüfstä\xc3": `Prüfstä\xc3`, "\xff\xfe": `\xff\xfe`, "\ufffd": "\ufffd"} {
		if got := unbroken(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "fourteen-bytesé") // and the first one of é
	if err := os.Symlink(sleep, file); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(file, "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if got := Process(cmd.Process.Pid); got != `fourteen-bytes\xc3` {
		t.Errorf("%q", got)
	}
}
