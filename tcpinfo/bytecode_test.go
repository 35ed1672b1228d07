package tcpinfo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestBytecode(t *testing.T) {
	if bigEndian {
		t.Skip("the expected bytes are little-endian")
	}
	for _, c := range []struct {
		name string
		f    Filter
		want string
	}{
		{"nothing", Filter{States: MaskOf(Listen), Family: unix.AF_INET}, ""},
		{"local port", Filter{LocalPort: 7007}, "02081400 00005f1b 03080c00 00005f1b"},
		{"remote ports", Filter{RemotePorts: PortRange{1, 0xffff}}, "04081400 00000100 05080c00 0000ffff"},
		{"local address", Filter{Local: netip.MustParseAddr("192.0.2.1")}, "07101400 02200000 ffffffff c0000201"},
		{"IPv4-mapped", Filter{Local: netip.MustParseAddr("::ffff:192.0.2.1")}, "07101400 02200000 ffffffff c0000201"},
		{"IPv6 prefix", Filter{RemoteNet: netip.MustParsePrefix("2001:db8::/32")},
			"081c2000 0a200000 ffffffff 20010db8 00000000 00000000 00000000"},
		{"interface", Filter{Interface: 3}, "09080c00 03000000"},
		{"both", Filter{LocalPort: 1, Interface: 3}, "02081c00 00000100 03081400 00000100 09080c00 03000000"},
	} {
		b, err := c.f.bytecode()
		got := ""
		for n := 0; n < len(b); n += 4 {
			got += fmt.Sprintf(" %x", b[n:n+4])
		}
		if err != nil || got != "" && got[1:] != c.want || got == "" && c.want != "" {
			t.Errorf("%s:\ngot  %s (%v)\nwant %s", c.name, got, err, c.want)
		}
	}
}

func TestFilterErrors(t *testing.T) {
	conn, k := fakeConn(nil)
	for _, f := range []Filter{{Family: 1}, {LocalPorts: PortRange{2, 1}}, {RemotePorts: PortRange{9, 0}}} {
		if _, err := conn.Dump(f); err == nil {
			t.Errorf("%+v was accepted", f)
		}
	}
	if k.sent != 0 {
		t.Errorf("%d requests were sent", k.sent)
	}
}

// matches says in Go what the filter is meant to say to the kernel.
func (f *Filter) matches(s Socket) bool {
	port := func(one uint16, r PortRange, p uint16) bool {
		return (one == 0 || p == one) && (r == PortRange{} || r.Lo <= p && p <= r.Hi)
	}
	addr := func(one netip.Addr, net netip.Prefix, a netip.Addr) bool {
		if one.IsValid() && one.Unmap() != a.Unmap() {
			return false
		}
		return !net.IsValid() || net.Contains(a) || net.Contains(a.Unmap()) || a.Is4() && net.Bits() >= 96 && net.Contains(netip.AddrFrom16(a.As16()))
	}
	return (f.Family == 0 || f.Family == s.Family) && f.States.Has(s.State) &&
		port(f.LocalPort, f.LocalPorts, s.Local.Port()) && port(f.RemotePort, f.RemotePorts, s.Remote.Port()) &&
		addr(f.Local, f.LocalNet, s.Local.Addr()) && addr(f.Remote, f.RemoteNet, s.Remote.Addr()) &&
		(f.Interface == 0 || f.Interface == s.Interface)
}

// The kernel's answer to a filter is what the filter, run here, would keep of everything: of the sockets of the mixes
// all that match are listed, and whatever is listed matches.
func TestFilterInTheKernel(t *testing.T) {
	t.Parallel()
	c := dial(t)
	var all []Socket
	for _, e := range mixEnds {
		m := newMix(t, e)
		m.settle(c)
		for _, want := range m.list {
			s, err := c.Lookup(want.local, want.remote, 0)
			if err != nil {
				t.Fatalf("%v: %v", want, err)
			}
			all = append(all, s)
		}
	}
	for n, f := range filters(all) {
		list, err := c.Dump(f)
		if err != nil {
			t.Errorf("filter %d %+v: %v", n, f, err)
			continue
		}
		listed := map[uint64]bool{}
		for _, s := range list {
			listed[s.Cookie] = true
			if !f.matches(s) {
				t.Errorf("filter %d %+v: %v %v > %v is listed", n, f, s.State, s.Local, s.Remote)
			}
		}
		for _, s := range all {
			if f.matches(s) && !listed[s.Cookie] {
				t.Errorf("filter %d %+v: %v %v > %v is not listed", n, f, s.State, s.Local, s.Remote)
			}
		}
	}
}

// filters makes filters that match some of the sockets: each kind alone, and random combinations.
func filters(all []Socket) []Filter {
	list := []Filter{
		{}, {Family: unix.AF_INET}, {Family: unix.AF_INET6}, {Interface: 1},
		{Local: netip.MustParseAddr("127.0.0.1")}, {Remote: netip.MustParseAddr("::1")}, {Remote: netip.MustParseAddr("::ffff:127.0.0.1")},
		{LocalNet: netip.MustParsePrefix("127.0.0.0/8")}, {LocalNet: netip.MustParsePrefix("128.0.0.0/8")},
		{RemoteNet: netip.MustParsePrefix("::/127")}, {RemoteNet: netip.MustParsePrefix("::2/127")},
		{LocalNet: netip.MustParsePrefix("::ffff:127.0.0.0/104")}, {LocalNet: netip.MustParsePrefix("0.0.0.0/0")},
	}
	for _, s := range States() {
		list = append(list, Filter{States: MaskOf(s)})
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		s, o := all[r.IntN(len(all))], all[r.IntN(len(all))]
		f := Filter{}
		for _, add := range []func(){
			func() { f.LocalPort = s.Local.Port() },
			func() { f.RemotePort = s.Remote.Port() },
			func() {
				f.LocalPorts = PortRange{min(s.Local.Port(), o.Local.Port()), max(s.Local.Port(), o.Local.Port())}
			},
			func() {
				f.RemotePorts = PortRange{min(s.Remote.Port(), o.Remote.Port()), max(s.Remote.Port(), o.Remote.Port())}
			},
			func() { f.Local = s.Local.Addr() },
			func() { f.Remote = s.Remote.Addr() },
			func() {
				f.LocalNet = netip.PrefixFrom(s.Local.Addr().Unmap(), r.IntN(s.Local.Addr().Unmap().BitLen()+1)).Masked()
			},
			func() { f.States = MaskOf(s.State, o.State) },
			func() { f.Family = s.Family },
		} {
			if r.IntN(3) == 0 {
				add()
			}
		}
		list = append(list, f)
	}
	return list
}

// The kernel audits a program before it runs it, for an ordinary user as for root: ours pass, broken ones do not.
func TestKernelAudits(t *testing.T) {
	c := dial(t)
	f := Filter{LocalPort: 1, RemotePorts: PortRange{2, 3}, LocalNet: netip.MustParsePrefix("10.0.0.0/8"), Remote: netip.IPv6Loopback(), Interface: 9}
	good, err := f.bytecode()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.dump(unix.AF_INET, AllStates.kernelBits(), good, nil); err != nil {
		t.Errorf("a right program: %v", err)
	}
	for name, spoil := range map[string]func([]byte){
		"jumps into an operation":  func(b []byte) { native.PutUint16(b[2:], 4) },
		"jumps far past the end":   func(b []byte) { native.PutUint16(b[2:], 4096) },
		"is longer than its bytes": func(b []byte) { b[1] = 0xfc },
		"has an unknown operation": func(b []byte) { b[0] = 99 },
	} {
		b := append([]byte(nil), good...)
		spoil(b)
		if err := c.dump(unix.AF_INET, AllStates.kernelBits(), b, nil); !errors.Is(err, unix.EINVAL) {
			t.Errorf("a program that %s: %v", name, err)
		}
	}
	if _, err := c.Dump(f); err != nil {
		t.Errorf("after refusals: %v", err)
	}
}
