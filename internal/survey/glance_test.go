package survey

import (
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/diagnose"
	"socklife/tcpinfo"
)

// alone moves the test's thread into a network namespace of its own, and gives it a Conn there. The thread ends with
// the test. Goroutines of other threads are elsewhere: the sockets are made by this one, without package net.
func alone(t *testing.T) *tcpinfo.Conn {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		t.Skipf("needs a network namespace of its own (root): %v", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		t.Fatal(err)
	}
	diag, err := tcpinfo.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { diag.Close() })
	return diag
}

// A glance sees whatever happens to a connection but bytes that come and go, and the whole look that follows tells it.
func TestAGlanceSeesWhatHappens(t *testing.T) {
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		t.Run(map[int]string{unix.AF_INET: "IPv4", unix.AF_INET6: "IPv6"}[family], func(t *testing.T) { glances(t, family) })
	}
}

func glances(t *testing.T, family int) {
	s := New(alone(t), Config{Targets: []Target{{}}, Root: true})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var address unix.Sockaddr = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if family == unix.AF_INET6 {
		address = &unix.SockaddrInet6{Addr: [16]byte(net.IPv6loopback)}
	}
	socket := func() int {
		t.Helper()
		fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == unix.EAFNOSUPPORT {
			t.Skip("no IPv6")
		}
		must(err)
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	l := socket()
	must(unix.Bind(l, address))
	must(unix.Listen(l, 8))
	to, err := unix.Getsockname(l)
	must(err)
	pair := func() (c, a int) {
		t.Helper()
		c = socket()
		must(unix.Connect(c, to))
		a, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
		must(err)
		t.Cleanup(func() { unix.Close(a) })
		return c, a
	}
	look := func() *Turn {
		t.Helper()
		turn, err := s.Look()
		must(err)
		return turn
	}
	calm := func() { // a whole look without news, and a glance that begins to count there
		t.Helper()
		for end := time.Now().Add(time.Minute); ; {
			if look().Same {
				return
			}
			if time.Now().After(end) {
				t.Fatal("a glance always finds something")
			}
		}
	}
	var c, a int
	for _, step := range []struct {
		what string
		do   func()
		fits func(Change) bool
	}{
		{"a connection", func() { c, a = pair() }, func(c Change) bool { return c.What == "new" && c.State == tcpinfo.Established }},
		{"a FIN", func() { must(unix.Shutdown(c, unix.SHUT_WR)) }, func(c Change) bool { return c.State == tcpinfo.CloseWait }},
		{"another's end", func() { unix.Close(a) }, func(c Change) bool { return c.State == tcpinfo.TimeWait }},
		{"one that is not accepted", func() { must(unix.Connect(socket(), to)) }, func(c Change) bool { return c.State == tcpinfo.Listen && c.RecvQ == 1 }},
		{"accept()", func() {
			_, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
			must(err)
		}, func(c Change) bool { return c.State == tcpinfo.Listen && c.RecvQ == 0 }},
		{"a reset", func() {
			c, a = pair()
			look()
			look()
			must(unix.SetsockoptLinger(c, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
			unix.Close(c)
		}, func(c Change) bool { return c.What == "gone" }},
	} {
		calm()
		step.do()
		seen := false
		for range 2 { // gone is what is missed twice
			turn := look()
			if turn.Same {
				t.Fatalf("%s: a glance sees nothing", step.what)
			}
			seen = seen || slices.ContainsFunc(turn.Changes, step.fits)
		}
		if !seen {
			t.Errorf("%s is no news", step.what)
		}
	}
	c, a = pair()
	calm()
	same, begin := false, time.Now()
	for range 10 {
		_, err := unix.Write(c, []byte("hello"))
		must(err)
		turn := look()
		same = same || turn.Same
		if slices.ContainsFunc(turn.Changes, func(c Change) bool { return c.Finding.Grade < diagnose.Stuck }) {
			t.Errorf("bytes are news: %+v", turn.Changes[0])
		}
	}
	if !same && time.Since(begin) < wholeEvery/2 {
		t.Error("a glance sees bytes")
	}
}
