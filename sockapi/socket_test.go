package sockapi

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// linkLocal is an fe80:: address of this machine, with its zone.
func linkLocal(t *testing.T) netip.Addr {
	t.Helper()
	interfaces, err := net.Interfaces()
	must(t, err)
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is6() && p.Addr().IsLinkLocalUnicast() {
				return p.Addr().WithZone(i.Name)
			}
		}
	}
	t.Skip("no interface has a link-local address: bring one up (ip link set dev eth0 up)")
	return netip.Addr{}
}

// converse connects, and checks that each side names the other as the other names itself, and that bytes go both ways
// and end.
func converse(t *testing.T, listener, target netip.Addr, clientDomain int) {
	l, at := newListener(t, listener, 1, nil)
	c := newSocket(t, clientDomain, 0, nil)
	must(t, c.Connect(netip.AddrPortFrom(target, at.Port())))
	s, peer, err := l.Accept4(0)
	must(t, err)
	defer closeQuietly(s)

	local, err := c.Getsockname()
	must(t, err)
	if local.Port() != peer.Port() || local.Addr().Unmap() != peer.Addr().Unmap() {
		t.Errorf("accept4 says the peer is %v, and it says it is %v", peer, local)
	}
	if named, err := s.Getpeername(); err != nil || named != peer {
		t.Errorf("getpeername says %v, %v; accept4 said %v", named, err, peer)
	}
	theirs, err := c.Getpeername()
	must(t, err)
	if theirs != netip.AddrPortFrom(target, at.Port()) {
		t.Errorf("connected to %v, getpeername says %v", netip.AddrPortFrom(target, at.Port()), theirs)
	}

	exchange(t, c, s, "ping")
	exchange(t, s, c, "pong")
	must(t, c.Shutdown(unix.SHUT_WR))
	if n, err := s.Read(make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("read after the peer's FIN: %d, %v; want 0, nil", n, err)
	}
}

func TestIPv4(t *testing.T) { converse(t, loopback4, loopback4, unix.AF_INET) }

func TestIPv6(t *testing.T) { converse(t, loopback6, loopback6, unix.AF_INET6) }

func TestZoneByName(t *testing.T) {
	ip := linkLocal(t)
	converse(t, ip, ip, unix.AF_INET6)
}

func TestZoneByNumber(t *testing.T) {
	ip := linkLocal(t)
	i, err := net.InterfaceByName(ip.Zone())
	must(t, err)
	l, at := newListener(t, ip.WithZone(fmt.Sprint(i.Index)), 1, nil)
	if at.Addr() != ip {
		t.Errorf("bound to zone %d, getsockname says %v; want %v", i.Index, at, ip)
	}
	must(t, l.Close())
}

func TestZoneUnknown(t *testing.T) {
	s := newSocket(t, unix.AF_INET6, 0, nil)
	for _, zone := range []string{"nosuch0", "a-name-that-is-far-too-long"} {
		err := s.Bind(netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(zone), 0))
		if e, ok := err.(*Error); !ok || e.Call != "bind" || e.Errno == 0 {
			t.Errorf("zone %s: %v; want an error of bind", zone, err)
		}
	}
}

func TestDualStack(t *testing.T) {
	any6 := netip.IPv6Unspecified()
	mapped := netip.AddrFrom16(loopback4.As16())
	t.Run("IPv4 peer", func(t *testing.T) { converse(t, any6, loopback4, unix.AF_INET) })
	t.Run("IPv6 peer", func(t *testing.T) { converse(t, any6, loopback6, unix.AF_INET6) })
	t.Run("mapped", func(t *testing.T) { converse(t, any6, mapped, unix.AF_INET6) })
	t.Run("mapped to IPv4", func(t *testing.T) { converse(t, loopback4, mapped, unix.AF_INET6) })
}

func TestAcceptSaysMapped(t *testing.T) {
	l, at := newListener(t, netip.IPv6Unspecified(), 1, nil)
	c := newSocket(t, unix.AF_INET, 0, nil)
	must(t, c.Connect(netip.AddrPortFrom(loopback4, at.Port())))
	s, peer, err := l.Accept4(0)
	must(t, err)
	defer closeQuietly(s)
	if !peer.Addr().Is4In6() {
		t.Errorf("an AF_INET6 listener's IPv4 peer is %v; want it mapped, as the kernel has it", peer)
	}
}

func TestV6Only(t *testing.T) {
	// A port that is fresh in IPv6 may be in use in IPv4, by somebody else.
	const tries = 20
	for i := range tries {
		refused, free := v6Only(t)
		if errors.Is(refused, unix.ECONNREFUSED) && free == nil {
			return
		}
		if i == tries-1 {
			t.Errorf("IPv4 to a V6ONLY listener: %v; want ECONNREFUSED. bind to its port in IPv4: %v", refused, free)
		}
	}
}

// v6Only makes a listener that is for IPv6 only. It returns what connecting to it with IPv4 gives, and whether the port
// is free in IPv4, which is the point of the option.
func v6Only(t *testing.T) (refused, free error) {
	l := newSocket(t, unix.AF_INET6, 0, nil)
	if got, err := IPV6_V6ONLY.SetGet(l, true); !got || err != nil {
		t.Fatal(got, err)
	}
	must(t, l.Bind(netip.AddrPortFrom(netip.IPv6Unspecified(), 0)))
	must(t, l.Listen(1))
	at, err := l.Getsockname()
	must(t, err)
	refused = newSocket(t, unix.AF_INET, 0, nil).Connect(netip.AddrPortFrom(loopback4, at.Port()))
	free = newSocket(t, unix.AF_INET, 0, nil).Bind(netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port()))
	return refused, free
}

// Nothing is converted: the kernel says what it thinks of the wrong family.
func TestWrongFamily(t *testing.T) {
	s := newSocket(t, unix.AF_INET6, 0, nil)
	err := s.Connect(netip.AddrPortFrom(loopback4, 1))
	if err == nil {
		t.Error("an AF_INET6 socket connected to a sockaddr_in")
	}
}

// The zero address is AF_UNSPEC, which undoes a connection: connect(2).
func TestConnectUnspec(t *testing.T) {
	c, s := newPair(t, nil)
	must(t, c.Connect(netip.AddrPort{}))
	if _, err := c.Getpeername(); !errors.Is(err, unix.ENOTCONN) {
		t.Errorf("getpeername: %v; want ENOTCONN", err)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("the peer reads %v; want ECONNRESET", err)
	}
}

// descriptors counts this process's sockets.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	n := 0
	for _, e := range entries {
		to, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

func TestOneDescriptorASocket(t *testing.T) {
	before := descriptors(t)
	l, at := newListener(t, loopback4, 1, nil)
	c := newSocket(t, unix.AF_INET, 0, nil)
	must(t, c.Connect(at))
	s, _, err := l.Accept4(0)
	must(t, err)
	d, err := s.Dup()
	must(t, err)
	exchange(t, c, d, "x")
	if n := descriptors(t) - before; n != 4 {
		t.Errorf("a listener, a connection's two ends and a duplicate are %d descriptors; want 4", n)
	}
	for _, s := range []*Socket{l, c, s, d} {
		must(t, s.Close())
	}
	if n := descriptors(t) - before; n != 0 {
		t.Errorf("%d descriptors are left after close", n)
	}
}

func TestCloseOnExec(t *testing.T) {
	c, s := newPair(t, nil)
	for _, s := range []*Socket{c, s} {
		flags, err := unix.FcntlInt(uintptr(s.FD()), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("fd %d: flags %#x, %v; want FD_CLOEXEC", s.FD(), flags, err)
		}
	}
}

func TestDupIsTheSameConnection(t *testing.T) {
	c, s := newPair(t, nil)
	d, err := c.Dup()
	must(t, err)
	defer closeQuietly(d)
	must(t, c.Close())
	exchange(t, d, s, "still here")
	must(t, d.Shutdown(unix.SHUT_WR))
	if n, err := s.Read(make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("read: %d, %v; want the end", n, err)
	}
}
