package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// misleading are terms that say something else than is meant, and what to say.
var misleading = map[string]string{
	"pair of addresses":          "socket pair: the ports belong to it",
	"address pair":               "socket pair: the ports belong to it",
	"half-open timeout":          "half-open is SYN-RECEIVED here, or a connection that one end has lost",
	"three FIN segments":         "there are two FINs",
	"the same segment again":     "a segment that is sent again has another timestamp",
	"represents no connection\"": "RFC 9293 3.3.2 has: no connection state at all",
}

// What the program says, and what its comments say, is held to the same facts and terms as the pages.
func TestTheSourceSaysWhatThePagesSay(t *testing.T) {
	t.Parallel()
	heed := func(where, text string) {
		if _, wrong := mentions(text); len(wrong) > 0 {
			t.Errorf("%s: %s\nThe value is in docs/facts.md.", where, strings.Join(wrong, "\n"))
		}
		for term, why := range misleading {
			if strings.Contains(strings.Join(strings.Fields(text), " "), term) {
				t.Errorf("%s: %q: %s", where, term, why)
			}
		}
	}
	texts := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, c := range file.Comments {
			heed(path, c.Text())
			texts++
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(s, " ") {
					heed(path, s)
					texts++
				}
			}
			return true
		})
		return nil
	})
	if err != nil || texts < 1000 {
		t.Errorf("only %d texts were read: %v", texts, err)
	}
}

func TestNoPageHasATermThatMisleads(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		text := strings.Join(strings.Fields(read(t, page)), " ")
		for term, why := range misleading {
			if strings.Contains(text, term) {
				t.Errorf("%s: %q: %s", page, term, why)
			}
		}
	}
}
