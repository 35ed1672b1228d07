package privilege

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// denied are calls that an echo server never makes once it listens, and that whoever had taken it over would: to start
// a program, to open another way in or out, to reach into other processes, to change mounts and namespaces, or to use
// what kernels have had holes in. It is no list of what is allowed: what Go's runtime needs changes with its version.
var denied = []uint32{
	unix.SYS_EXECVE, unix.SYS_EXECVEAT,
	unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_BIND, unix.SYS_CONNECT, unix.SYS_LISTEN,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD,
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_FSOPEN, unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT,
	unix.SYS_UNSHARE, unix.SYS_SETNS,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_IO_URING_SETUP, unix.SYS_USERFAULTFD, unix.SYS_OPEN_BY_HANDLE_AT,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
}

// machines are how seccomp calls those of ours (AUDIT_ARCH_…): the number of a call means something only with it.
var machines = map[string]uint32{
	"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64, "386": unix.AUDIT_ARCH_I386, "arm": unix.AUDIT_ARCH_ARM,
	"s390x": unix.AUDIT_ARCH_S390X, "riscv64": unix.AUDIT_ARCH_RISCV64, "ppc64le": unix.AUDIT_ARCH_PPC64LE, "loong64": unix.AUDIT_ARCH_LOONGARCH64,
}

// Of struct seccomp_data (linux/seccomp.h): where the number and the machine are.
const (
	offNumber  = 0
	offMachine = 4
	x32        = 0x40000000 // numbers from here on are amd64's second set
)

// filter is the program that the kernel runs before each call; nil for a machine that is not in the list.
func filter() []unix.SockFilter {
	machine, known := machines[runtime.GOARCH]
	if !known {
		return nil
	}
	calls := len(denied)
	jump := func(k uint32, to, from int) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(to - from - 1), K: k}
	}
	refuse := 5 + calls
	p := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offMachine},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: uint8(refuse - 2), K: machine},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offNumber},
		{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, Jt: uint8(refuse - 4), K: x32},
	}
	for _, call := range denied {
		p = append(p, jump(call, refuse, len(p)))
	}
	return append(p,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)})
}
