package lab

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"socklife/internal/unsupported"

	"golang.org/x/sys/unix"
)

// nobody is an ordinary user.
const nobody = 65534

// asNobody runs the test binary as an ordinary user, with a node of the TUN device of this mode in place of
// /dev/net/tun.
func asNobody(t *testing.T, mode uint32, child string, args ...string) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 || Entered() {
		t.Skip("becoming another user needs root")
	}
	c := command(t, child, "SOCKLIFE_LAB_TEST_TUN="+tunNode(t, mode))
	c.Args = append(c.Args, args...)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return c
}

// tunNode makes another node of the TUN device, character device 10, 200 (Documentation/admin-guide/devices.txt).
func tunNode(t *testing.T, mode uint32) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755)) // whatever the umask
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	path := filepath.Join(dir, "tun")
	if err := unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(10, 200))); err != nil {
		t.Skipf("mknod: %v (needs root)", err)
	}
	must(t, unix.Chmod(path, mode))
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("open %s: %v (the temporary directory does not allow device nodes; set TMPDIR)", path, err)
	}
	must(t, unix.Close(fd))
	return path
}

// needUserNamespaces skips where ordinary users get none.
func needUserNamespaces(t *testing.T) {
	t.Helper()
	for _, s := range [][2]string{{"user.max_user_namespaces", "0"}, {"kernel.unprivileged_userns_clone", "0"}, {"kernel.apparmor_restrict_unprivileged_userns", "1"}} {
		if readSwitch(s[0]) == s[1] {
			t.Skipf("%s is %s", s[0], s[1])
		}
	}
}

func output(t *testing.T, c *exec.Cmd) (string, int) {
	t.Helper()
	out, err := c.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out)), c.ProcessState.ExitCode()
}

// An ordinary user has all of it, in a user namespace.
func TestAsNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("plays most of the tests again")
	}
	t.Parallel()
	needUserNamespaces(t)
	c := asNobody(t, 0o666, "", "-test.v", "-test.short",
		"-test.run=^(TestHost.*|TestSysctl|TestIPv6|TestWireIsQuiet|TestCrossing.*|TestLostLastACK|TestBulk|TestClose.*|TestKillLeavesNothing)$")
	out, status := output(t, c)
	passed := strings.Count(out, "\n--- PASS")
	if status != 0 || passed < 14 || strings.Contains(out, "--- SKIP") {
		t.Errorf("exit status %d, %d tests passed:\n%s", status, passed, out)
	}
}

func TestEnterPassesStatusOn(t *testing.T) {
	t.Parallel()
	needUserNamespaces(t)
	if out, status := output(t, asNobody(t, 0o666, "exit")); status != 7 || out != "" {
		t.Errorf("exit status %d, want 7; %q", status, out)
	}
}

func TestEnterPassesStreamsOn(t *testing.T) {
	t.Parallel()
	needUserNamespaces(t)
	c := asNobody(t, 0o666, "copy")
	c.Stdin = strings.NewReader("from end\nto end")
	if out, status := output(t, c); status != 0 || out != "from end\nto end" {
		t.Errorf("exit status %d; %q", status, out)
	}
}

func TestEnterPassesSignalsOn(t *testing.T) {
	t.Parallel()
	needUserNamespaces(t)
	heedSIGINT(t)
	c := asNobody(t, 0o666, "signals")
	c.SysProcAttr.Setsid = true // no terminal
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	lines := bufio.NewScanner(out)
	wantLine(t, lines, "ready")
	must(t, c.Process.Signal(unix.SIGINT))
	wantLine(t, lines, "SIGINT")
	must(t, c.Process.Signal(unix.SIGTERM))
	wantLine(t, lines, "SIGTERM")
	c.Wait()
	if status := c.ProcessState.ExitCode(); status != 9 {
		t.Errorf("exit status %d, want 9", status)
	}
}

// heedSIGINT lets children heed SIGINT even if the tests run in the background, where shells have it ignored: what
// is handled here is back at its default after execve(2), what is ignored stays so.
func heedSIGINT(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT)
	t.Cleanup(func() { signal.Stop(signals) })
}

func wantLine(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	if !lines.Scan() {
		t.Fatalf("waiting for %q: %v", want, lines.Err())
	}
	if got := strings.TrimSpace(lines.Text()); got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// On a terminal ^C reaches both processes; the one inside gets it once.
func TestEnterOnTerminal(t *testing.T) {
	t.Parallel()
	needUserNamespaces(t)
	heedSIGINT(t)
	master, slave := terminal(t)
	c := asNobody(t, 0o666, "signals")
	c.Stdin, c.Stdout = slave, slave
	c.SysProcAttr.Setsid, c.SysProcAttr.Setctty = true, true
	must(t, c.Start())
	must(t, slave.Close())
	lines := bufio.NewScanner(master)
	wantLine(t, lines, "ready")
	for range 3 {
		if _, err := master.Write([]byte{3}); err != nil {
			t.Fatal(err)
		}
		wantLine(t, lines, "^CSIGINT")
	}
	must(t, c.Process.Signal(unix.SIGTERM))
	wantLine(t, lines, "SIGTERM")
	c.Wait()
	if status := c.ProcessState.ExitCode(); status != 9 {
		t.Errorf("exit status %d, want 9", status)
	}
}

// terminal is a pseudo-terminal, pty(7).
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	must(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	must(t, err)
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	return master, slave
}

// Killing the outer process ends the inner one, and what it had.
func TestKillLeavesNothingOfNobodys(t *testing.T) {
	t.Parallel()
	needUserNamespaces(t)
	killLeavesNothing(t, asNobody(t, 0o666, "lab"))
}

func TestUnavailableToNobody(t *testing.T) {
	t.Parallel()
	needUserNamespaces(t)
	out, _ := output(t, asNobody(t, 0o600, "available"))
	if !strings.Contains(out, "/tun is not open to this user (mode 0600): sudo chmod 0666 ") {
		t.Errorf("got %q", out)
	}
	if out, _ := output(t, asNobody(t, 0o666, "available")); out != "<nil>" {
		t.Errorf("with the node open: %q", out)
	}
	out, status := output(t, asNobody(t, 0o600, "exit"))
	if status != 3 || !strings.Contains(out, "not open to this user") {
		t.Errorf("Enter: exit status %d, %q", status, out)
	}
	out, _ = output(t, asNobody(t, 0o666, "off"))
	if out != "user namespaces are switched off (user.max_user_namespaces is 0): sudo sysctl -w user.max_user_namespaces=10000, or run as root" {
		t.Errorf("with user namespaces switched off: %q", out)
	}
}

func TestUnavailableWithoutNode(t *testing.T) {
	t.Parallel()
	needUserNamespaces(t)
	c := asNobody(t, 0o666, "available")
	c.Env = append(c.Env, "SOCKLIFE_LAB_TEST_TUN=/dev/no such node")
	if out, _ := output(t, c); !strings.Contains(out, "no such node does not exist: sudo modprobe tun; in a container") {
		t.Errorf("got %q", out)
	}
}

func TestExplanations(t *testing.T) {
	for _, c := range []struct {
		err      error
		switches map[string]string
		want     string
	}{
		{unix.ENOSPC, map[string]string{"user/max_user_namespaces": "0"}, "user namespaces are switched off (user.max_user_namespaces is 0): sudo sysctl -w user.max_user_namespaces=10000, or run as root"},
		{unix.EPERM, map[string]string{"kernel/unprivileged_userns_clone": "0", "user/max_user_namespaces": "9"}, "user namespaces are for root only (kernel.unprivileged_userns_clone is 0): sudo sysctl -w kernel.unprivileged_userns_clone=1, or run as root"},
		{unix.EPERM, map[string]string{"kernel/unprivileged_userns_clone": "1", "kernel/apparmor_restrict_unprivileged_userns": "1"}, "AppArmor keeps user namespaces from programs without a profile (kernel.apparmor_restrict_unprivileged_userns is 1): sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give this program a profile that allows userns, or run as root"},
		{unix.ENOSPC, map[string]string{"user/max_net_namespaces": "0"}, "network namespaces are switched off (user.max_net_namespaces is 0)"},
		{unix.ENOSPC, map[string]string{"user/max_user_namespaces": "9"}, "the limit of user or network namespaces is reached: raise the sysctls"},
		{unix.EINVAL, nil, "this kernel has no user namespaces: run as root"},
		{unix.EPERM, nil, "this process may not make user namespaces (operation not permitted): in a container"},
	} {
		root := t.TempDir() + "/"
		for name, value := range c.switches {
			must(t, os.MkdirAll(filepath.Dir(root+name), 0o755))
			must(t, os.WriteFile(root+name, []byte(value+"\n"), 0o644))
		}
		old := switchRoot
		switchRoot = root
		err := noUserNamespace(c.err)
		switchRoot = old
		var u *unsupported.Error
		if !errors.As(err, &u) || !errors.Is(err, c.err) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v with %v:\n got %v\nwant %s", c.err, c.switches, err, c.want)
		}
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("unshare: %w", unix.EPERM), "this process may not make network namespaces: run as root"},
		{fmt.Errorf("unshare: %w", unix.ENOSPC), "the limit of network namespaces is reached"},
		{fmt.Errorf("unshare: %w", unix.EINVAL), "this kernel has no network namespaces"},
		{&tunError{"open", unix.ENODEV}, "this kernel has no TUN device: sudo modprobe tun"},
		{&tunError{"TUNSETIFF", unix.EPERM}, "this process may not make network namespaces: run as root"},
	} {
		var u *unsupported.Error
		if err := unavailable(c.err); !errors.As(err, &u) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v:\n got %v\nwant %s", c.err, err, c.want)
		}
	}
	for _, err := range []error{fmt.Errorf("unshare: %w", unix.ENOMEM), &tunError{"TUNSETIFF", unix.EBUSY}} {
		var u *unsupported.Error
		if got := unavailable(err); errors.As(got, &u) || !errors.Is(got, errors.Unwrap(err)) {
			t.Errorf("%v: got %v", err, got)
		}
	}
}
