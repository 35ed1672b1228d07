package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"socklife/internal/scenario"
)

func TestEveryScenarioHasItsPage(t *testing.T) {
	for _, sc := range scenario.All() {
		page := filepath.Join("docs", "scenarios", sc.Name+".md")
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Errorf("%s has no page: %v", sc.Name, err)
			continue
		}
		if first, _, _ := strings.Cut(string(text), "\n"); !strings.HasPrefix(first, "# "+sc.Name) {
			t.Errorf("%s begins with %q", page, first)
		}
		if !strings.Contains(string(text), "<!-- run:") && !strings.Contains(string(text), "<!-- run 1 of:") {
			t.Errorf("%s shows no run", page)
		}
	}
}

func TestEveryPageHasItsScenario(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(root, "docs", "scenarios", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range found {
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		if name != "README" && scenario.Find(name) == nil {
			t.Errorf("docs/scenarios/%s.md is about a scenario that does not exist", name)
		}
	}
}

func TestDesignNamesEveryRoom(t *testing.T) {
	text := read(t, "docs/design.md")
	dirs, err := filepath.Glob(filepath.Join(root, "internal", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if room := "`internal/" + filepath.Base(dir) + "`"; !strings.Contains(text, room) {
			t.Errorf("docs/design.md does not say what %s is", room)
		}
	}
}
