package segment

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The SYN of a real client, as TCP_SAVED_SYN gives it to the server: IP and TCP header, nothing else.
func TestSavedSYN(t *testing.T) {
	t.Parallel()
	for network, address := range map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0"} {
		var config net.ListenConfig
		config.SetMultipathTCP(false) // Go's listeners are MPTCP sockets, which have no TCP_SAVE_SYN
		l, err := config.Listen(context.Background(), network, address)
		if err != nil {
			t.Logf("no %s: %v", network, err)
			continue
		}
		defer l.Close()
		control(t, l.(*net.TCPListener), func(fd int) error {
			return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_SAVE_SYN, 1)
		})
		client, err := net.Dial(network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()

		var saved []byte
		var info *unix.TCPInfo
		control(t, server.(*net.TCPConn), func(fd int) (err error) {
			if saved, err = savedSYN(fd); err != nil {
				return err
			}
			info, err = unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
			return err
		})
		s := mustDecode(t, saved)
		if s.Src.String() != client.LocalAddr().String() || s.Dst.String() != client.RemoteAddr().String() {
			t.Errorf("%v > %v, want %v > %v", s.Src, s.Dst, client.LocalAddr(), client.RemoteAddr())
		}
		mss, _ := s.Options.MSS()
		if s.Flags&(SYN|ACK|FIN|RST) != SYN || s.Missing > 0 || s.SeqLen() != 1 || uint32(mss) < info.Advmss || mss == 0 {
			t.Errorf("%s %s, advertised MSS %d", network, s, info.Advmss)
		}
		_, scaled := s.Options.WindowScale()
		_, _, stamped := s.Options.Timestamps()
		agreed := info.Options
		if s.Options.SACKPermitted() != (agreed&2 != 0) || scaled != (agreed&4 != 0) || stamped != (agreed&1 != 0) {
			t.Errorf("%s %s, but TCP_INFO's options are %#x", network, s, agreed)
		}
	}
}

func control(t *testing.T, c syscall.Conn, do func(fd int) error) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		err = errors.Join(raw.Control(func(fd uintptr) { err = do(int(fd)) }), err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func savedSYN(fd int) ([]byte, error) {
	buf := make([]byte, 500)
	length := uint32(len(buf))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_SAVED_SYN,
		uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&length)), 0)
	if errno != 0 {
		return nil, os.NewSyscallError("getsockopt TCP_SAVED_SYN", errno)
	}
	return buf[:length], nil
}

// Segments made here open and close a connection with this kernel, over a TUN device in a network namespace of their
// own: it takes our checksums and numbers, and its checksums, complete on such a device, are as we want them.
func TestKernelTakesOurSegments(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("run as root to make a network namespace")
	}
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, and the namespace with it
		failed <- talkOverTUN()
	}()
	if err := <-failed; errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	} else if err != nil {
		t.Error(err)
	}
}

func talkOverTUN() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare: %v: %w", err, errors.ErrUnsupported)
	}
	tun, err := openTUN("segment0")
	if err != nil {
		return err
	}
	defer unix.Close(tun)
	for _, args := range [][]string{
		{"link", "set", "segment0", "up"},
		{"addr", "add", "198.51.100.2/24", "dev", "segment0"},
		{"addr", "add", "2001:db8::2/64", "dev", "segment0", "nodad"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %v (install iproute2): %s: %w", args, err, out, errors.ErrUnsupported)
		}
	}
	for _, peer := range []netip.Addr{v4a.Addr(), v6a.Addr()} {
		if err := talk(tun, peer); err != nil {
			return err
		}
	}
	return nil
}

func openTUN(name string) (fd int, err error) {
	fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("/dev/net/tun: %v: %w", err, errors.ErrUnsupported)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	return fd, err
}

// talk is the peer of a server in this kernel: handshake, five octets there and back, close.
func talk(tun int, peer netip.Addr) error {
	local := v4b.Addr()
	if peer.Is6() {
		local = v6b.Addr()
	}
	l, err := net.Listen("tcp", netip.AddrPortFrom(local, 0).String())
	if err != nil {
		return err
	}
	defer l.Close()
	go echoOnce(l)
	server := netip.MustParseAddrPort(l.Addr().String())

	s := Segment{
		Src: netip.AddrPortFrom(peer, 40000), Dst: server, Seq: 0xfffffffe, Flags: SYN, Window: 64000,
	}
	s.Options, err = NewOptions(MSS(1400), SACKPermitted(), Timestamps(77, 0), NOP(), WindowScale(7))
	if err != nil {
		return err
	}
	var flow Flow
	exchange := func(send Segment, until func(Segment) bool) (Segment, error) {
		flow.Add(time.Now(), send)
		return request(tun, packetOf(send), &flow, until)
	}
	answer, err := exchange(s, func(r Segment) bool { return r.Flags == SYN|ACK })
	if err != nil {
		return err
	}
	val, ecr, _ := answer.Options.Timestamps()
	if answer.Ack != s.Seq+1 || ecr != 77 {
		return fmt.Errorf("%s is no answer to %s", answer, s)
	}
	s.Seq, s.Ack, s.Flags = s.Seq+1, answer.Seq+1, PSH|ACK
	s.Payload = []byte("hello")
	if s.Options, err = NewOptions(NOP(), NOP(), Timestamps(78, val)); err != nil {
		return err
	}
	answer, err = exchange(s, func(r Segment) bool { return r.Len() > 0 })
	if err == nil && string(answer.Payload) != "hello" {
		err = fmt.Errorf("%s: %q is not what was sent", answer, answer.Payload)
	}
	if err != nil {
		return err
	}
	s.Seq, s.Ack, s.Flags, s.Payload = s.Seq+5, answer.Seq+5, FIN|ACK, nil
	answer, err = exchange(s, func(r Segment) bool { return r.Flags.Has(FIN) })
	if seen := flow.Relative(answer); err == nil && (seen.Seq != 6 || seen.Ack != 7) {
		err = fmt.Errorf("relative: %s, want 6, 7", seen)
	}
	return err
}

func echoOnce(l net.Listener) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	buf := make([]byte, 100)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		if _, err := conn.Write(buf[:n]); err != nil {
			return
		}
	}
}

// request sends a packet until the kernel sends what is waited for, every half second, for ten seconds at most: an IPv6
// address on a device that has just come up can take a while before it is one.
func request(tun int, packet []byte, flow *Flow, until func(Segment) bool) (Segment, error) {
	var got []Segment
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if _, err := unix.Write(tun, packet); err != nil {
			return Segment{}, os.NewSyscallError("write", err)
		}
		for {
			s, err := receive(tun)
			if err == unix.ETIMEDOUT {
				break
			}
			if err != nil {
				return s, err
			}
			flow.Add(time.Now(), s)
			if got = append(got, s); until(s) {
				return s, nil
			}
		}
	}
	return Segment{}, fmt.Errorf("the kernel has not sent what was waited for; it has sent %v", got)
}

// receive reads the next segment that the kernel sends, and checks it: ETIMEDOUT after half a second without.
func receive(tun int) (Segment, error) {
	buf := make([]byte, 1<<16)
	for {
		poll := []unix.PollFd{{Fd: int32(tun), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, 500)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return Segment{}, os.NewSyscallError("poll", err)
		case n == 0:
			return Segment{}, unix.ETIMEDOUT
		}
		if n, err = unix.Read(tun, buf); err != nil {
			return Segment{}, os.NewSyscallError("read", err)
		}
		s, err := Decode(buf[:n])
		if buf[0]>>4 == 6 && buf[6] != protocolTCP {
			continue // neighbour and router discovery
		}
		return s, errors.Join(err, VerifyIP(buf[:n]), VerifyTCP(buf[:n]))
	}
}
