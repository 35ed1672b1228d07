package docs

import (
	"cmp"
	"go/build"
	"go/doc"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// room is a folder with a package in it.
type room struct {
	what    string   // its package comment's first sentence
	imports []string // the rooms it imports, of this project
	floor   int      // 0 imports no other room; the others are above all that they import
}

// rooms are the packages of the project by their folders, but for those of nothing but tests.
func rooms(t *testing.T) map[string]*room {
	t.Helper()
	list := map[string]*room{}
	err := filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); dir != root && strings.HasPrefix(name, ".") || name == "testdata" {
			return filepath.SkipDir
		}
		p, err := build.ImportDir(dir, build.ImportComment)
		if err != nil || len(p.GoFiles) == 0 {
			return nil // no Go in it, or tests alone
		}
		folder, _ := filepath.Rel(root, dir)
		list[folder] = &room{what: doc.Synopsis(p.Doc), imports: ofProject(p.Imports)}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range list {
		list[name].floor = floor(list, name)
	}
	return list
}

func ofProject(imports []string) (list []string) {
	for _, i := range imports {
		if name, is := strings.CutPrefix(i, "socklife/"); is {
			list = append(list, name)
		}
	}
	return list
}

func floor(list map[string]*room, name string) (n int) {
	for _, below := range list[name].imports {
		n = max(n, floor(list, below)+1)
	}
	return n
}

// roomsTable has each room with what it is and what it imports, from the top floor down.
func roomsTable(t *testing.T) string {
	list := rooms(t)
	names := slices.SortedFunc(maps.Keys(list), func(a, b string) int {
		return cmp.Or(list[b].floor-list[a].floor, strings.Compare(a, b))
	})
	var rows [][]string
	for _, name := range names {
		var below []string
		for _, i := range list[name].imports {
			below = append(below, path.Base(i))
		}
		rows = append(rows, []string{code(name), sentence(list[name].what), strings.Join(below, ", ")})
	}
	return markdown([]string{"room", "what it is", "imports"}, rows)
}

// sentence is a package comment's first sentence without its first words, which name the package.
func sentence(s string) string {
	words := strings.Fields(s)
	if len(words) > 2 && (words[0] == "Package" || words[0] == "Command") {
		words = words[2:]
	}
	return strings.TrimSuffix(strings.Join(words, " "), ".")
}

// Who may import what: the rules that docs/design.md gives. What a rule does not name is not its business.
var rules = []struct {
	rule string
	of   []string // these rooms …
	may  []string // … import no others than these
}{
	{"the public packages import nothing of the project", []string{"sockapi", "tcpinfo"}, nil},
}

func TestTheRoomsKeepTheRules(t *testing.T) {
	list := rooms(t)
	for _, r := range rules {
		for _, name := range r.of {
			if list[name] == nil {
				t.Errorf("%s: there is no room %s", r.rule, name)
				continue
			}
			for _, i := range list[name].imports {
				if !slices.Contains(r.may, i) {
					t.Errorf("%s: but %s imports %s", r.rule, name, i)
				}
			}
		}
	}
}
