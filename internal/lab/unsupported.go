package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"

	"socklife/internal/unsupported"

	"golang.org/x/sys/unix"
)

// tryHere makes a network namespace and a TUN device in it, and lets go of both.
func tryHere() error {
	result := make(chan error)
	onOwnThread(func() {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			result <- unavailable(fmt.Errorf("unshare(CLONE_NEWNET): %w", err))
			return
		}
		t, err := openTUN()
		if err != nil {
			result <- unavailable(err)
			return
		}
		t.close()
		result <- nil
	})
	return <-result
}

// tryUserNamespace finds out whether Enter can work: whether the kernel gives this user a user namespace with a network
// namespace in it, and whether the TUN device's node is open to the user.
func tryUserNamespace() error {
	if err := tryClone(); err != nil {
		return noUserNamespace(err)
	}
	fd, err := unix.Open(tunPath, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return unavailable(&tunError{"open", err})
	}
	return unix.Close(fd)
}

// tryClone starts a child in new namespaces and has it execute a file that does not exist: when that is what fails,
// everything before it worked.
func tryClone() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_, err := syscall.ForkExec("/proc/self/no such program", []string{""}, &syscall.ProcAttr{
		Sys: userNamespace(unix.CLONE_NEWNET),
	})
	if err == syscall.ENOENT {
		return nil
	}
	return err
}

// userNamespace asks for a user namespace in which the caller is root and nobody else exists: the one mapping that
// needs no privilege (user_namespaces(7)).
func userNamespace(more uintptr) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | more,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}

// notPrivileged is what is missing where a user namespace would help.
const notPrivileged = "this process may not make network namespaces"

func unprivileged(err error) bool {
	var u *unsupported.Error
	return errors.As(err, &u) && u.What == notPrivileged
}

// unavailable explains an error of making a namespace or a TUN device; others it leaves as they are.
func unavailable(err error) error {
	var t *tunError
	if errors.As(err, &t) {
		return noTUN(t)
	}
	switch {
	case errors.Is(err, unix.EPERM):
		return unsupported.New(notPrivileged, "run as root", err)
	case errors.Is(err, unix.ENOSPC):
		return unsupported.New("the limit of network namespaces is reached (user.max_net_namespaces)",
			"sudo sysctl -w user.max_net_namespaces=10000", err)
	case errors.Is(err, unix.EINVAL):
		return unsupported.New("this kernel has no network namespaces", "use one built with CONFIG_NET_NS", err)
	}
	return fmt.Errorf("lab: %w", err)
}

func noTUN(err *tunError) error {
	switch {
	case err.call == "open" && errors.Is(err, unix.ENOENT):
		return unsupported.New(tunPath+" does not exist",
			"sudo modprobe tun; in a container, start it with --device /dev/net/tun (it cannot be made in a user namespace, mknod needs the real root)", err)
	case err.call == "open" && (errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO)):
		return unsupported.New("this kernel has no TUN device", "sudo modprobe tun, or use one built with CONFIG_TUN", err)
	case err.call == "open" && (errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)):
		return unsupported.New(tunPath+" is not open to this user"+modeOf(tunPath),
			"sudo chmod 0666 "+tunPath+" (most distributions have it so; by itself it gives no right over any network), or run as root", err)
	case err.call == "TUNSETIFF" && errors.Is(err, unix.EPERM):
		return unsupported.New(notPrivileged, "run as root", err)
	}
	return fmt.Errorf("lab: %w", err)
}

// modeOf is " (mode 0600)".
func modeOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (mode %04o)", info.Mode()&fs.ModePerm)
}

// noUserNamespace explains why clone(CLONE_NEWUSER|CLONE_NEWNET) failed, from the switches that distributions have.
func noUserNamespace(err error) error {
	const otherwise = ", or run as root"
	for _, s := range []struct{ name, off, missing, remedy string }{
		{"user.max_user_namespaces", "0", "user namespaces are switched off", "sudo sysctl -w user.max_user_namespaces=10000"},
		{"kernel.unprivileged_userns_clone", "0", "user namespaces are for root only", "sudo sysctl -w kernel.unprivileged_userns_clone=1"},
		{"kernel.apparmor_restrict_unprivileged_userns", "1", "AppArmor keeps user namespaces from programs without a profile",
			"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give this program a profile that allows userns"},
		{"user.max_net_namespaces", "0", "network namespaces are switched off", "sudo sysctl -w user.max_net_namespaces=10000"},
	} {
		if readSwitch(s.name) == s.off {
			return unsupported.New(fmt.Sprintf("%s (%s is %s)", s.missing, s.name, s.off), s.remedy+otherwise, err)
		}
	}
	switch {
	case errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EUSERS):
		return unsupported.New("the limit of user or network namespaces is reached",
			"raise the sysctls user.max_user_namespaces and user.max_net_namespaces"+otherwise, err)
	case errors.Is(err, unix.EINVAL):
		return unsupported.New("this kernel has no user namespaces", "run as root", err)
	}
	return unsupported.New("this process may not make user namespaces ("+err.Error()+")",
		"in a container, start it with --cap-add SYS_ADMIN --cap-add NET_ADMIN --device /dev/net/tun, or --privileged"+otherwise, err)
}

// switchRoot is where the switches are; the tests have others.
var switchRoot = "/proc/sys/"

// readSwitch is the value of a sysctl, empty where the kernel has none of that name.
func readSwitch(name string) string {
	b, err := os.ReadFile(switchRoot + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
