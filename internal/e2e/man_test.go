package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The manual pages are what man(1) and groff(1) like, and have the sections that one looks for.
func TestManualPages(t *testing.T) {
	slowly(t)
	for _, name := range []string{"echoc", "echod"} {
		status, page, errs := run(t, name, "--man")
		if status != 0 || errs != "" {
			t.Fatalf("%s --man: status %d: %s", name, status, errs)
		}
		for _, c := range []struct{ program, pack, line string }{
			{"man", "man-db", "MANWIDTH=80 man --warnings -l -"},
			{"groff", "groff", "groff -ww -man -Tutf8"},
		} {
			if _, err := exec.LookPath(c.program); err != nil {
				t.Logf("not looked at with %s: install the package %s", c.program, c.pack)
				continue
			}
			cmd := command(t, "/bin/sh", "-c", c.line)
			cmd.Stdin = strings.NewReader(page)
			cmd.Dir = filepath.Dir(bin)
			if status, out, errs := finish(t, cmd); status != 0 || errs != "" || len(out) < 1000 {
				t.Errorf("%s: %s: status %d, warns:\n%s", name, c.line, status, errs)
			}
		}
		sections := []string{"NAME", "SYNOPSIS", "DESCRIPTION", "MODES", "OPTIONS", "HOW IT IS WRITTEN", "RULES", "SCENARIOS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES", "SEE ALSO"}
		if name == "echod" {
			sections = append(sections[:6], sections[7:]...) // there is no RULE
		}
		var got []string
		for _, m := range regexp.MustCompile(`(?m)^\.SH (.*)$`).FindAllStringSubmatch(page, -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, ",") != strings.Join(sections, ",") {
			t.Errorf("%s: sections %q, not %q", name, got, sections)
		}
		for _, word := range []string{"half\\-close", "\\-\\-linger", "NO_COLOR", "130"} {
			if !strings.Contains(page, word) {
				t.Errorf("%s: no %s", name, word)
			}
		}
		if i := strings.IndexFunc(page, func(r rune) bool { return r > 0x7e }); i >= 0 {
			t.Errorf("%s: not in ASCII: %.40q", name, page[i:])
		}
	}
}
