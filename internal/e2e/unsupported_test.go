package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What this kernel, or this user, cannot do is exit status 3 and one line that says what is missing, whoever found it
// out.
func TestWhatCannotBeDoneHere(t *testing.T) {
	for _, c := range []struct {
		name   string
		strace string // what the kernel is made to answer
		line   string
		nobody bool
		says   string
	}{
		{"no sock_diag", "-e inject=socket:error=EPROTONOSUPPORT", "echoc handshake", false, "sock_diag is missing"},
		{"no sock_diag, echod", "-e inject=socket:error=EPROTONOSUPPORT:when=1", "echod --json", false, "sock_diag is missing"},
		{"a port below 1024", "", "echod --listen 127.0.0.1:7", true, "permission denied (ports below"},
		{"a port below 1024, for a scenario", "", "echod --listen 127.0.0.1:7 close", true, "permission denied (ports below"},
		{"no packet socket for this user", "", "echoc --capture handshake", true, "--capture needs CAP_NET_RAW"},
		{"no tracing for this user", "", "echoc --trace handshake", true, "--trace needs root"},
		{"no packet socket for this user, echod", "", "echod --capture", true, "--capture needs CAP_NET_RAW"},
		{"no tracing for this user, echod", "", "echod --trace", true, "--trace needs root"},
		{"no packet socket for this user, the plain client", "", "echoc --capture 127.0.0.1:7", true, "--capture needs CAP_NET_RAW"},
		{"no tracing for this user, the plain client", "", "echoc --trace 127.0.0.1:7", true, "--trace needs root"},
		{"another namespace, for this user", "", "echoc watch --once --netns 1 all", true, "--netns 1 needs root"},
		{"another user's process", "", "echoc watch --once pid:1", true, "pid:1: this user may not see which sockets that process has"},
		{"no abort for this user", "", "echoc abort", true, "takes CAP_NET_ADMIN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(c.line)
			cmd := command(t, words[0], words[1:]...)
			if c.strace != "" {
				injected(t, cmd, strings.Fields(c.strace)...)
			}
			if c.nobody {
				asNobody(t, cmd)
			}
			status, _, errs := finish(t, cmd)
			if c.nobody && os.Getuid() != 0 && status == 0 {
				t.Skip("this user may")
			}
			if status != 3 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, c.says) {
				t.Errorf("status %d, want 3; says %q, want one line with %q", status, errs, c.says)
			}
		})
	}
}

// TestWhatIsMissingElsewhere: the same of a host that lacks what this one has. What does not need it works there.
func TestWhatIsMissingElsewhere(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("makes namespaces: run it as root")
	}
	const (
		noIPv6  = "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6"
		noTUN   = "mount -t tmpfs none /dev/net"
		hidden  = "mount -o remount,hidepid=2 /proc"
		roots   = hidden + " && { sleep 100 & }"
		asOther = "exec setpriv --reuid 65534 --regid 65534 --clear-groups "
	)
	for _, c := range []struct {
		name, before, line string
		status             int
		says               string
	}{
		{"no IPv6, but wanted", noIPv6, "echoc -6 half-close", 3, "IPv6 is switched off on this host"},
		{"no IPv6, but wanted, echod", noIPv6, "echod -6", 3, "IPv6 is switched off on this host"},
		{"no IPv6, but wanted, the plain client", noIPv6, "echoc -6 --quiet [::1]:7007", 3, "IPv6 is switched off on this host"},
		{"no IPv6", noIPv6, "echoc half-close", 0, ""},
		{"no IPv6, on the wire", noIPv6, "echoc -6 --wire half-close", 0, ""},
		{"no TUN device", noTUN, "echoc --wire half-close", 3, "/dev/net/tun does not exist"},
		{"no TUN device, not wanted", noTUN, "echoc half-close", 0, ""},
		{"hidepid=2", hidden, asOther + "echoc half-close", 0, ""},
		{"hidepid=2, a process of its own", hidden, asOther + "echoc crash", 0, ""},
		{"hidepid=2, another user's process", roots, asOther + "echoc watch --once pid:$!", 3, ": this user may not see which sockets that process has"},
		{"hidepid=2, its namespace", roots, asOther + "echoc watch --once --netns $! all", 3, " needs root: CAP_SYS_ADMIN"},
		{"hidepid=2, no such process", hidden, asOther + "echoc watch --once --netns 4194304 all", 2, "there is no /proc/4194304/ns/net"},
		{"hidepid=2, anybody's sockets", hidden, asOther + "echoc watch --once all", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			script := "ip link set lo up && " + c.before + " && PATH=$BIN:$PATH && " + c.line
			cmd := command(t, "/usr/bin/unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", script)
			cmd.Env = append(cmd.Env, "BIN="+bin)
			status, _, errs := finish(t, cmd)
			if status != c.status || strings.Count(errs, "\n") > 1 || !strings.Contains(errs, c.says) {
				t.Errorf("status %d, want %d; says %q, want %q", status, c.status, errs, c.says)
			}
		})
	}
}

// injected has strace answer some of a command's system calls in the kernel's place.
func injected(t *testing.T, cmd *exec.Cmd, args ...string) {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace: install it")
	}
	log := filepath.Join(t.TempDir(), "strace")
	cmd.Args = append(append([]string{path, "-f", "-qq", "-o", log}, args...), append([]string{cmd.Path}, cmd.Args[1:]...)...)
	cmd.Path = path
}
