package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// setting sets a sysctl of the test's own network namespace.
func setting(t *testing.T, name, value string) {
	t.Helper()
	parent, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", os.Getppid()))
	if err != nil || parent == ownNamespace(t) {
		t.Skip("needs root, for a network namespace of its own")
	}
	if err := os.WriteFile("/proc/sys/"+strings.ReplaceAll(name, ".", "/"), []byte(value), 0); err != nil {
		t.Skipf("this kernel does not take it: %v", err)
	}
}

// A host that is not set up as Linux comes, where a lesson holds all the same and says what is different; or where it
// does not and is not played.
func TestSettingsThatAreNotUsual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value, scenario string
		status                int
		says, never           string
	}{
		{"net.ipv4.tcp_syncookies", "2", "handshake", 0, "tcp_syncookies is 2", "cut short"},
		{"net.ipv4.tcp_ecn", "1", "handshake", 0, "explicit congestion notification", ""},
		{"net.ipv4.tcp_syncookies", "2", "syn-queue", 3, "echoc: net.ipv4.tcp_syncookies is 2 here (2: SYN cookies for all, and no SYN-RECEIVED), " +
			"and syn-queue needs 0 or 1: sysctl -w net.ipv4.tcp_syncookies=1, or with --wire", "FAILED"},
		{"net.ipv4.tcp_max_tw_buckets", "1", "linger-wait", 3, "linger-wait needs 2 or more: sysctl -w net.ipv4.tcp_max_tw_buckets=4096", "CLOSED"},
		{"net.ipv4.ip_local_port_range", "40000 40003", "crash", 3, "echoc: net.ipv4.ip_local_port_range is 40000 40003 here (from which connect() chooses a port), " +
			"and crash needs 16 ports or more: sysctl -w net.ipv4.ip_local_port_range=\"32768 60999\"", "nothing came"},
		{"net.ipv4.ip_local_reserved_ports", "32768-60999", "close", 3, "no port is free for it: net.ipv4.ip_local_port_range is 32768 60999, without 32768-60999", "nothing came"},
	} {
		t.Run(c.scenario+" with "+c.name, func(t *testing.T) {
			beside(t)
			setting(t, c.name, c.value)
			status, out, errs := run(t, "echoc", "--all", c.scenario)
			said := strings.Join(strings.Fields(out+errs), " ")
			if status != c.status || !strings.Contains(said, c.says) || c.never != "" && strings.Contains(strings.ReplaceAll(said, "CLOSED → ", ""), c.never) {
				t.Errorf("status %d, and %q, not %q, was to be said:\n%s%s", status, c.says, c.never, out, errs)
			}
		})
	}
}

// The connections that are in TIME-WAIT already take the places of those that the lesson needs.
func TestTimeWaitsThatAreThere(t *testing.T) {
	beside(t)
	setting(t, "net.ipv4.tcp_max_tw_buckets", "1")
	if status, _, errs := run(t, "echoc", "-q", "close"); status != 0 {
		t.Errorf("with one: status %d: %s", status, errs)
	}
	status, out, errs := run(t, "echoc", "-q", "close")
	if want := "net.ipv4.tcp_max_tw_buckets is 1 here"; status != 3 || out != "" || !strings.Contains(errs, want) || !strings.Contains(errs, "beside the 1 that are there") {
		t.Errorf("while that is there: status %d: %s%s", status, out, errs)
	}
}

// In two terminals each side looks at its own host: the one whose kernel would have to do it says so, and the other's
// setting is in nobody's way.
func TestTheHostThatWouldHaveToDoIt(t *testing.T) {
	for _, c := range []struct {
		set, scenario string
		client        bool // it is the client's host that matters
	}{
		{"net.ipv4.tcp_max_tw_buckets=0", "close", true},
		{"net.ipv4.tcp_max_tw_buckets=0", "server-close", false},
		{"net.ipv4.tcp_syncookies=2", "syn-queue", false},
		{"net.ipv4.tcp_syn_retries=1", "connect-timeout", true},
		{"net.core.somaxconn=0", "reuseport", false},
		{"net.ipv4.ip_local_port_range=40000 40000", "syn-queue", true},
	} {
		for _, client := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, %s, the client's host %v", c.set, c.scenario, client), func(t *testing.T) {
				beside(t)
				pid := otherHost(t)
				here, there := setup{sets: []string{c.set}}, setup{}
				if !client {
					here, there = there, here
				}
				shell, args := as(there, "echod", "--listen", "192.0.2.2:7007", "--json", "--runs", "1", c.scenario)
				server, ended := serveOn(t, command(t, "/usr/bin/env", append([]string{"nsenter", "-t", pid, "-n", shell}, args...)...))
				if server == "" {
					if status, says := ended(); client || c.client || status != 3 || !strings.Contains(says, "echod: "+nameOf(c.set)+" is ") {
						t.Errorf("the server does not listen: status %d: %s", status, says)
					}
					return
				}
				shell, args = as(here, "echoc", "-q", c.scenario, server)
				status, _, says := run(t, shell, args...)
				switch {
				case client && c.client && (status != 3 || !strings.Contains(says, nameOf(c.set)+" is ")), client != c.client && status != 0, !client && !c.client:
					t.Errorf("the client: status %d: %s", status, says)
				}
			})
		}
	}
}

func nameOf(set string) string { return set[:strings.IndexByte(set, '=')] }

// A setting of the wire's hosts is the user's, who wants to see what comes of it: that is shown, in every form, and the
// setting is named.
func TestASettingOfTheWiresHosts(t *testing.T) {
	t.Parallel()
	onWire(t)
	page := filepath.Join(t.TempDir(), "run.html")
	sysctl := "client:net.ipv4.tcp_max_tw_buckets=0"
	status, out, errs := run(t, "echoc", "--wire", "--sysctl", sysctl, "--html", page, "close")
	if want := "echoc: net.ipv4.tcp_max_tw_buckets is 0 on the client's host"; status != 3 || !strings.Contains(errs, want) || !strings.Contains(out, "✗ expect TIME-WAIT") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "CLOSED") {
		t.Errorf("the page of the run: %v", err)
	}
	status, out, errs = run(t, "echoc", "compare", "--wire", "close", "--", "--sysctl", sysctl)
	if status != 0 || !strings.Contains(out, "client CLOSED") {
		t.Errorf("compare: status %d: %s%s", status, out, errs)
	}
	// What fails for another reason is not put down to the setting.
	status, _, errs = run(t, "echoc", "--wire", "--sysctl", "net.ipv4.tcp_max_tw_buckets=1", "--drop", "server fin", "close")
	if status != 1 || strings.Contains(errs, "sysctl") {
		t.Errorf("a FIN that is lost: status %d: %s", status, errs)
	}
}

// What a check got is what the kernel said, and not what this program did to end the run, nor what the wire made.
func TestWhatACheckGotIsTheKernels(t *testing.T) {
	if testing.Short() {
		t.Skip("waits in vain, on purpose")
	}
	t.Parallel()
	onWire(t)
	for _, c := range []struct {
		args  string
		ok    bool
		never string
	}{
		{"--dup|server syn+ack 1|half-open-expiry", true, ""}, // a copy is not sent by the server
		{"--loss|20%|--seed|11|time-wait-reuse", false, "runs something else"},
		{"--drop|client syn 2|abort-on-overflow", false, "use of closed socket"},
	} {
		t.Run(c.args, func(t *testing.T) {
			beside(t)
			status, out, errs := run(t, "echoc", append([]string{"--wire", "--json"}, strings.Split(c.args, "|")...)...)
			if c.ok && status != 0 || c.never != "" && strings.Contains(out+errs, c.never) {
				t.Errorf("status %d, %q must not be said: %s\n%s", status, c.never, errs, out)
			}
		})
	}
}
