package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// A lesson reaches no other lesson: each file of internal/scenario uses no name that another one declares, but for the
// catalogue, which lists them.
func TestLessonsDoNotReachEachOther(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root, "internal/scenario/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	files, declared := map[string]*ast.File{}, map[string]string{}
	for _, path := range paths {
		name := filepath.Base(path)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0) // with objects: what is left is of other files
		if err != nil {
			t.Fatal(err)
		}
		files[name] = f
		for object := range f.Scope.Objects {
			declared[object] = name
		}
	}
	if len(files) < 30 || len(declared) < 100 {
		t.Fatalf("%d files, %d names: that is not all", len(files), len(declared))
	}
	for name, f := range files {
		for _, used := range f.Unresolved {
			if of := declared[used.Name]; of != "" && of != "catalogue.go" && name != "catalogue.go" {
				t.Errorf("%s uses %s, which %s declares: what lessons share is a word of internal/stage", name, used.Name, of)
			}
		}
	}
}
