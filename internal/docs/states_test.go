package docs

import (
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

// docs/states.svg is what a tour on the wire, with the kernel's own account, sees here: the same transitions.
func TestTheMeasuredStatesAreARun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a tour")
	}
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user sees less: run it as root")
	}
	beside(t)
	file := filepath.Join(t.TempDir(), "states.svg")
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "echoc"), "diagram", "--wire", "--trace", "--quiet", "--svg", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 3 {
			t.Skip(string(out))
		}
		t.Fatalf("%v: %s", err, out)
	}
	now, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(root, "docs/states.svg")
	if *update {
		if old, err := os.ReadFile(page); err == nil && !*renew && len(differing(drawnIn(string(old)), drawnIn(string(now)))) == 0 {
			return
		}
		if err := os.WriteFile(page, now, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shown, run := drawnIn(read(t, "docs/states.svg")), drawnIn(string(now))
	if len(run) < 20 {
		t.Fatalf("%d transitions in the picture", len(run))
	}
	if d := differing(shown, run); len(d) > 0 {
		t.Errorf("docs/states.svg and a run differ: %s\ngo test ./internal/docs -update draws it anew", strings.Join(d, ", "))
	}
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
