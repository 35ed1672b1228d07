package sockapi

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What a Tracer is shown is compared with what strace shows of the same calls: the test binary runs itself under
// strace, makes every call and sets every option on one thread, and prints what its Tracer saw.

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
	s := fmt.Sprintf("%s(%s) = %d", c.Name, strings.Join(c.Args(), ", "), c.Ret)
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
			made[c.Name+" "+c.Option.Name] = true
		}
	}
	for _, name := range []string{"socket", "bind", "listen", "accept4", "connect", "shutdown", "close", "read", "write",
		"recvfrom", "sendto", "getsockname", "getpeername", "dup", "setsockopt", "getsockopt", "ioctl", "ppoll"} {
		if !made[name] {
			t.Errorf("%s is not compared with strace", name)
		}
	}
	for _, o := range allOptions {
		if o.name == "IP_LOCAL_PORT_RANGE" && !hasPortRange(t) {
			continue
		}
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
	cmd := exec.Command("strace", "-ff", "-o", out, "-e", "trace=%desc,%network", os.Args[0])
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

// straceCalls are the calls in an strace file from the first socket to the last close. Zones are looked up untraced, as
// the package says. Mappings and the runtime's polling for other goroutines are no calls of ours; signals and calls
// that a signal broke off are not results.
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

func quoted(b []byte) string { return quote(b, len(b)) }

// asStraceHasIt rewrites a line of ours in the few places where a version of strace has no name or no notation, and we
// follow the man page instead.
func asStraceHasIt(line string) string {
	line = timevalArg.ReplaceAllStringFunc(line, func(s string) string {
		m := timevalArg.FindStringSubmatch(s)
		sec, _ := strconv.ParseInt(m[2], 10, 64)
		usec, _ := strconv.ParseInt(m[3], 10, 64)
		return m[1] + ", " + quoted(memory(&timeval{int(sec), int(usec)}))
	})
	line = timeoName.ReplaceAllString(line, "${1}_OLD, ")
	line = cookieArg.ReplaceAllStringFunc(line, func(s string) string {
		n, _ := strconv.ParseUint(cookieArg.FindStringSubmatch(s)[1], 10, 64)
		return "SO_COOKIE, " + quoted(memory(&n))
	})
	line = rangeArg.ReplaceAllStringFunc(line, func(s string) string {
		n, _ := strconv.ParseUint(rangeArg.FindStringSubmatch(s)[1], 0, 32)
		return fmt.Sprintf("IP_LOCAL_PORT_RANGE, [%d]", int32(n))
	})
	return rangeName.ReplaceAllString(line, "0x33 /* IP_??? */, ")
}
