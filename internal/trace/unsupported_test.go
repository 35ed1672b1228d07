package trace

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"socklife/internal/unsupported"

	"golang.org/x/sys/unix"
)

func TestExplain(t *testing.T) {
	if explain(nil) != nil {
		t.Error("no error is no error")
	}
	if err := explain(unix.EIO); err != unix.EIO {
		t.Errorf("EIO is not about support: %v", err)
	}
	for _, err := range []error{unix.EPERM, unix.EACCES, unix.ENODEV, unix.ENOENT, unix.ENOSYS,
		os.NewSyscallError("fsconfig", unix.EPERM), &fs.PathError{Op: "open", Path: "x", Err: unix.ENOENT}} {
		var u *unsupported.Error
		if got := explain(err); !errors.As(got, &u) || u.What == "" || u.How == "" || !errors.Is(got, errors.Unwrap(got)) ||
			!errors.Is(got, err) || strings.Contains(got.Error(), "\n") {
			t.Errorf("%v: %v", err, got)
		}
	}
}

// An ordinary user, and the root of a user namespace, are told what to do.
func TestWithoutRights(t *testing.T) {
	t.Parallel()
	const nobody = 65534
	ordinary := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		ordinary.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	for want, attr := range map[string]*syscall.SysProcAttr{
		"--trace needs root: run the same command with sudo": ordinary,
		"run it outside the container or user namespace": {
			Cloneflags:  unix.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		},
	} {
		if root, ok := openMounted(); attr != ordinary && os.Geteuid() == 0 && ok {
			root.Close()
			continue // to root, tracefs belongs in a user namespace too
		}
		cmd := command(t, "hold")
		cmd.SysProcAttr = attr
		out, err := cmd.Output()
		if attr != ordinary && len(out) == 0 && errors.Is(err, unix.EPERM) {
			t.Log("user namespaces are forbidden here")
			continue
		}
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("got %s, %v, want %q", out, err, want)
		}
	}
}
