package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// drawnStates finds the transitions in the list of a measured diagram; those that were not seen are faint.
var drawnStates = regexp.MustCompile(`class="t (s?)"[^>]*>([A-Z0-9-]+ → [A-Z0-9-]+)<`)

// drawnIn are the transitions of a measured diagram that were seen.
func drawnIn(svg string) map[string]bool {
	seen := map[string]bool{}
	for _, m := range drawnStates.FindAllStringSubmatch(svg, -1) {
		seen[m[2]] = m[1] == ""
	}
	return seen
}

// docs/states.svg is what a tour on the wire, with the kernel's own account, sees here: the same transitions. What only
// sock_diag tells may be missed by one tour on a busy machine, so it is true if one of several sees the same.
func TestTheMeasuredStatesAreARun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a tour")
	}
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user sees less: run it as root")
	}
	beside(t)
	page := filepath.Join(root, "docs/states.svg")
	why := ""
	for range 3 {
		now, failed := measured(t)
		if failed != "" {
			why = failed
			continue
		}
		if *update && (*renew || len(differing(drawnIn(read(t, "docs/states.svg")), drawnIn(now))) > 0) {
			if err := os.WriteFile(page, []byte(now), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		run := drawnIn(now)
		if len(run) < 20 {
			t.Fatalf("%d transitions in the picture", len(run))
		}
		d := differing(drawnIn(read(t, "docs/states.svg")), run)
		if len(d) == 0 {
			return
		}
		why = "docs/states.svg and a run differ: " + strings.Join(d, ", ")
	}
	t.Errorf("%s\ngo test ./internal/docs -update draws it anew", why)
}

// measured is a diagram as it comes out here; failed is why it did not.
func measured(t *testing.T) (svg, failed string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "states.svg")
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "echoc"), "diagram", "--wire", "--trace", "--quiet", "--svg", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 3 {
			t.Skip(string(out))
		}
		return "", fmt.Sprintf("%v: %s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), ""
}

func differing(a, b map[string]bool) (names []string) {
	for name, seen := range a {
		if b[name] != seen {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, is := a[name]; !is {
			names = append(names, name)
		}
	}
	return names
}
