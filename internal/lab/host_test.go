package lab

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestHostInterfaces(t *testing.T) {
	t.Parallel()
	l := newLab(t, Config{})
	for _, c := range []struct {
		host *Host
		want []string
	}{
		{l.Client, []string{"lo UNKNOWN 127.0.0.1/8 ::1/128", "wire0 UNKNOWN 198.51.100.1/24 2001:db8::1/64"}},
		{l.Server, []string{"lo UNKNOWN 127.0.0.1/8 ::1/128", "wire0 UNKNOWN 198.51.100.2/24 2001:db8::2/64"}},
	} {
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(onHost(t, c.host, "ip", "-brief", "address")), "\n") {
			got = append(got, strings.Join(strings.Fields(line), " "))
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: addresses\n%s\nwant\n%s", c.host.Name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
		link := onHost(t, c.host, "ip", "-details", "link", "show", "wire0")
		for _, want := range []string{"mtu 1500 ", "qlen 10000", "tun type tun", "addrgenmode none", "persist off"} {
			if !strings.Contains(link, want) {
				t.Errorf("%s: no %q in\n%s", c.host.Name, want, link)
			}
		}
	}
	if got := onHost(t, l.Client, "ip", "route", "get", "198.51.100.2"); !strings.Contains(got, "dev wire0 src 198.51.100.1") {
		t.Errorf("route: %s", got)
	}
}

func TestHostMTU(t *testing.T) {
	t.Parallel()
	for _, mtu := range []int{1280, 9000, maxPacket} {
		l := newLab(t, Config{})
		setMTU(t, l, mtu)
		if got := onHost(t, l.Server, "ip", "link", "show", "wire0"); !strings.Contains(got, "mtu "+strconv.Itoa(mtu)+" ") {
			t.Errorf("want MTU %d: %s", mtu, got)
		}
		client, server := pairOn(t, l)
		if _, err := client.Write(make([]byte, 3*mtu)); err != nil {
			t.Error(err)
		}
		must(t, readFull(server, make([]byte, 3*mtu)))
	}
}

// Both hosts, and each of several labs, are separate from each other and from the rest of the machine.
func TestHostsAreSeparate(t *testing.T) {
	t.Parallel()
	a, b := newLab(t, Config{}), newLab(t, Config{})
	mine, err := os.Readlink("/proc/self/ns/net")
	must(t, err)
	seen := map[string]bool{mine: true}
	for _, h := range []*Host{a.Client, a.Server, b.Client, b.Server} {
		var link string
		must(t, h.Do(func() (err error) {
			link, err = os.Readlink("/proc/thread-self/ns/net")
			return err
		}))
		if link != "net:["+strconv.FormatUint(h.inode, 10)+"]" {
			t.Errorf("%s: namespace %s, want %d", h.Name, link, h.inode)
		}
		if seen[link] {
			t.Errorf("%s: namespace %s is somebody else's too", h.Name, link)
		}
		seen[link] = true
	}
	for _, l := range []*Lab{a, b} {
		client, server := pairOn(t, l)
		if _, err := client.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		must(t, readFull(server, make([]byte, 1)))
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	l := newLab(t, Config{})
	if !l.Server.IPv6.IsValid() {
		t.Skip("this kernel has no IPv6")
	}
	listener, at := listen(t, l.Server, l.Server.IPv6)
	client, server := connect(t, l.Client, listener, at)
	if _, err := client.Write([]byte("six")); err != nil {
		t.Error(err)
	}
	must(t, readFull(server, make([]byte, 3)))
	if peer, err := server.Getpeername(); err != nil || peer.Addr() != l.Client.IPv6 {
		t.Errorf("peer: %v, %v", peer, err)
	}
}

// Nothing but what the test sends is on the wire, in the whole life of the interfaces.
func TestWireIsQuiet(t *testing.T) {
	t.Parallel()
	seen := &recorder{}
	l := newLab(t, Config{Report: seen.report})
	client, server := pairOn(t, l)
	s := portOf(t, server)
	must(t, client.Close())
	must(t, readEnd(server))
	must(t, server.Close())
	awaitEnd(t, l.Server, s, 0)
	if n := len(seen.all()); n < 6 { // a busy machine sends some of them again
		t.Errorf("%d segments, want three to open and three or four to close:\n%s", n, seen.story())
	}
	for _, p := range seen.all() {
		if p.ICMP != nil || len(p.Segment.Payload) > 0 || p.Segment.Src.Addr() != l.Client.IPv4 && p.Segment.Src.Addr() != l.Server.IPv4 {
			t.Errorf("%v: %v", p.From, p.Segment)
		}
	}
}

func TestUnreachableCrosses(t *testing.T) {
	t.Parallel()
	seen := &recorder{}
	l := newLab(t, Config{Report: seen.report})
	onHost(t, l.Server, "ip", "route", "add", "unreachable", "198.51.100.99")
	must(t, l.Server.Sysctl("net.ipv4.ip_forward", "1"))
	onHost(t, l.Client, "ip", "route", "add", "203.0.113.0/24", "via", "198.51.100.2")
	onHost(t, l.Server, "ip", "route", "add", "unreachable", "203.0.113.0/24")
	s := socket(t, l.Client, l.Client.IPv4)
	must(t, s.Bind(addrPort(l.Client.IPv4, 0)))
	if err := s.Connect(addrPort(mustAddr("203.0.113.9"), 7)); !errors.Is(err, unix.EHOSTUNREACH) {
		t.Errorf("connect: %v, want %v", err, unix.EHOSTUNREACH)
	}
	for _, p := range seen.all() {
		if p.ICMP != nil && p.From == Server && p.Fate == Delivered {
			return
		}
	}
	t.Errorf("no ICMP was reported:\n%s", seen.story())
}

func TestHostDo(t *testing.T) {
	t.Parallel()
	l := newLab(t, Config{})
	failure := errors.New("no")
	if err := l.Client.Do(func() error { return failure }); err != failure {
		t.Errorf("got %v", err)
	}
	err := l.Client.Do(func() error {
		return l.Client.Do(func() error { return l.Client.onHost() })
	})
	if err != nil {
		t.Errorf("inside another: %v", err)
	}
	var together sync.WaitGroup
	for range 50 {
		together.Go(func() {
			if err := l.Server.Do(l.Server.onHost); err != nil {
				t.Error(err)
			}
		})
	}
	together.Wait()
	if err := l.Client.onHost(); !errors.Is(err, errNotOnHost) {
		t.Errorf("the test's own thread: %v", err)
	}
}

// A function that ends its goroutine, as t.FailNow does, must not hang anybody.
func TestHostDoGoexit(t *testing.T) {
	t.Parallel()
	needLab(t)
	l, err := New(Config{})
	must(t, err)
	l.Client.Do(func() error { runtime.Goexit(); return nil })
	await(t, "the host has noticed", func() bool {
		return errors.Is(l.Client.Do(func() error { return nil }), os.ErrClosed)
	})
	must(t, l.Close())
}

func TestHostGo(t *testing.T) {
	t.Parallel()
	l := newLab(t, Config{})
	results := make(chan error)
	for range 8 {
		must(t, l.Server.Go(func() {
			runtime.Gosched() // wherever it goes on, it is on its thread
			results <- l.Server.onHost()
		}))
	}
	for range 8 {
		must(t, <-results)
	}
}

func TestSysctl(t *testing.T) {
	t.Parallel()
	l := newLab(t, Config{})
	const name = "net.ipv4.tcp_fin_timeout"
	mine, err := os.ReadFile("/proc/sys/net/ipv4/tcp_fin_timeout")
	must(t, err)
	must(t, l.Server.Sysctl(name, "7"))
	if got, err := readSysctl(l.Server, name); err != nil || got != "7" {
		t.Errorf("on the server: %q, %v", got, err)
	}
	if got, err := readSysctl(l.Client, name); err != nil || got != strings.TrimSpace(string(mine)) {
		t.Errorf("on the client: %q, %v", got, err)
	}
	if now, err := os.ReadFile("/proc/sys/net/ipv4/tcp_fin_timeout"); err != nil || string(now) != string(mine) {
		t.Errorf("on this machine: %q was %q, %v", now, mine, err)
	}
	for _, bad := range []string{"", "net", "net.", "kernel.hostname", "net/ipv4/tcp_fin_timeout", "net.ipv4.no_such"} {
		if err := l.Server.Sysctl(bad, "1"); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if err := l.Server.Sysctl(name, "x"); !errors.Is(err, unix.EINVAL) {
		t.Errorf("a value that is none: %v", err)
	}
	if err := l.Server.writeSysctl("/proc/sys/net/ipv4/tcp_fin_timeout", string(mine)); !errors.Is(err, errNotOnHost) {
		t.Errorf("from a thread outside: %v", err)
	}
}

// readSysctl reads a sysctl of the host's namespace.
func readSysctl(h *Host, name string) (string, error) {
	var value []byte
	err := h.Do(func() (err error) {
		value, err = os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
		return err
	})
	return strings.TrimSpace(string(value)), err
}

func TestCloseEndsEverything(t *testing.T) {
	needLab(t) // not parallel: it counts what the process has
	var before counts
	await(t, "what other tests left has ended", func() bool {
		before = inventory(t)
		return before.inside == 0
	})
	for range 3 {
		l, err := New(Config{Report: func(Packet) {}, Link: Link{Delay: time.Millisecond}, HoldAll: true})
		must(t, err)
		ready := make(chan bool)
		release := make(chan bool)
		must(t, l.Client.Go(func() {
			close(ready)
			<-release
		}))
		<-ready
		if n := inventory(t); n.namespaces != before.namespaces+2 {
			t.Errorf("%d network namespaces with a lab, want two more than %d", n.namespaces, before.namespaces)
		}
		l.Server.Do(func() error {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			must(t, err)
			defer unix.Close(fd)
			if err := unix.Connect(fd, &unix.SockaddrInet4{Port: 7, Addr: l.Client.IPv4.As4()}); err != unix.EINPROGRESS {
				t.Errorf("connect: %v", err)
			}
			return nil
		})
		awaitHeld(t, l.Wire, 1)
		close(release)
		must(t, l.Close())
		must(t, l.Close())
		for _, err := range []error{l.Client.Do(func() error { return nil }), l.Server.Go(func() {}), l.Client.Sysctl("net.ipv4.ip_forward", "1")} {
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("after close: %v", err)
			}
		}
	}
	var now counts
	await(t, "all threads, descriptors, goroutines and namespaces are gone", func() bool {
		now = inventory(t)
		return now.namespaces <= before.namespaces && now.fds <= before.fds && now.goroutines <= before.goroutines && now.inside == 0
	})
	t.Logf("before %+v, after %+v", before, now)
}

func TestCloseTellsWhoStays(t *testing.T) {
	t.Parallel()
	needLab(t)
	l, err := New(Config{})
	must(t, err)
	stay := make(chan bool)
	gone := make(chan bool)
	must(t, l.Client.Go(func() { <-stay; close(gone) }))
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), "functions on the client have not returned") {
		t.Errorf("got %v", err)
	}
	close(stay)
	<-gone
}

// counts are what a process has of things that a lab uses.
type counts struct {
	fds, goroutines int
	namespaces      int // network namespaces that threads are in or descriptors are open of
	inside          int // threads in another namespace than the process' first
}

func inventory(t testing.TB) counts {
	t.Helper()
	c := counts{goroutines: runtime.NumGoroutine()}
	all := map[string]bool{}
	fds, err := filepath.Glob("/proc/self/fd/*")
	must(t, err)
	c.fds = len(fds)
	for _, fd := range fds {
		if link, err := os.Readlink(fd); err == nil && strings.HasPrefix(link, "net:[") {
			all[link] = true
		}
	}
	mine, err := os.Readlink("/proc/" + strconv.Itoa(os.Getpid()) + "/ns/net")
	must(t, err)
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	must(t, err)
	for _, thread := range threads {
		link, err := os.Readlink(thread)
		if err != nil {
			continue // it has ended
		}
		all[link] = true
		if link != mine {
			c.inside++
		}
	}
	c.namespaces = len(all)
	return c
}
