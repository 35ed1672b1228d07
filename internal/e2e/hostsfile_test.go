package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// withHosts runs a command with another /etc/hosts, in a mount namespace of its own.
func withHosts(t *testing.T, cmd *exec.Cmd, hosts string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte(hosts), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/hosts`, file).CombinedOutput(); err != nil {
		t.Skipf("needs mount namespaces, as root: %s", out)
	}
	shell, err := exec.LookPath("unshare")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args = append([]string{shell, "--mount", "sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`, file, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = shell
	cmd.Env = append(cmd.Env, "GODEBUG=netdns=go") // which reads that file itself; the C library's resolver refuses such zones
}

// What a hosts file has, names and zones of addresses, is shown as text and does nothing to a terminal; an address that
// others reach is warned of, by whatever name it was found.
func TestAHostsFileIsText(t *testing.T) {
	const evil = "\x1bc\a\u009b31m"
	hosts := "127.0.0.1 here" + evil + "\nfe80::1%lo" + evil + " zone\n0.0.0.0 everywhere\n"
	for _, c := range []struct {
		command string
		args    []string
		says    string
	}{
		{"echoc", []string{"here" + evil + ":1"}, "connect"},
		{"echoc", []string{"zone:1"}, "fe80::1"},
		{"echoc", []string{"--json", "zone:1"}, "fe80::1"},
		{"echoc", []string{"half-close", "zone:1"}, "fe80::1"},
		{"echod", []string{"--listen", "zone:1"}, "fe80::1"},
		{"echod", []string{"--listen", "zone:1", "half-close"}, "fe80::1"},
		{"echod", []string{"--listen", "nowhere" + evil}, "no such host"},
	} {
		t.Run(fmt.Sprintf("%s %q", c.command, c.args), func(t *testing.T) {
			beside(t)
			cmd := command(t, c.command, c.args...)
			withHosts(t, cmd, hosts)
			status, out, errs := finish(t, cmd)
			if status == 0 || !strings.Contains(out+errs, c.says) {
				t.Errorf("status %d, and no %q in\n%q\n%q", status, c.says, out, errs)
			}
			for _, r := range out + errs {
				if r != '\n' && unicode.IsControl(r) {
					t.Fatalf("%U in\n%q\n%q", r, out, errs)
				}
			}
		})
	}
	t.Run("everywhere", func(t *testing.T) {
		beside(t)
		cmd := command(t, "echod", "--listen", "everywhere:0")
		withHosts(t, cmd, hosts)
		if s := startAs(t, cmd); !strings.HasPrefix(s.addr, "0.0.0.0:") {
			t.Errorf("listens on %s", s.addr)
		} else {
			eventually(t, "the warning", func() bool { return strings.Contains(s.stderr(), "warning: whoever reaches this host") })
		}
	})
}
