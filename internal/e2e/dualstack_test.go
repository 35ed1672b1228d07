package e2e

import (
	"strings"
	"testing"
)

// A listener on [::] has IPv4 clients too, as IPv4-mapped addresses: every lesson is the same.
func TestAnIPv4ClientOfAListenerForBoth(t *testing.T) {
	t.Parallel()
	for _, name := range some(scenarios(t)) {
		t.Run(name, func(t *testing.T) {
			beside(t)
			probe := command(t, "echod", "--listen", "[::]:0", "--json", "--runs", "1", name)
			s := startAs(t, probe)
			port := s.addr[strings.LastIndex(s.addr, ":"):]
			status, out, errs := run(t, "echoc", "--json", name, "127.0.0.1"+port)
			if status == 3 {
				t.Skip(errs)
			}
			failed(t, events(t, out))
			if status != 0 {
				t.Errorf("echoc: status %d: %s", status, errs)
			}
			if status := s.wait(t); status != 0 {
				t.Errorf("echod: status %d: %s\n%s", status, s.stderr(), s.out.String())
			}
		})
	}
}
