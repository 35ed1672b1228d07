package sockapi

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What a Tracer is shown is compared with what strace shows of the same calls:
// the test binary runs itself under strace, makes every call and sets every
// option on one thread, and prints what its Tracer saw.

const straced = "SOCKAPI_TEST_STRACED"

func TestMain(m *testing.M) {
	if os.Getenv(straced) != "" {
		runtime.LockOSThread()
		var rec recorder
		if err := makeEveryCall(&rec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(unix.Gettid())
		for _, c := range rec.calls {
			fmt.Println(straceLine(&c))
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// straceLine is a Call as strace prints it, without the errno's text.
func straceLine(c *Call) string {
	s := fmt.Sprintf("%s(%s) = %d", c.Name, strings.Join(c.Args, ", "), c.Ret)
	if c.Errno != 0 {
		s += " " + ErrnoName(c.Errno)
	}
	return s
}

func TestAgainstStrace(t *testing.T) {
	ours, theirs := runStraced(t)
	for i := range max(len(ours), len(theirs)) {
		switch {
		case i >= len(ours):
			t.Fatalf("call %d: strace saw one that the Tracer did not: %s", i, theirs[i])
		case i >= len(theirs):
			t.Fatalf("call %d: the Tracer saw one that strace did not: %s", i, ours[i])
		case theirs[i] != ours[i] && theirs[i] != asStraceHasIt(ours[i]):
			t.Fatalf("call %d:\nTracer %s\nstrace %s", i, ours[i], theirs[i])
		}
	}
}

// Every call that a Socket can make must be in the comparison.
func TestAgainstStraceIsComplete(t *testing.T) {
	var rec recorder
	must(t, makeEveryCall(&rec))
	made := map[string]bool{}
	for _, c := range rec.calls {
		made[c.Name] = true
		if strings.HasSuffix(c.Name, "sockopt") {
			made[c.Name+" "+c.Args[2]] = true
		}
	}
	for _, name := range []string{"socket", "bind", "listen", "accept4", "connect", "shutdown", "close", "read", "write",
		"recvfrom", "sendto", "getsockname", "getpeername", "dup", "setsockopt", "getsockopt", "ioctl", "ppoll"} {
		if !made[name] {
			t.Errorf("%s is not compared with strace", name)
		}
	}
	for _, o := range allOptions {
		if o.set && !made["setsockopt "+o.name] || o.get && !made["getsockopt "+o.name] {
			t.Errorf("%s is not compared with strace", o.name)
		}
	}
}

// runStraced returns the lines that the Tracer and strace have of the same calls.
func runStraced(t *testing.T) (ours, theirs []string) {
	t.Helper()
	var major int
	version, err := exec.Command("strace", "-V").Output()
	if err == nil {
		_, err = fmt.Sscanf(string(version), "strace -- version %d", &major)
	}
	if err != nil || major < 6 {
		t.Skip("install strace, version 6.1 or later, to compare with it")
	}
	if err := exec.Command("strace", "-o", os.DevNull, "true").Run(); err != nil {
		t.Skipf("strace may not trace here (needs ptrace: see kernel.yama.ptrace_scope): %v", err)
	}
	out := filepath.Join(t.TempDir(), "strace")
	cmd := exec.Command("strace", "-ff", "-v", "-o", out, "-e", "trace=%desc,%network", os.Args[0])
	cmd.Env = append(os.Environ(), straced+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	lines := strings.Split(strings.TrimSpace(string(stdout)), "\n")
	trace, err := os.ReadFile(out + "." + lines[0])
	must(t, err)
	return lines[1:], straceCalls(string(trace))
}

var (
	padding   = regexp.MustCompile(`\) += `)
	errnoText = regexp.MustCompile(`(= -1 E\w+) \(.*\)$`)
	pollText  = regexp.MustCompile(`(^ppoll.* = \d+) \(.*\)$`)
)

// straceCalls are the calls in an strace file from the first socket to the last
// close. Zones are looked up untraced, as the package says. Mappings and the runtime's polling for other goroutines are no calls
// of ours; signals and calls that a signal broke off are not results.
func straceCalls(trace string) (calls []string) {
	for line := range strings.Lines(trace) {
		line = strings.TrimSpace(line)
		if len(calls) == 0 && !strings.HasPrefix(line, "socket(") {
			continue
		}
		if strings.HasPrefix(line, "---") || strings.Contains(line, "= ? ERESTART") ||
			strings.Contains(line, ", SIOCGIF") || strings.HasPrefix(line, "mmap(") || strings.HasPrefix(line, "epoll_pwait(") {
			continue
		}
		if strings.HasPrefix(line, "write(1,") || strings.HasPrefix(line, "+++") {
			break
		}
		line = padding.ReplaceAllString(line, ") = ")
		line = errnoText.ReplaceAllString(line, "$1")
		calls = append(calls, pollText.ReplaceAllString(line, "$1"))
	}
	return calls
}

var (
	timevalArg = regexp.MustCompile(`(SO_(?:RCV|SND)TIMEO), \{tv_sec=(\d+), tv_usec=(\d+)\}`)
	timeoName  = regexp.MustCompile(`(SO_(?:RCV|SND)TIMEO), `)
	cookieArg  = regexp.MustCompile(`SO_COOKIE, \[(\d+)\]`)
	rangeArg   = regexp.MustCompile(`IP_LOCAL_PORT_RANGE, \[(\w+)[^\]]*\]`)
	rangeName  = regexp.MustCompile(`IP_LOCAL_PORT_RANGE, `)
)

// asStraceHasIt rewrites a line of ours in the few places where a version of
// strace has no name or no notation, and we follow the man page instead.
func asStraceHasIt(line string) string {
	line = timevalArg.ReplaceAllStringFunc(line, func(s string) string {
		m := timevalArg.FindStringSubmatch(s)
		sec, _ := strconv.ParseInt(m[2], 10, 64)
		usec, _ := strconv.ParseInt(m[3], 10, 64)
		return m[1] + ", " + quote(encodeTimeval(sec*1e6+usec))
	})
	line = timeoName.ReplaceAllString(line, "${1}_OLD, ")
	line = cookieArg.ReplaceAllStringFunc(line, func(s string) string {
		n, _ := strconv.ParseUint(cookieArg.FindStringSubmatch(s)[1], 10, 64)
		return "SO_COOKIE, " + quote(encodeUint64(n))
	})
	line = rangeArg.ReplaceAllStringFunc(line, func(s string) string {
		n, _ := strconv.ParseUint(rangeArg.FindStringSubmatch(s)[1], 0, 32)
		return fmt.Sprintf("IP_LOCAL_PORT_RANGE, [%d]", int32(n))
	})
	return rangeName.ReplaceAllString(line, "0x33 /* IP_??? */, ")
}

// makeEveryCall makes each call, so that it succeeds and so that it fails, and
// sets and reads each option.
func makeEveryCall(t Tracer) error {
	for _, f := range []func(Tracer) error{
		func(t Tracer) error { return everyCallOn(t, loopback4) },
		func(t Tracer) error { return everyCallOn(t, loopback6) },
		everyFailure, everyOption, zonedCalls,
	} {
		if err := f(t); err != nil {
			return err
		}
	}
	return nil
}

// attempts collects errors, so that calls can be written one below the other.
type attempts struct{ err error }

// ok is for a call that has to succeed.
func (a *attempts) ok(err error) {
	if a.err == nil {
		a.err = err
	}
}

// fails is for one that has to fail.
func (a *attempts) fails(err error, errno unix.Errno) {
	if !errors.Is(err, errno) {
		a.ok(fmt.Errorf("%v; want %v", err, errno))
	}
}

func last[T any](_ T, err error) error { return err }

func everyCallOn(t Tracer, ip netip.Addr) error {
	l, err := NewSocket(family(ip), unix.SOCK_STREAM, unix.IPPROTO_TCP, t)
	if err != nil {
		return err
	}
	c, err := NewSocket(family(ip), unix.SOCK_STREAM, 0, t)
	if err != nil {
		return err
	}
	var a attempts
	a.ok(l.Bind(netip.AddrPortFrom(ip, 0)))
	a.ok(l.Listen(5))
	at, err := l.Getsockname()
	a.ok(err)
	a.ok(c.Connect(at))
	s, _, err := l.Accept4(unix.SOCK_NONBLOCK)
	if a.ok(err); a.err != nil {
		return a.err
	}
	a.ok(last(s.Getpeername()))
	everyTransfer(&a, c, s)
	d, err := s.Dup()
	if a.ok(err); a.err != nil {
		return a.err
	}
	a.ok(last(s.pollWritable(time.Time{})))
	a.ok(last(s.AtMark()))
	a.ok(last(s.InQ()))
	a.ok(last(s.OutQ()))
	a.ok(s.Shutdown(unix.SHUT_RD))
	a.ok(s.Shutdown(unix.SHUT_WR))
	a.ok(c.Shutdown(unix.SHUT_RDWR))
	for _, s := range []*Socket{d, s, c, l} {
		a.ok(s.Close())
	}
	return a.err
}

// everyTransfer has in it every byte, what strace cuts off, and each flag.
func everyTransfer(a *attempts, c, s *Socket) {
	buf := make([]byte, 512)
	bytes := make([]byte, 256)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	for _, text := range []string{"", "hello\n", "\a\b\t\n\v\f\r\"\\'", "\x001\x002\x009\x00a\x7f8\xff", strings.Repeat("x", 31) + "\x00", strings.Repeat("y", 33), "\x001234567890123456789012345678901\x007"} {
		a.ok(last(c.Write([]byte(text))))
		if text != "" {
			a.ok(last(s.Read(buf)))
		}
	}
	for i := 0; i < len(bytes); i += 16 {
		a.ok(last(c.Write(bytes[i : i+16])))
		a.ok(last(s.Recv(buf, 0)))
	}
	a.ok(last(c.Send([]byte("more"), unix.MSG_MORE|unix.MSG_NOSIGNAL)))
	a.ok(last(c.Send([]byte("!"), unix.MSG_OOB|unix.MSG_DONTWAIT)))
	a.ok(last(s.Recv(buf, unix.MSG_PEEK|unix.MSG_DONTWAIT)))
	a.ok(last(s.Recv(buf[:4], unix.MSG_WAITALL)))
	a.ok(last(s.Recv(buf, unix.MSG_OOB)))
	a.ok(last(s.Recv(nil, unix.MSG_TRUNC)))
}

func everyFailure(t Tracer) error {
	var a attempts
	a.fails(last(NewSocket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_UDP, t)), unix.EPROTONOSUPPORT)
	a.fails(last(NewSocket(77, unix.SOCK_STREAM, 5, t)), unix.EAFNOSUPPORT)
	a.fails(last(NewSocket(unix.AF_INET, 14|unix.SOCK_NONBLOCK|0x100, 999, t)), unix.EINVAL)
	s, err := NewSocket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0, t)
	if err != nil {
		return err
	}
	other, err := NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, t)
	if err != nil {
		return err
	}
	buf := make([]byte, 100)
	a.fails(s.Bind(netip.MustParseAddrPort("192.0.2.77:0")), unix.EADDRNOTAVAIL)
	a.fails(last(s.Getpeername()), unix.ENOTCONN)
	a.fails(last(s.Read(buf)), unix.ENOTCONN)
	a.fails(last(s.Recv(buf, unix.MSG_OOB)), unix.EINVAL)
	a.fails(last(s.Write([]byte("lost"))), unix.EPIPE)
	a.fails(last(s.Send([]byte("lost"), unix.MSG_NOSIGNAL)), unix.EPIPE)
	a.fails(s.Shutdown(unix.SHUT_WR), unix.ENOTCONN)
	a.fails(s.Shutdown(7), unix.EINVAL)
	a.fails(last2(s.Accept4(0)), unix.EINVAL)
	a.fails(last2(s.Accept4(0x1000)), unix.EINVAL)
	a.ok(s.Bind(netip.AddrPortFrom(loopback4, 0)))
	at, err := s.Getsockname()
	a.ok(err)
	a.fails(other.Connect(at), unix.ECONNREFUSED)
	a.ok(other.Connect(netip.AddrPort{})) // AF_UNSPEC
	a.ok(s.Listen(-1))
	a.fails(last2(s.Accept4(unix.SOCK_NONBLOCK)), unix.EAGAIN)
	a.fails(last(s.InQ()), unix.EINVAL)
	a.ok(s.Close())
	a.ok(other.Close())
	return a.err
}

func last2[T, U any](_ T, _ U, err error) error { return err }

// zonedCalls show a scope, if any interface has a link-local address.
func zonedCalls(t Tracer) error {
	s, err := NewSocket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0, t)
	if err != nil {
		return err
	}
	for _, zone := range []string{"1", "99999"} { // lo, and none
		_ = s.Connect(netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(zone), 9))
		_ = s.Bind(netip.AddrPortFrom(netip.MustParseAddr("2001:db8::1").WithZone(zone), 9))
		_ = s.Bind(netip.AddrPortFrom(netip.MustParseAddr("ff02::1").WithZone(zone), 9))
		_ = s.Bind(netip.AddrPortFrom(netip.MustParseAddr("::ffff:192.0.2.1").WithZone(zone), 9))
	}
	return s.Close()
}
