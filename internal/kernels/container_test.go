package kernels

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// insideArg has the test binary put a command into what a container engine makes by default, as far as the two commands
// can tell: `kernels.test as-in-a-container COMMAND`.
const insideArg = "as-in-a-container"

// loopbackArg has it bring up the loopback of a new network namespace first, and no more.
const loopbackArg = "with-loopback"

func withLoopback(argv []string) {
	err := up("lo")
	if err == nil {
		err = syscall.Exec(argv[0], argv, os.Environ())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(125)
}

// kept are the capabilities that Docker leaves root in a container (docs.docker.com, "Runtime privilege and Linux
// capabilities").
var kept = []uintptr{
	unix.CAP_AUDIT_WRITE, unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID, unix.CAP_KILL, unix.CAP_MKNOD,
	unix.CAP_NET_BIND_SERVICE, unix.CAP_NET_RAW, unix.CAP_SETFCAP, unix.CAP_SETGID, unix.CAP_SETPCAP, unix.CAP_SETUID, unix.CAP_SYS_CHROOT,
}

// refused are the system calls that Docker's default seccomp list refuses to a process without CAP_SYS_ADMIN, and that
// somebody here could want; clone() with a flag for a namespace is another, and clone3(), whose flags a filter cannot
// see, is answered with ENOSYS.
var refused = []uint32{
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN,
	unix.SYS_FSOPEN, unix.SYS_FSMOUNT, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_FINIT_MODULE, unix.SYS_INIT_MODULE,
}

const namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER |
	unix.CLONE_NEWPID | unix.CLONE_NEWNET

// asInAContainer never returns.
func asInAContainer(argv []string) {
	fmt.Fprintln(os.Stderr, enterContainer(argv))
	os.Exit(125)
}

func enterContainer(argv []string) error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := up("lo"); err != nil {
		return err
	}
	for _, m := range []struct {
		from, at, fs string
		flags        uintptr
	}{
		{"", "/", "", unix.MS_REC | unix.MS_PRIVATE},
		{"tmpfs", "/dev/net", "tmpfs", 0}, // no TUN device
		{"sysfs", "/sys", "sysfs", unix.MS_RDONLY},
		{"/proc/sys", "/proc/sys", "", unix.MS_BIND},
		{"", "/proc/sys", "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY},
	} {
		if err := unix.Mount(m.from, m.at, m.fs, m.flags, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	for c := uintptr(0); unix.Prctl(unix.PR_CAPBSET_READ, c, 0, 0, 0) == nil; c++ {
		keep := false
		for _, k := range kept {
			keep = keep || k == c
		}
		if !keep {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
				return fmt.Errorf("PR_CAPBSET_DROP %d: %w", c, err)
			}
		}
	}
	program := seccomp()
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&filter)), 0, 0); err != nil {
		return fmt.Errorf("PR_SET_SECCOMP: %w", err)
	}
	return syscall.Exec(argv[0], argv, os.Environ())
}

// seccomp is the filter: struct seccomp_data has the call's number at 0 and the low half of its first argument at 16,
// on the little-endian machines that are tried here.
func seccomp() []unix.SockFilter {
	const number, flags = 0, 16
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	unless := func(n uint32) unix.SockFilter { // passes over the next
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: n, Jf: 1}
	}
	answer := func(n uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: n} }
	program := []unix.SockFilter{load(number)}
	for _, call := range refused {
		program = append(program, unless(call), answer(unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)))
	}
	return append(program,
		unless(unix.SYS_CLONE3), answer(unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)),
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_CLONE, Jf: 3},
		load(flags),
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: namespaceFlags, Jf: 1},
		answer(unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)),
		answer(unix.SECCOMP_RET_ALLOW),
	)
}
