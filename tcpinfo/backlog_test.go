package tcpinfo

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestBacklog(t *testing.T) {
	t.Parallel()
	d, err := Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	l := listen(t, loopback4, 1)
	b, err := d.Backlog(l.local())
	if err != nil || b.Listener != l.local() || b.AcceptQueue != 0 || b.AcceptLimit != 1 || b.SynQueue != 0 || b.Full() {
		t.Errorf("at first: %+v, %v", b, err)
	}
	for range 2 {
		connect(t, l.local())
	}
	eventually(t, func() bool { b, err = d.Backlog(l.local()); return b.AcceptQueue == 2 }, func() {})
	if err != nil || b.AcceptQueue != 2 || b.SynQueue != 0 || !b.Full() {
		t.Errorf("backlog+1 connections: %+v, %v", b, err)
	}
	deferred := listen(t, netip.MustParseAddrPort("[::]:0"), 4)
	deferred.setInt(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30)
	to := netip.AddrPortFrom(loopback4.Addr(), deferred.local().Port())
	c := connect(t, to)
	b, err = d.Backlog(to) // the wildcard listener is who would answer
	if err != nil || b.Listener != deferred.local() || b.SynQueue != 1 || len(b.HalfOpen) != 1 ||
		b.HalfOpen[0].State != SynReceived || b.HalfOpen[0].Remote.Port() != c.local().Port() {
		t.Errorf("half-open at a wildcard: %+v, %v", b, err)
	}

	at := l.local()
	l.close()
	if _, err := d.Backlog(at); !errors.Is(err, ErrNotFound) {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestPickListener has no kernel in it: who would get a connection.
func TestPickListener(t *testing.T) {
	t.Parallel()
	yes := true
	listeners := []Socket{
		{State: Established, Family: unix.AF_INET, Local: netip.MustParseAddrPort("127.0.0.1:80")},
		{State: Listen, Family: unix.AF_INET6, Local: netip.MustParseAddrPort("[::]:80")},
		{State: Listen, Family: unix.AF_INET, Local: netip.MustParseAddrPort("0.0.0.0:80")},
		{State: Listen, Family: unix.AF_INET, Local: netip.MustParseAddrPort("127.0.0.2:80")},
		{State: Listen, Family: unix.AF_INET6, Local: netip.MustParseAddrPort("[::]:81"), V6Only: &yes},
		{State: Listen, Family: unix.AF_INET6, Local: netip.MustParseAddrPort("[::]:82")},
	}
	for to, want := range map[string]int{
		"127.0.0.2:80": 3, "127.0.0.1:80": 2, "0.0.0.0:80": 2, "[::1]:80": 1, "[::]:80": 1, "127.0.0.1:81": -1, "[::1]:81": 4,
		"127.0.0.1:82": 5, "[::ffff:127.0.0.1]:80": 2, "127.0.0.1:83": -1,
	} {
		got := pickListener(listeners, netip.MustParseAddrPort(to))
		if want < 0 && got != nil || want >= 0 && got != &listeners[want] {
			t.Errorf("%s: %+v", to, got)
		}
	}
}

// Of two listeners on one port the kernel prefers the one that is bound to the address.
func TestUnacceptedOfTheListenerThatIsPreferred(t *testing.T) {
	at := netip.MustParseAddrPort
	any4, bound := at("0.0.0.0:80"), at("127.0.0.1:80")
	list := []Socket{
		{Family: unix.AF_INET, State: Listen, Local: any4, Inode: 1}, {Family: unix.AF_INET, State: Listen, Local: bound, Inode: 2},
		{Family: unix.AF_INET, State: Established, Local: bound, Remote: at("127.0.0.1:5000"), Info: &Info{}},
		{Family: unix.AF_INET, State: SynReceived, Local: at("192.0.2.1:80"), Remote: at("192.0.2.9:5000")},
	}
	for _, c := range []struct {
		listener      netip.AddrPort
		half, waiting int
	}{{any4, 1, 0}, {bound, 0, 1}} {
		if half, waiting := Unaccepted(list, c.listener, unix.AF_INET); len(half) != c.half || len(waiting) != c.waiting {
			t.Errorf("%v: %d half-open, %d waiting", c.listener, len(half), len(waiting))
		}
	}
	if _, waiting := Unaccepted(list[2:], any4, unix.AF_INET); len(waiting) != 1 {
		t.Error("where no listener is in the list, its address tells")
	}
}
