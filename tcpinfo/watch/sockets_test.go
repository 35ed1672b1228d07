package watch

import (
	"context"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

var (
	loopback4 = netip.MustParseAddrPort("127.0.0.1:0")
	loopback6 = netip.MustParseAddrPort("[::1]:0")
)

// patience is how long a test waits for what must happen soon, on a machine that is busy.
const patience = 30 * time.Second

// fdSocket is a socket as the system calls give it. It is a Controller.
type fdSocket struct {
	t      testing.TB
	mu     sync.RWMutex // held for reading while the descriptor is in use
	fd     int
	closed bool
}

func newSocket(t testing.TB, addr netip.Addr) *fdSocket {
	t.Helper()
	family := unix.AF_INET
	if addr.Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	return ownSocket(t, fd, "socket", err)
}

func ownSocket(t testing.TB, fd int, call string, err error) *fdSocket {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", call, err)
	}
	s := &fdSocket{t: t, fd: fd}
	t.Cleanup(s.close)
	return s
}

// Control implements Controller.
func (s *fdSocket) Control(f func(fd uintptr)) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return os.ErrClosed
	}
	f(uintptr(s.fd))
	return nil
}

func (s *fdSocket) close() {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	s.mu.Unlock()
	if !was {
		unix.Close(s.fd)
	}
}

func (s *fdSocket) must(call string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", call, err)
	}
}

func (s *fdSocket) bind(addr netip.AddrPort) {
	s.t.Helper()
	s.must("bind", unix.Bind(s.fd, sockaddr(addr)))
}
func (s *fdSocket) listen(backlog int) { s.t.Helper(); s.must("listen", unix.Listen(s.fd, backlog)) }
func (s *fdSocket) shutdown(how int)   { s.t.Helper(); s.must("shutdown", unix.Shutdown(s.fd, how)) }

func (s *fdSocket) connect(addr netip.AddrPort) {
	s.t.Helper()
	s.must("connect", retryEINTR(func() error { return unix.Connect(s.fd, sockaddr(addr)) }))
}

func (s *fdSocket) accept() *fdSocket {
	s.t.Helper()
	var fd int
	err := retryEINTR(func() (err error) { fd, _, err = unix.Accept4(s.fd, unix.SOCK_CLOEXEC); return err })
	return ownSocket(s.t, fd, "accept4", err)
}

func (s *fdSocket) dup() *fdSocket {
	s.t.Helper()
	fd, err := unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 0)
	return ownSocket(s.t, fd, "dup", err)
}

func (s *fdSocket) write(text string) {
	s.t.Helper()
	n, err := unix.Write(s.fd, []byte(text))
	s.must("write", err)
	if n != len(text) {
		s.t.Fatalf("write: %d of %d bytes", n, len(text))
	}
}

// read reads once, at most 64 KiB; "" at the end of the stream.
func (s *fdSocket) read() string {
	s.t.Helper()
	buf := make([]byte, 64<<10)
	var n int
	s.must("read", retryEINTR(func() (err error) { n, err = unix.Read(s.fd, buf); return err }))
	return string(buf[:n])
}

func (s *fdSocket) setInt(level, option, value int) {
	s.t.Helper()
	s.must("setsockopt", unix.SetsockoptInt(s.fd, level, option, value))
}

func (s *fdSocket) lingerZero() {
	s.t.Helper()
	s.must("setsockopt(SO_LINGER)", unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
}

func (s *fdSocket) cookie() uint64 {
	s.t.Helper()
	c, err := unix.GetsockoptUint64(s.fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	s.must("getsockopt(SO_COOKIE)", err)
	return c
}

func (s *fdSocket) local() netip.AddrPort {
	s.t.Helper()
	sa, err := unix.Getsockname(s.fd)
	s.must("getsockname", err)
	return addrPortOf(sa)
}

func (s *fdSocket) state() tcpinfo.State {
	s.t.Helper()
	info, err := tcpinfo.Get(s)
	s.must("getsockopt(TCP_INFO)", err)
	return info.State
}

// waitState waits until the kernel says that the socket is in one of the states.
func (s *fdSocket) waitState(states ...tcpinfo.State) {
	s.t.Helper()
	eventually(s.t, func() bool { return tcpinfo.MaskOf(states...).Has(s.state()) },
		func() { s.t.Fatalf("state %v, want one of %v", s.state(), states) })
}

// fill writes until the peer's window and this side's buffer are full, and returns how many bytes that took.
func (s *fdSocket) fill() int {
	s.t.Helper()
	s.must("fcntl", unix.SetNonblock(s.fd, true))
	total := 0
	for buf := make([]byte, 64<<10); ; {
		n, err := unix.Write(s.fd, buf)
		if err == unix.EAGAIN {
			break
		}
		s.must("write", err)
		total += n
	}
	s.must("fcntl", unix.SetNonblock(s.fd, false))
	return total
}

func listen(t testing.TB, addr netip.AddrPort, backlog int) *fdSocket {
	t.Helper()
	s := newSocket(t, addr.Addr())
	s.bind(addr)
	s.listen(backlog)
	return s
}

func connect(t testing.TB, addr netip.AddrPort) *fdSocket {
	t.Helper()
	s := newSocket(t, addr.Addr())
	s.connect(addr)
	return s
}

// startConnect begins to connect and does not wait.
func startConnect(t testing.TB, addr netip.AddrPort) *fdSocket {
	t.Helper()
	s := newSocket(t, addr.Addr())
	s.must("fcntl", unix.SetNonblock(s.fd, true))
	if err := unix.Connect(s.fd, sockaddr(addr)); err != nil && err != unix.EINPROGRESS {
		t.Fatalf("connect: %v", err)
	}
	return s
}

// pair is a connection and the listener it came from.
type pair struct{ listener, client, server *fdSocket }

func newPair(t testing.TB) pair { t.Helper(); return newPairAt(t, loopback4) }

func newPairAt(t testing.TB, addr netip.AddrPort) pair {
	t.Helper()
	l := listen(t, addr, 8)
	c := connect(t, l.local())
	return pair{l, c, l.accept()}
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is6() {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}

func retryEINTR(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}

// eventually waits until the condition holds, and says so if it does not in time.
func eventually(t testing.TB, condition func() bool, orElse func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			orElse()
			return
		}
	}
}

// disconnect ends a connection with connect(2) to AF_UNSPEC: the socket is CLOSED and can connect again.
func (s *fdSocket) disconnect() {
	s.t.Helper()
	var unspec [16]byte
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(s.fd), uintptr(unsafe.Pointer(&unspec)), uintptr(len(unspec)))
	if errno != 0 {
		s.t.Fatalf("connect(AF_UNSPEC): %v", errno)
	}
}

// waitRecvQ waits until so much is there to be read.
func (s *fdSocket) waitRecvQ(want int) {
	s.t.Helper()
	var got int
	eventually(s.t, func() bool {
		var err error
		got, err = unix.IoctlGetInt(s.fd, unix.SIOCINQ)
		s.must("ioctl(SIOCINQ)", err)
		return got == want
	}, func() { s.t.Fatalf("%d bytes to read, want %d", got, want) })
}

// waitUnacked waits until so many segments are under way.
func (s *fdSocket) waitUnacked(want uint32) {
	s.t.Helper()
	eventually(s.t, func() bool {
		info, err := tcpinfo.Get(s)
		s.must("getsockopt(TCP_INFO)", err)
		return info.Unacked == want
	}, func() { s.t.Fatalf("segments are not acknowledged") })
}
