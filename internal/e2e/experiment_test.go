package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// With options of the user's own an unmet expectation is shown and the run goes on to its consequence.
func TestAnExperimentGoesOn(t *testing.T) {
	t.Parallel()
	// Whoever meets the reset first ends the run; the other one may not have come to its expectation.
	reset := regexp.MustCompile(`^echoc: (\d of \d+ checks differ, with --linger 0; then|with --linger 0:) (read \S+: connection reset by peer|the client has gone(: \S+)?)\n$`)
	for _, c := range []struct {
		options, scenario string
		want              *regexp.Regexp // the complaint; nil: none
	}{
		{"--linger 0", "half-close", reset},
		{"--linger 0", "close", reset},
		{"--linger 0", "server-close", reset},
		{"--linger 0", "last-ack", reset},
		{"--linger 0", "fin-wait-1", reset},
		{"--rcvbuf 1000000", "half-close", regexp.MustCompile(`^echoc: half-close: \d of \d+ checks differ, with --rcvbuf 1000000\n$`)},
		{"--nodelay", "half-close", nil},
		{"--nodelay --backlog 3", "last-ack", nil},
	} {
		t.Run(c.options+" "+c.scenario, func(t *testing.T) {
			beside(t)
			status, out, errs := run(t, "echoc", append(strings.Fields("--json "+c.options), c.scenario)...)
			if c.want == nil {
				if status != 0 || errs != "" {
					t.Errorf("status %d: %q", status, errs)
				}
				return
			}
			if status != 1 || !c.want.MatchString(errs) {
				t.Errorf("status %d: %q", status, errs)
			}
			all := events(t, out)
			sum := all[len(all)-1]
			if sum.text("options") != c.options || !strings.HasSuffix(errs, sum.text("why")+"\n") {
				t.Errorf("the summary is %v", sum)
			}
			if c.want == reset && !strings.Contains(out, `"ECONNRESET"`) && c.scenario != "close" { // there it is the server that is told, or sees that the client is gone
				t.Errorf("nobody has seen the reset:\n%s", out)
			}
		})
	}
}

// The experiment of the server's user has its consequence at the client.
func TestTheConsequenceIsAtTheClient(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"half-close", "last-ack", "fin-wait-1"} {
		t.Run(name, func(t *testing.T) {
			beside(t)
			s := start(t, "--json", "--linger", "0", name)
			status, out, errs := run(t, "echoc", "--json", name, s.addr)
			if status != 1 || !strings.HasSuffix(errs, "connection reset by peer\n") || !strings.Contains(out, `"errno":"ECONNRESET"`) {
				t.Errorf("status %d: %q\n%s", status, errs, out)
			}
		})
	}
}
