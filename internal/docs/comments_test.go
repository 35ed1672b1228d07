package docs

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// commentWidth is how wide a line of a comment may be, a tab taken as four columns.
const commentWidth = 120

func TestCommentsAreOfOneWidth(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "example_test.go") { // their output is compared
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for n := 1; lines.Scan(); n++ {
			line := strings.ReplaceAll(lines.Text(), "\t", "    ")
			prose := strings.HasPrefix(strings.TrimLeft(lines.Text(), "\t"), "// ") // what is set in is a table, or code
			if width := len([]rune(line)); prose && width > commentWidth {
				t.Errorf("%s:%d: %d columns", path, n, width)
			}
		}
		return lines.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}
