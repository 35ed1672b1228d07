package tcpinfo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
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
		{"both ports", Filter{LocalPort: 1, RemotePort: 0xffff},
			"02082400 00000100 03081c00 00000100 04081400 0000ffff 05080c00 0000ffff"},
		{"a port at either end", Filter{Port: 7007},
			"02081400 00005f1b 03080c00 00005f1b 01041400 04081400 00005f1b 05080c00 00005f1b"},
	} {
		b := c.f.bytecode()
		got := ""
		for n := 0; n < len(b); n += 4 {
			got += fmt.Sprintf(" %x", b[n:n+4])
		}
		if strings.TrimSpace(got) != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestFilterErrors(t *testing.T) {
	conn, k := fakeConn(nil)
	if _, err := conn.Dump(Filter{Family: 1}); err == nil || k.sent != 0 {
		t.Errorf("family 1: %v, and %d requests were sent", err, k.sent)
	}
}

// matches says in Go what the filter is meant to say to the kernel.
func (f *Filter) matches(s Socket) bool {
	port := func(want, p uint16) bool { return want == 0 || p == want }
	return (f.Family == 0 || f.Family == s.Family) && f.States.Has(s.State) &&
		port(f.LocalPort, s.Local.Port()) && port(f.RemotePort, s.Remote.Port()) &&
		(port(f.Port, s.Local.Port()) || port(f.Port, s.Remote.Port()))
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
		{}, {Family: unix.AF_INET}, {Family: unix.AF_INET6},
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
			func() { f.Port = o.Local.Port() },
			func() { f.Port = o.Remote.Port() },
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
	f := Filter{LocalPort: 1, RemotePort: 2}
	good := f.bytecode()
	if err := c.dumpStates(request{family: unix.AF_INET, states: AllStates.kernelBits()}, good, nil); err != nil {
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
		if err := c.dumpStates(request{family: unix.AF_INET, states: AllStates.kernelBits()}, b, nil); !errors.Is(err, unix.EINVAL) {
			t.Errorf("a program that %s: %v", name, err)
		}
	}
	if _, err := c.Dump(f); err != nil {
		t.Errorf("after refusals: %v", err)
	}
}
