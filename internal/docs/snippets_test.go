package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What README.md shows of the libraries is compiled and run: each snippet stands, line for line, in an example.
func TestEverySnippetIsInAnExample(t *testing.T) {
	var examples string
	for _, pkg := range []string{"sockapi", "tcpinfo", "tcpinfo/watch"} {
		files, err := filepath.Glob(filepath.Join(root, pkg, "*example_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no examples in %s: %v", pkg, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			examples += unindented(string(text))
		}
	}
	for _, page := range pages(t) {
		for _, f := range fences(page, read(t, page)) {
			if f.language == "go" && !strings.Contains(examples, unindented(f.text)) {
				t.Errorf("%s:%d: this is not in the example_test.go of sockapi, tcpinfo or tcpinfo/watch:\n%s", page, f.line, f.text)
			}
		}
	}
}

func unindented(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}
