package e2e

import (
	"fmt"
	"os"
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

// A host that is not set up as Linux comes: what fails is true, the setting is named, and what is printed as got is
// what the kernel said. What can be understood all the same does not fail.
func TestSettingsThatAreNotUsual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value, scenario string
		ok                    bool
		says, never           string
	}{
		{"net.ipv4.tcp_syncookies", "2", "handshake", true, "tcp_syncookies is 2", "cut short"},
		{"net.ipv4.tcp_ecn", "1", "handshake", true, "explicit congestion notification", ""},
		{"net.ipv4.tcp_syncookies", "2", "syn-queue", false, "net.ipv4.tcp_syncookies is 2 here", ""},
		{"net.ipv4.tcp_max_tw_buckets", "1", "linger-wait", false, "net.ipv4.tcp_max_tw_buckets is 1 here", ""},
	} {
		t.Run(c.scenario+" with "+c.name, func(t *testing.T) {
			beside(t)
			setting(t, c.name, c.value)
			status, out, errs := run(t, "echoc", "--json", c.scenario)
			all := events(t, out)
			if ok := status == 0; ok != c.ok || !strings.Contains(out, c.says) || c.never != "" && strings.Contains(out+errs, c.never) {
				t.Errorf("status %d, and %q, not %q, was to be said:\n%s%s", status, c.says, c.never, out, errs)
			}
			if why := all[len(all)-1].text("why"); !c.ok && (why == "" || !strings.Contains(errs, why)) {
				t.Errorf("why: %q; on standard error: %s", why, errs)
			}
		})
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
