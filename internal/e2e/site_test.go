package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The tour as a folder of pages: all links of the index lead somewhere, and each page is of its scenario.
func TestTheTourAsASite(t *testing.T) {
	if testing.Short() {
		t.Skip("internal/scenario plays every scenario")
	}
	beside(t)
	dir := filepath.Join(t.TempDir(), "site")
	if status, _, errs := run(t, "echoc", "--quiet", "--html", dir, "tour"); status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	b, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	links := strings.Split(string(b), `<a href="`)[1:]
	if len(links) < len(scenarios(t)) {
		t.Errorf("%d links", len(links))
	}
	for _, l := range links {
		name, _, _ := strings.Cut(l, `"`)
		switch _, err := os.Stat(filepath.Join(dir, name)); {
		case err != nil:
			t.Error(err)
		case strings.HasSuffix(name, ".html"):
			if title, _, _ := pageOf(t, filepath.Join(dir, name)); title+".html" != name {
				t.Errorf("%s is of %s", name, title)
			}
		}
	}
	status, _, errs := run(t, "echoc", "--html", dir, "tour")
	if status != 1 || !strings.Contains(errs, "there is such a folder, with something in it") || strings.Count(errs, "\n") != 1 {
		t.Errorf("over a folder that is there: status %d: %s", status, errs)
	}
	if status, _, errs := run(t, "echoc", "--html", dir, "--overwrite", "tour"); status != 2 || !strings.Contains(errs, "replaces no folder") {
		t.Errorf("status %d: %s", status, errs)
	}
}
