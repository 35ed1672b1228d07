package sockapi

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// allOptions are the options there are, and which ways they go.
var allOptions = []struct {
	name     string
	set, get bool
}{
	{"SO_REUSEADDR", true, true}, {"SO_REUSEPORT", true, true}, {"SO_KEEPALIVE", true, true}, {"SO_OOBINLINE", true, true},
	{"SO_ACCEPTCONN", false, true}, {"SO_RCVBUF", true, true}, {"SO_SNDBUF", true, true}, {"SO_RCVTIMEO", true, true},
	{"SO_SNDTIMEO", true, true}, {"SO_LINGER", true, true}, {"SO_ERROR", false, true}, {"SO_COOKIE", false, true},
	{"SO_ATTACH_FILTER", true, false}, {"SO_DETACH_FILTER", true, false}, {"TCP_NODELAY", true, true},
	{"TCP_QUICKACK", true, true}, {"TCP_MAXSEG", true, true}, {"TCP_KEEPIDLE", true, true}, {"TCP_KEEPINTVL", true, true},
	{"TCP_KEEPCNT", true, true}, {"TCP_SYNCNT", true, true}, {"TCP_DEFER_ACCEPT", true, true}, {"TCP_LINGER2", true, true},
	{"TCP_USER_TIMEOUT", true, true}, {"TCP_SAVE_SYN", true, true}, {"TCP_SAVED_SYN", false, true},
	{"IP_LOCAL_PORT_RANGE", true, true}, {"IPV6_V6ONLY", true, true},
}

// dropAll is a filter that lets nothing through.
var dropAll = []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}

// check sets an option, and checks what the kernel made of the value.
func check[T any](t *testing.T, s *Socket, o Option[T], set, want T) {
	t.Helper()
	got, err := o.SetGet(s, set)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v set to %v: %v, %v; want %v", o, set, got, err, want)
	}
	if again, err := o.Get(s); err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("%v was %v, and then %v, %v", o, got, again, err)
	}
}

func TestOptions(t *testing.T) {
	s := newSocket(t, unix.AF_INET, 0, nil)
	for _, o := range []Option[bool]{SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE, SO_OOBINLINE, TCP_NODELAY, TCP_QUICKACK, TCP_SAVE_SYN} {
		check(t, s, o, true, true)
		check(t, s, o, false, false)
	}
	check(t, s, SO_RCVBUF, 10000, 20000)
	check(t, s, SO_SNDBUF, 10000, 20000)
	check(t, s, TCP_MAXSEG, 1000, 1000)
	check(t, s, TCP_KEEPCNT, 3, 3)
	check(t, s, TCP_SYNCNT, 2, 2)
	check(t, s, SO_LINGER, Linger{true, 7}, Linger{true, 7})
	check(t, s, SO_LINGER, Linger{}, Linger{OnOff: false, Seconds: 7}) // the time stays, unused
	check(t, newSocket(t, unix.AF_INET6, 0, nil), IPV6_V6ONLY, true, true)
}

func TestDurationOptions(t *testing.T) {
	s := newSocket(t, unix.AF_INET, 0, nil)
	for _, o := range []Option[time.Duration]{TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_LINGER2} {
		check(t, s, o, 5*time.Second, 5*time.Second)
		check(t, s, o, 4*time.Second+1, 5*time.Second) // never less than was asked for
	}
	check(t, s, TCP_USER_TIMEOUT, 1500*time.Millisecond, 1500*time.Millisecond)
	check(t, s, TCP_USER_TIMEOUT, time.Nanosecond, time.Millisecond)
	check(t, s, TCP_LINGER2, -1, -time.Second)
	check(t, s, TCP_DEFER_ACCEPT, 1*time.Second, 1*time.Second)
	check(t, s, TCP_DEFER_ACCEPT, 2*time.Second, 3*time.Second) // 1 + 2: two SYN-ACKs
	for _, o := range []Option[time.Duration]{SO_RCVTIMEO, SO_SNDTIMEO} {
		check(t, s, o, 2*time.Second, 2*time.Second)
		check(t, s, o, 0, 0)
		// A clock tick is at most 10 ms (CONFIG_HZ=100).
		if got, err := o.SetGet(s, time.Nanosecond); err != nil || got <= 0 || got > 10*time.Millisecond {
			t.Errorf("%v set to 1ns: %v, %v; want a clock tick", o, got, err)
		}
	}
}

// hasPortRange tells whether this kernel has IP_LOCAL_PORT_RANGE: Linux 6.3 has.
func hasPortRange(t *testing.T) bool {
	t.Helper()
	_, err := IP_LOCAL_PORT_RANGE.Get(newSocket(t, unix.AF_INET, 0, nil))
	return !errors.Is(err, unix.ENOPROTOOPT)
}

func TestPortRange(t *testing.T) {
	if !hasPortRange(t) {
		t.Skip("IP_LOCAL_PORT_RANGE needs Linux 6.3")
	}
	const tries = 20 // somebody may take the port
	for i := range tries {
		s := newSocket(t, unix.AF_INET, 0, nil)
		free, at := newListener(t, loopback4, 1, nil)
		must(t, free.Close())
		want := PortRange{at.Port(), at.Port()}
		got, err := IP_LOCAL_PORT_RANGE.SetGet(s, want)
		if err != nil || got != want {
			t.Fatalf("set to %v: %v, %v", want, got, err)
		}
		err = s.Bind(netip.AddrPortFrom(loopback4, 0))
		if errors.Is(err, unix.EADDRINUSE) && i < tries-1 {
			continue
		}
		must(t, err)
		if chosen, err := s.Getsockname(); err != nil || chosen != at {
			t.Errorf("bound to %v, %v; want %v", chosen, err, at)
		}
		return
	}
}

func TestCookies(t *testing.T) {
	c, s := newPair(t, nil)
	d, err := c.Dup()
	must(t, err)
	defer closeQuietly(d)
	one, err := SO_COOKIE.Get(c)
	must(t, err)
	two, err := SO_COOKIE.Get(s)
	must(t, err)
	same, err := SO_COOKIE.Get(d)
	must(t, err)
	if one == 0 || one == two || one != same {
		t.Errorf("cookies %d and %d, and %d for the first's duplicate", one, two, same)
	}
}

func TestAcceptConn(t *testing.T) {
	l, _ := newListener(t, loopback4, 1, nil)
	if yes, err := SO_ACCEPTCONN.Get(l); !yes || err != nil {
		t.Errorf("of a listener: %v, %v", yes, err)
	}
	if yes, err := SO_ACCEPTCONN.Get(newSocket(t, unix.AF_INET, 0, nil)); yes || err != nil {
		t.Errorf("of no listener: %v, %v", yes, err)
	}
}

func TestSavedSYN(t *testing.T) {
	l := newSocket(t, unix.AF_INET, 0, nil)
	check(t, l, TCP_SAVE_SYN, true, true)
	must(t, l.Bind(netip.AddrPortFrom(loopback4, 0)))
	must(t, l.Listen(1))
	at, err := l.Getsockname()
	must(t, err)
	c := newSocket(t, unix.AF_INET, 0, nil)
	must(t, c.Connect(at))
	s, peer, err := l.Accept4(0)
	must(t, err)
	defer closeQuietly(s)
	syn, err := TCP_SAVED_SYN.Get(s)
	must(t, err)
	// An IPv4 header of 20 bytes, then the ports.
	if len(syn) < 40 || syn[0] != 0x45 || binary.BigEndian.Uint16(syn[20:]) != peer.Port() || binary.BigEndian.Uint16(syn[22:]) != at.Port() {
		t.Errorf("no SYN from %v to %v: % x", peer, at, syn)
	}
	if syn, err := TCP_SAVED_SYN.Get(s); len(syn) != 0 || err != nil {
		t.Errorf("read again: % x, %v; want nothing", syn, err)
	}
}

func TestFilter(t *testing.T) {
	c, s := newPair(t, nil)
	must(t, SO_RCVTIMEO.Set(s, 50*time.Millisecond))
	if err := SO_ATTACH_FILTER.Set(s, dropAll); errors.Is(err, unix.EPERM) {
		t.Skip("this kernel refuses filters to ordinary users: run as root")
	} else if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("with the filter: %v; want EAGAIN", err)
	}
	must(t, SO_DETACH_FILTER.Set(s, 0))
	must(t, SO_RCVTIMEO.Set(s, patience))
	if n, err := s.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("without it: %d, %v; want the retransmission", n, err)
	}
}

func TestSOError(t *testing.T) {
	_, at := newListener(t, loopback4, 1, nil)
	c := newSocket(t, unix.AF_INET, 0, nil)
	must(t, c.Connect(at))
	must(t, SO_LINGER.Set(c, Linger{OnOff: true}))
	closed, dead := newListener(t, loopback4, 1, nil)
	must(t, closed.Close())
	n := newSocket(t, unix.AF_INET, unix.SOCK_NONBLOCK, nil)
	if err := n.Connect(dead); errors.Is(err, unix.ECONNREFUSED) {
		t.Skip("the connect was refused at once")
	}
	waitFor(t, "the connect to fail", func() bool {
		ready, err := n.pollWritable(time.Now())
		return ready && err == nil
	})
	for _, want := range []unix.Errno{unix.ECONNREFUSED, 0} { // reading clears it
		if errno, err := SO_ERROR.Get(n); errno != want || err != nil {
			t.Errorf("SO_ERROR: %v, %v; want %v", errno, err, want)
		}
	}
}

// Values that are no C int do not become others.
func TestClamp(t *testing.T) {
	for v, want := range map[int]int32{0: 0, -1: -1, math.MaxInt: math.MaxInt32, math.MinInt: math.MinInt32} {
		if got := clampInt(v); got != want {
			t.Errorf("%d: %d, want %d", v, got, want)
		}
	}
	s := newSocket(t, unix.AF_INET, 0, nil)
	if err := TCP_KEEPIDLE.Set(s, math.MaxInt64); !errors.Is(err, unix.EINVAL) {
		t.Errorf("TCP_KEEPIDLE of 292 years: %v; want EINVAL", err)
	}
}

func TestWholeUnits(t *testing.T) {
	for _, c := range []struct {
		d, unit time.Duration
		want    int64
	}{
		{0, time.Second, 0}, {1, time.Second, 1}, {time.Second, time.Second, 1}, {time.Second + 1, time.Second, 2},
		{-1, time.Second, -1}, {-time.Second, time.Second, -1}, {-time.Second - 1, time.Second, -2},
		{1500 * time.Millisecond, time.Millisecond, 1500},
	} {
		if got := wholeUnits(c.d, c.unit); got != c.want {
			t.Errorf("%v in %v: %d, want %d", c.d, c.unit, got, c.want)
		}
	}
}

func TestOptionNames(t *testing.T) {
	names := []string{SO_LINGER.String(), SO_ERROR.String(), SO_ATTACH_FILTER.String()}
	if want := []string{"SO_LINGER", "SO_ERROR", "SO_ATTACH_FILTER"}; !reflect.DeepEqual(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}
