package tcpinfo

import (
	"errors"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDestroy(t *testing.T) {
	t.Parallel()
	for _, addr := range []netip.AddrPort{loopback4, loopback6} {
		c, p := dial(t), newPairAt(t, addr)
		local, remote := p.client.local(), p.listener.local()
		if err := c.Destroy(local, remote, p.client.cookie()+1<<40); !errors.Is(err, ErrNotFound) {
			t.Errorf("with another's cookie: %v", err)
		}
		err := c.Destroy(local, remote, p.client.cookie())
		if errors.Is(err, ErrPermission) || errors.Is(err, ErrNotSupported) {
			t.Skipf("%v; run as root, or in unshare -Urn with lo up", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1)
		if _, err := unix.Read(p.client.fd, buf); err != unix.ECONNABORTED {
			t.Errorf("its owner reads %v, want %v", err, unix.ECONNABORTED)
		}
		if _, err := unix.Read(p.server.fd, buf); err != unix.ECONNRESET {
			t.Errorf("the peer reads %v, want %v", err, unix.ECONNRESET)
		}
		if err := c.Destroy(local, remote, 0); !errors.Is(err, ErrNotFound) {
			t.Errorf("a second time: %v", err)
		}
		// The kernel, asked for the server's end of a connection that is gone, would have taken the listener.
		if err := c.Destroy(remote, local, 0); !errors.Is(err, ErrNotFound) {
			t.Errorf("the server's end: %v", err)
		}
		if got := p.listener.state(); got != Listen {
			t.Errorf("the listener is %v", got)
		}
		if err := c.Destroy(remote, netip.AddrPort{}, 0); err != nil || p.listener.state() != Closed {
			t.Errorf("the listener: %v, and it is %v", err, p.listener.state())
		}
	}
}

// Without CAP_NET_ADMIN, destroying is refused by name, marks are not shown, and all the rest is as for root.
func TestWithoutPrivilege(t *testing.T) {
	dropNetAdmin(t)
	c := dial(t)
	m := newMix(t, mixEnds[1])
	m.settle(c)
	testMixLookup(t, c, m)
	testMixDump(t, c, m)
	for _, s := range m.dump(c) {
		if s.Mark != nil {
			t.Errorf("%v: the mark is shown", s.State)
		}
	}
	p := newPair(t)
	err := c.Destroy(p.client.local(), p.listener.local(), 0)
	if !errors.Is(err, ErrPermission) || !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("destroy: %v", err)
	}
	if got := p.client.state(); got != Established {
		t.Errorf("the connection is %v", got)
	}
}

// dropNetAdmin gives up the capability for the thread that the test runs on, which ends with the test.
func dropNetAdmin(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		t.Fatal(err)
	}
	data[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	if err := unix.Capset(&head, &data[0]); err != nil {
		t.Fatal(err)
	}
}
