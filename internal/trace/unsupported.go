package trace

import (
	"errors"
	"os"
	"strings"

	"socklife/internal/unsupported"

	"golang.org/x/sys/unix"
)

// explain makes an [*unsupported.Error] of an error that means that the kernel's transitions cannot be traced: by this
// user, or on this kernel.
func explain(err error) error {
	what, how := "", ""
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES):
		if !missing(err) {
			return err
		}
		what = "this kernel has no tracepoint sock:inet_sock_set_state"
		how = "it takes Linux 4.16 or later, built with CONFIG_FTRACE and CONFIG_EVENT_TRACING, and a /proc and /sys that are the kernel's own"
	case lockedDown():
		what = "this kernel is locked down (confidentiality) and lets nobody trace it"
		how = "see kernel_lockdown(7); booting without it allows tracing"
	case os.Geteuid() != 0:
		what = "--trace needs root"
		how = "run the same command with sudo"
	default:
		what = "--trace needs root of the host itself, and this one lacks CAP_SYS_ADMIN there"
		how = "run it outside the container or user namespace, or in a privileged container"
	}
	return unsupported.New(what, how, err)
}

// missing: no such filesystem (ENODEV, from mounting), no such file in it.
func missing(err error) bool {
	return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOSYS)
}

func lockedDown() bool {
	b, err := os.ReadFile("/sys/kernel/security/lockdown")
	return err == nil && strings.Contains(string(b), "[confidentiality]")
}
