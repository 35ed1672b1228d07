package scenario

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Lessons wait for the kernel nearly all the time. So many of them wait beside each other, unless -parallel says how
// many.
const waiters = 16

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		flag.Set("test.parallel", strconv.Itoa(waiters))
	}
	os.Exit(m.Run())
}

const aloneEnv = "SOCKLIFE_TEST_ALONE"

// alone runs a test beside others and yet by itself: in a process of its own, whose descriptors, goroutines and
// children are of no other test, and in a network namespace of its own where one may be made. There it is true, and
// the test goes on.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneEnv) != "" {
		return true
	}
	t.Parallel()
	where := "process"
	if ownNetns(t) {
		where = "namespace"
	}
	only := "^" + strings.ReplaceAll(regexp.QuoteMeta(t.Name()), "/", "$/^") + "$"
	args := []string{"-test.v", "-test.count=1", "-test.run=" + only, fmt.Sprintf("-test.short=%v", testing.Short())}
	if end, ok := t.Deadline(); ok {
		args = append(args, "-test.timeout="+time.Until(end).String())
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), aloneEnv+"="+where)
	out, err := cmd.CombinedOutput()
	switch said := string(out); {
	case err != nil:
		t.Errorf("%v\n%s", err, said)
	case strings.Contains(said, "--- SKIP: "+t.Name()+" "):
		t.Skip(said)
	case !strings.Contains(said, "--- PASS: "+t.Name()+" "):
		t.Errorf("it was not run:\n%s", said)
	}
	return false
}

// ownNetns gives the test's goroutine a thread, and that, with what is started from it, a network namespace; the
// thread ends with the test. An ordinary user's stays where it is, and that is false.
func ownNetns(t *testing.T) bool {
	t.Helper()
	runtime.LockOSThread()
	if unix.Unshare(unix.CLONE_NEWNET) != nil {
		runtime.UnlockOSThread()
		return false
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
	return true
}

// ownPorts has the kernel choose ports that no other test has: the tracepoint tells of every namespace, and not which
// it is. The filter lets through these, and those of the wire.
func ownPorts(t *testing.T, test int) (filter string) {
	t.Helper()
	if os.Getenv(aloneEnv) != "namespace" {
		return "0"
	}
	const from, many, wire = 1200, 100, 30000
	first := from + test*many
	err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", fmt.Appendf(nil, "%d %d", first, first+many-1), 0)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("(sport >= %d && sport < %d) || (dport >= %[1]d && dport < %[2]d)", from, wire)
}
