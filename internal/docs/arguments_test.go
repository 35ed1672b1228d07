package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the arguments of a call are is asked of timeline.Arguments: no other room has a place among them, nor the list.
// internal/view alone shows it as it is.
func TestNoRoomFindsAnArgumentByItsPlace(t *testing.T) {
	asked := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		room, _ := filepath.Rel(root, filepath.Dir(path))
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil || room == "internal/timeline" || !slices.ContainsFunc(f.Imports, importsTimeline) {
			return err
		}
		place := func(of ast.Expr) {
			if call, is := of.(*ast.CallExpr); is && isList(call.Fun) {
				t.Errorf("%s: finds an argument by its place", files.Position(of.Pos()))
			}
		}
		methods := map[ast.Expr]bool{} // what is called, and no field
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				methods[n.Fun] = true
			case *ast.IndexExpr:
				place(n.X)
			case *ast.SliceExpr:
				place(n.X)
			case *ast.SelectorExpr:
				switch {
				case n.Sel.Name == "Args" && !methods[n] && isList(n):
					t.Errorf("%s: takes the list of arguments, which timeline.Arguments says by name", files.Position(n.Pos()))
				case n.Sel.Name == "Written" && room != "internal/view":
					t.Errorf("%s: takes the arguments as they are to be shown", files.Position(n.Pos()))
				case n.Sel.Name == "Arguments":
					asked++
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if asked < 20 {
		t.Errorf("arguments are asked for in %d places: that is not all", asked)
	}
}

func importsTimeline(i *ast.ImportSpec) bool { return i.Path.Value == `"socklife/internal/timeline"` }

// isList says whether an expression is Args or Written of anything but a command line.
func isList(e ast.Expr) bool {
	list, is := e.(*ast.SelectorExpr)
	if !is || list.Sel.Name != "Args" && list.Sel.Name != "Written" {
		return false
	}
	of := ""
	switch x := list.X.(type) {
	case *ast.Ident:
		of = x.Name
	case *ast.SelectorExpr:
		of = x.Sel.Name
	}
	return of != "os" && of != "Set" && of != "about" // the process', the flags', a record's
}
