package tcpinfo

import (
	"errors"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A socket that says ENOBUFS however often it is read does not hold its Conn for ever.
func TestDrainEnds(t *testing.T) {
	t.Parallel()
	s, err := dialKernel()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	refused := make(chan error, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		runtime.LockOSThread() // and never unlocked: the thread ends with its filter
		err := refuseRecvfrom(unix.ENOBUFS)
		refused <- err
		if err == nil {
			s.drain()
		}
	}()
	if err := <-refused; err != nil {
		t.Skipf("seccomp(2): %v", err)
	}
	select {
	case <-drained:
	case <-time.After(patience):
		t.Fatalf("still draining after %v", patience)
	}
}

// What others send to a Conn's socket does not reach it, though they know its address and have the privilege to.
func TestForgedAnswers(t *testing.T) {
	t.Parallel()
	s, err := dialKernel()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	at, err := unix.Getsockname(s.fd)
	if err != nil {
		t.Fatal(err)
	}
	forger, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(forger)
	err = unix.Sendto(forger, msg(sockDiagByFamily, 0, 1, body(unix.AF_INET, 1, 0, 0)), 0, at)
	if errors.Is(err, unix.EPERM) {
		t.Skip("sending to another's netlink socket takes CAP_NET_ADMIN: run as root")
	}
	if !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a forged answer: %v; want ECONNREFUSED", err)
	}
	if n, err := s.recvFlags(make([]byte, 1), unix.MSG_DONTWAIT); err == nil {
		t.Errorf("%d bytes of it arrived", n)
	}
}

// refuseRecvfrom has recvfrom(2) fail on the calling thread.
func refuseRecvfrom(errno unix.Errno) error {
	const number = 0 // of the call, in struct seccomp_data
	code := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_RECVFROM, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
