package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// README names the scenarios that set a sysctl, which a container may not.
func TestREADMENamesWhatSetsASysctl(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "internal/scenario/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	name, sets := regexp.MustCompile(`\bName:\s+"([a-z0-9-]+)"`), regexp.MustCompile(`\.Sysctl\(timeline\.`)
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if m := name.FindSubmatch(text); m != nil && sets.Match(text) && !strings.HasSuffix(file, "_test.go") {
			names = append(names, string(m[1]))
		}
	}
	slices.Sort(names)
	for page, list := range map[string][3]string{"README.md": {"(", ", ", ")"}, chineseDir + "README.md": {"（", "、", "）"}} {
		if want := list[0] + strings.Join(names, list[1]) + list[2]; len(names) == 0 || !strings.Contains(read(t, page), want) {
			t.Errorf("%s does not have %s", page, want)
		}
	}
}
