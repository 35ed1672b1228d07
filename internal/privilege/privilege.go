// Package privilege gives up what a server needs no more once it listens: root, capabilities, and the system calls that
// are not for serving.
//
// All of it is for every thread of the process. Capabilities belong to threads, and Go has many; where a program has C
// in it, as package net's resolver is, Go cannot make a call in each of them (syscall.AllThreadsSyscall). What works in
// either build are set*id calls, which the C library spreads itself, and at which the kernel clears the capabilities of
// who was root; and a seccomp filter, which the kernel spreads (SECCOMP_FILTER_FLAG_TSYNC), with no_new_privs.
package privilege

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// nobody is the user, and the group, that own nothing: the kernel's own overflowuid.
const nobody = 65534

// Drop leaves root for nobody, unless root is still needed, and forbids what [denied] has. Where something cannot be
// given up because there is nothing of it (an ordinary user, a kernel without seccomp, a user namespace that has root
// alone) it is no error.
func Drop(keepRoot bool) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if os.Geteuid() == 0 && !keepRoot {
		if err := leaveRoot(); err != nil {
			return err
		}
	} else if !keepRoot {
		dropGranted()
	}
	return deny()
}

// leaveRoot becomes nobody, in every thread, with which all capabilities are gone.
func leaveRoot() error {
	if !may(unix.CAP_SETUID) || !may(unix.CAP_SETGID) || !mapped("uid_map") || !mapped("gid_map") {
		return nil // this root is none
	}
	for _, step := range []struct {
		call string
		err  func() error
	}{
		{"setgroups", func() error { return syscall.Setgroups(nil) }},
		{"setresgid", func() error { return syscall.Setresgid(nobody, nobody, nobody) }},
		{"setresuid", func() error { return syscall.Setresuid(nobody, nobody, nobody) }},
	} {
		if err := step.err(); err != nil {
			return fmt.Errorf("give root up: %s: %w", step.call, err)
		}
	}
	return nil
}

// may tells whether this thread has a capability.
func may(capability int) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	err := unix.Capget(&header, &data[0])
	return err == nil && data[capability/32].Effective&(1<<(capability%32)) != 0
}

// mapped tells whether nobody is a user, or a group, of our user namespace.
func mapped(file string) bool {
	text, err := os.ReadFile("/proc/self/" + file)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		var first, _outside, n int64
		if _, err := fmt.Sscan(line, &first, &_outside, &n); err == nil && first <= nobody && nobody < first+n {
			return true
		}
	}
	return false
}

// dropGranted gives up the capabilities that an ordinary user was granted, of a file's or as ambient ones. In a program
// with C in it that cannot be done.
func dropGranted() {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	_, _, _ = syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none[0])), 0)
}

// deny has the kernel refuse the denied calls with EPERM, in every thread, for good.
func deny() error {
	program := filter()
	if program == nil {
		return nil
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl PR_SET_NO_NEW_PRIVS: %w", err)
	}
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog)))
	switch {
	case errno == unix.ENOSYS || errno == unix.EINVAL: // a kernel without
		return nil
	case errno != 0:
		return fmt.Errorf("seccomp: %w", errno)
	case thread != 0:
		return errors.New("seccomp: a thread has another filter")
	}
	return nil
}
