package tcpinfo

import (
	"errors"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"
)

// testMixSockets: the loop tells what a dump does, of the same Socket each time.
func testMixSockets(t *testing.T, c *Conn, m *mix) {
	seen := map[string]int{}
	var same *Socket
	for port := range m.ports {
		for s, err := range c.Sockets(Filter{LocalPort: port}) {
			if err != nil {
				t.Fatal(err)
			}
			if same != nil && same != s && seen["of this loop"] > 0 {
				t.Error("another Socket in the middle of a loop")
			}
			same = s
			seen["of this loop"]++
			for _, want := range m.list {
				if s.Local == want.local && s.Remote == want.remote {
					seen[want.name]++
					checkSpecimen(t, m, want, *s)
				}
			}
		}
		seen["of this loop"] = 0
	}
	for _, want := range m.list {
		if n := seen[want.name]; m.ports[want.local.Port()] && n == 0 {
			t.Errorf("%v was not told of", want)
		}
	}
}

// What is not asked for is not sent.
func TestWith(t *testing.T) {
	c, p := dial(t), newPair(t)
	for _, test := range []struct {
		with            With
		info, mem, cong bool
	}{
		{0, true, true, true},
		{WithInfo, true, false, false},
		{WithMemory | WithCong, false, true, true},
		{WithNothing, false, false, false},
	} {
		n := 0
		for s, err := range c.Sockets(Filter{LocalPort: p.client.local().Port(), With: test.with}) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; (s.Info != nil) != test.info || (s.Mem != nil) != test.mem || (s.Cong != "") != test.cong {
				t.Errorf("with %#x: TCP_INFO %v, memory %v, congestion control %q", test.with, s.Info != nil, s.Mem != nil, s.Cong)
			}
			if s.State != Established || s.Inode == 0 || s.Shutdown == nil {
				t.Errorf("with %#x: %v, inode %d, shutdown %v", test.with, s.State, s.Inode, s.Shutdown)
			}
		}
		if n != 1 {
			t.Errorf("with %#x: %d sockets", test.with, n)
		}
	}
}

// Nothing of one socket is left in the next: the loop's Socket is a Dump's, whatever came before it.
func TestSocketsLeavesNothingBehind(t *testing.T) {
	only := decoder{kernel: release{6, 18}, only: new(room)}
	for _, first := range recordedBodies(t) {
		for _, second := range recordedBodies(t) {
			var s, want Socket
			if err := only.decode(&s, first); err != nil {
				t.Fatal(err)
			}
			err := only.decode(&s, second)
			fresh := decoder{kernel: release{6, 18}}
			if wantErr := fresh.decode(&want, second); err != nil || wantErr != nil || !reflect.DeepEqual(s, want) {
				t.Fatalf("%v, %v\n%+v\n%+v", err, wantErr, s, want)
			}
		}
	}
}

// A loop that is broken off leaves the connection to the kernel usable.
func TestSocketsBrokenOff(t *testing.T) {
	c, p := dial(t), newPair(t)
	for range 3 {
		for _, err := range c.Sockets(Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if _, err := c.Lookup(p.client.local(), p.listener.local(), p.client.cookie()); err != nil {
			t.Error(err)
		}
	}
}

// What the loop says at its end, when the kernel does not tell everything.
func TestSocketsThatEndEarly(t *testing.T) {
	b := body(unix.AF_INET, 1, 0, 0)
	for _, test := range []struct {
		name   string
		answer func(seq uint32) []datagram
		told   int
		err    error
	}{
		{"whole", func(seq uint32) []datagram { return []datagram{one(found(seq, 2, b), done(seq, 0))} }, 1, nil},
		{"inconsistent", func(seq uint32) []datagram {
			return []datagram{one(found(seq, 2|unix.NLM_F_DUMP_INTR, b), done(seq, 0))}
		}, 1, ErrInconsistent},
		{"malformed", func(seq uint32) []datagram { return []datagram{one(found(seq, 2, b), found(seq, 2, b[:9]))} }, 1, errMalformed},
		{"refused", func(seq uint32) []datagram { return []datagram{one(failed(seq, unix.EINVAL))} }, 0, unix.EINVAL},
	} {
		c, _ := fakeConn(func(seq uint32, _ []byte) []datagram { return test.answer(seq) })
		told, last := 0, error(nil)
		for s, err := range c.Sockets(Filter{Family: unix.AF_INET}) {
			if (s == nil) != (err != nil) || last != nil {
				t.Errorf("%s: %v with %v, after %v", test.name, s, err, last)
			}
			if last = err; err == nil {
				told++
			}
		}
		if told != test.told || !errors.Is(last, test.err) || (last == nil) != (test.err == nil) {
			t.Errorf("%s: %d told of, %v", test.name, told, last)
		}
	}
	c, _ := fakeConn(nil)
	for _, err := range c.Sockets(Filter{Family: 99}) {
		if err == nil {
			t.Error("a family that is none")
		}
	}
}

// Going through the sockets keeps nothing, so it takes no memory for each.
func TestSocketsAllocates(t *testing.T) {
	c := dial(t)
	const pairs = 40
	port := uint16(0)
	l := listen(t, loopback4, pairs)
	for range pairs {
		connect(t, l.local())
		l.accept()
	}
	port = l.local().Port()
	n := 0
	allocs := testing.AllocsPerRun(5, func() {
		for _, err := range c.Sockets(Filter{Family: unix.AF_INET, LocalPort: port}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
	})
	if n < 6*pairs || allocs > pairs/2 {
		t.Errorf("%d sockets, %v allocations a loop", n, allocs)
	}
}
