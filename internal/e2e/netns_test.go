package e2e

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// beside lets a test run beside others, in a network namespace of its own where one may be made: its goroutine gets a
// thread, and that, with the commands that the test starts, the namespace. The thread ends with the test. An ordinary
// user's stays where it is.
func beside(t *testing.T) {
	t.Helper()
	t.Parallel()
	inOwn(t)
}

// inOwn is beside for a test that runs by itself.
func inOwn(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	if unix.Unshare(unix.CLONE_NEWNET) != nil {
		runtime.UnlockOSThread()
		return
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		t.Fatal(err)
	}
}
