package tcpinfo

import (
	"errors"
	"net/netip"
	"os/exec"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Without a cookie the kernel answers for a dead connection with the listener that it went to: that is not found.
func TestLookupOfADeadConnection(t *testing.T) {
	t.Parallel()
	c, p := dial(t), newPair(t)
	client, server := p.client.local(), p.listener.local()
	cookie := p.server.cookie()
	if s, err := c.Lookup(server, client, cookie); err != nil || s.State != Established {
		t.Fatalf("%v, %v", s.State, err)
	}
	p.client.lingerZero()
	p.client.close() // an RST: nothing is left at either end
	p.server.waitState(Closed)
	for _, k := range []uint64{0, cookie} {
		if s, err := c.Lookup(server, client, k); !errors.Is(err, ErrNotFound) || !errors.Is(err, unix.ENOENT) {
			t.Errorf("with cookie %d: %v %v > %v, %v", k, s.State, s.Local, s.Remote, err)
		}
	}
	if s, err := c.Lookup(server, netip.AddrPort{}, p.listener.cookie()); err != nil || s.State != Listen {
		t.Errorf("the listener: %v, %v", s.State, err)
	}
}

// A connection keeps its cookie from SYN-RECEIVED, when nobody has a descriptor, to TIME-WAIT, when nobody has one any
// more.
func TestCookieLastsALife(t *testing.T) {
	t.Parallel()
	c := dial(t)
	l := newSocket(t, loopback4.Addr())
	l.setInt(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 60)
	l.bind(loopback4)
	l.listen(4)
	client := connect(t, l.local())
	here, there := l.local(), client.local()
	half, err := c.Lookup(here, there, 0)
	if err != nil || half.State != SynReceived {
		t.Fatalf("%v, %v", half.State, err)
	}
	client.write("x") // what TCP_DEFER_ACCEPT waits for
	server := l.accept()
	if got := server.cookie(); got != half.Cookie {
		t.Errorf("accepted with cookie %d, half open it had %d", got, half.Cookie)
	}
	server.read()
	server.close()
	client.waitState(CloseWait)
	client.close()
	eventually(t, func() bool {
		s, err := c.Lookup(here, there, half.Cookie)
		return err == nil && s.State == TimeWait
	}, func() { t.Errorf("no TIME-WAIT with cookie %d", half.Cookie) })
}

// An IPv6 socket that speaks IPv4 is found by either kind of address.
func TestLookupMapped(t *testing.T) {
	t.Parallel()
	c := dial(t)
	l := listen(t, netip.MustParseAddrPort("[::]:0"), 4)
	to := netip.AddrPortFrom(loopback4.Addr(), l.local().Port())
	client := connect(t, to)
	server := l.accept()
	mapped := func(a netip.AddrPort) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
	}
	for _, a := range [][2]netip.AddrPort{{to, client.local()}, {mapped(to), mapped(client.local())}, {mapped(to), client.local()}} {
		s, err := c.Lookup(a[0], a[1], server.cookie())
		if err != nil || s.Family != unix.AF_INET6 || s.Local != mapped(to) || s.Remote != mapped(client.local()) {
			t.Errorf("%v > %v: family %d, %v > %v, %v", a[0], a[1], s.Family, s.Local, s.Remote, err)
		}
	}
}

// Listeners that share a port are told apart by their cookies, and so are bound-only sockets.
func TestLookupOfManyOnAPort(t *testing.T) {
	t.Parallel()
	c := dial(t)
	addr := loopback4
	for n := range 6 {
		s := newSocket(t, addr.Addr())
		s.setInt(unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		s.bind(addr)
		addr = s.local()
		want := Closed
		if n%2 == 0 {
			s.listen(4)
			want = Listen
		} else if !listsBound(c) {
			continue
		}
		defer func() {
			got, err := c.Lookup(addr, netip.AddrPort{}, s.cookie())
			if err != nil || got.Cookie != s.cookie() || got.State != want {
				t.Errorf("socket %d: %v with cookie %d, %v", n, got.State, got.Cookie, err)
			}
		}()
	}
	if _, err := c.Lookup(addr, netip.AddrPort{}, 1<<60); !errors.Is(err, ErrNotFound) {
		t.Errorf("a cookie of nobody's: %v", err)
	}
}

// On a link-local address the kernel finds nothing unless it is told the interface.
func TestLookupLinkLocal(t *testing.T) {
	enterNamespace(t)
	if out, err := exec.Command("ip", "addr", "add", "fe80::7/64", "dev", "lo", "nodad").CombinedOutput(); err != nil {
		t.Skipf("ip (install iproute2): %v %s", err, out)
	}
	c := dial(t)
	lo, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	l := ownSocket(t, lo, "socket", err)
	l.must("bind", unix.Bind(l.fd, &unix.SockaddrInet6{Addr: netip.MustParseAddr("fe80::7").As16(), ZoneId: 1}))
	l.listen(4)
	client := newSocket(t, loopback6.Addr())
	sa, err := unix.Getsockname(l.fd)
	l.must("getsockname", err)
	eventually(t, func() bool { err = unix.Connect(client.fd, sa); return err == nil }, // once the route is there
		func() { t.Fatalf("connect: %v", err) })
	local, remote := client.local(), l.local()
	for _, zone := range []string{"lo", "1"} {
		local := netip.AddrPortFrom(local.Addr().WithZone(zone), local.Port())
		s, err := c.Lookup(local, remote, client.cookie())
		if err != nil || s.State != Established || s.Interface != 1 {
			t.Errorf("in the zone %s: %v on interface %d, %v", zone, s.State, s.Interface, err)
		}
	}
	elsewhere := netip.AddrPortFrom(local.Addr().WithZone("nowhere0"), local.Port())
	if _, err := c.Lookup(elsewhere, netip.AddrPortFrom(remote.Addr().WithZone(""), remote.Port()), 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("in a zone that does not exist: %v", err)
	}
}

// A Conn sees the namespace of the thread that dialled, wherever it is used.
func TestConnBelongsToItsNamespace(t *testing.T) {
	outside := dial(t)
	enterNamespace(t)
	inside := dial(t)
	p := newPair(t)
	client, server := p.client.local(), p.listener.local()
	errs := make(chan error, 2)
	go func() { // another thread, in the namespace of the process
		_, err := inside.Lookup(client, server, 0)
		errs <- err
		_, err = outside.Lookup(client, server, 0)
		errs <- err
	}()
	if err := <-errs; err != nil {
		t.Errorf("inside: %v", err)
	}
	if err := <-errs; !errors.Is(err, ErrNotFound) {
		t.Errorf("outside: %v", err)
	}
}

// More sockets than one datagram holds, asked for from several goroutines at once.
func TestManySockets(t *testing.T) {
	t.Parallel()
	c := dial(t)
	l := listen(t, loopback4, 512)
	const clients = 150
	for range clients {
		connect(t, l.local())
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				list, err := c.Dump(Filter{LocalPort: l.local().Port()})
				if err != nil || len(list) != clients+1 {
					t.Errorf("%d sockets, want %d; %v", len(list), clients+1, err)
				}
				for _, s := range list {
					if s.Remote.Port() == 0 {
						continue
					}
					got, err := c.Lookup(s.Remote, s.Local, 0) // the other end
					if err != nil || got.State != Established {
						t.Errorf("%v > %v: %v, %v", s.Remote, s.Local, got.State, err)
					}
				}
			}
		})
	}
	wg.Wait()
}
