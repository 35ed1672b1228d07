package trace

import (
	"net/netip"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// inNetns runs f in a network namespace of its own, with a loopback interface, on one thread.
func inNetns(t *testing.T, f func()) {
	t.Helper()
	needRoot(t)
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)      // also if f ends the test
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err = ownNetns(); err == nil {
			f()
		}
	}()
	if <-done; err != nil {
		t.Skip("a network namespace of its own: ", err)
	}
}

func ownNetns() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return os.NewSyscallError("SIOCSIFFLAGS", unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo))
}

// With TCP Fast Open the data of the SYN reaches the application before the handshake is over, so that the connection
// has a socket in SYN-RECEIVED.
func TestFastOpen(t *testing.T) {
	t.Parallel()
	inNetns(t, func() {
		const bothEndsWithoutCookies = "519"
		if err := os.WriteFile("/proc/sys/net/ipv4/tcp_fastopen", []byte(bothEndsWithoutCookies), 0); err != nil {
			t.Skip(err)
		}
		s := newStage(t, loopback4)
		s.l.setInt(unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 5)
		s.l.listen(5)
		c := newSock(t, loopback4, 0)
		c.setInt(unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT, 1)
		c.must(c.Connect(s.l.local()))
		s.expect(listening, "CLOSED SYN-SENT") // and no SYN yet: it waits for data
		c.write("data")
		s.l.accept()
		s.expect(listening, active, passive)
		checkEnds(t, s.seen)
	})
}

// The tracepoint does not say which network namespace a socket is in: both are seen.
func TestOtherNetworkNamespace(t *testing.T) {
	t.Parallel()
	l := bound(t, loopback4)
	port := l.local().Port()
	tr := open(t, port)
	inNetns(t, func() {
		other := newSock(t, loopback4, 0)
		other.must(other.Bind(netip.AddrPortFrom(alone.Addr(), port)))
		other.listen(1)
	})
	l.listen(1)
	if events, err := drain(tr); err != nil || !sameLives(events, []string{listening, listening}) {
		t.Errorf("got %v and\n%s", err, show(events))
	}
}
