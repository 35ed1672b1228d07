package docs

import (
	"cmp"
	"go/build"
	"go/doc"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"regexp"
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
		list[folder] = &room{what: new(doc.Package).Synopsis(p.Doc), imports: ofProject(p.Imports)}
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
	may  []string // … import no others than these; nil with by: whatever they like
	by   []string // … and are imported by no others than these; nil: by whomever
}{
	{rule: "the public packages import nothing of the project", of: []string{"sockapi", "tcpinfo"}, may: []string{}},
	{rule: "what is followed is the kernel's sockets, and of the project no more than tcpinfo", of: []string{"tcpinfo/watch"}, may: []string{"tcpinfo"}},
	{rule: "what the kernel shows to who looks from outside comes to the timeline through observe",
		of: []string{"internal/capture", "internal/trace"}, by: []string{"internal/observe"}},
	{rule: "what the watcher sees does too; a scenario also waits for it",
		of: []string{"tcpinfo/watch"}, by: []string{"internal/observe", "internal/stage"}},
	{rule: "a lesson is written in the words of stage, with values of the sockets API, of the kernel and of segments", of: []string{"internal/scenario"},
		may: []string{"internal/lab", "internal/segment", "internal/stage", "internal/timeline", "sockapi", "tcpinfo"}},
	{rule: "what lessons are played on knows no lesson", of: []string{"internal/stage"}, may: []string{
		"internal/lab", "internal/observe", "internal/rfc9293", "internal/segment", "internal/timeline", "internal/unsupported", "sockapi", "tcpinfo", "tcpinfo/watch",
	}},
	{rule: "observe knows nothing of scenarios, commands and views", of: []string{"internal/observe"}, may: []string{
		"internal/capture", "internal/lab", "internal/segment", "internal/timeline", "internal/trace", "sockapi", "tcpinfo", "tcpinfo/watch",
	}},
	{rule: "who puts something into the timeline, or reads it", of: []string{"internal/timeline"}, by: []string{
		"internal/watchlog", "internal/watchpage", "internal/observe", "internal/stage", "internal/scenario", "internal/tour", "internal/quiz", "internal/view", "internal/ladder", "internal/contrast", "internal/figure", "internal/page", "internal/site", "internal/record", "internal/merge", "internal/cli", "cmd/echoc", "cmd/echod",
	}},
	{rule: "a record keeps events, and knows neither who saw them nor who shows them", of: []string{"internal/record"}, may: []string{"internal/outfile", "internal/timeline"}},
	{rule: "two records become one by what they say, and nothing else", of: []string{"internal/merge"}, may: []string{"internal/record", "internal/timeline", "tcpinfo"}, by: []string{"cmd/echoc"}},
	{rule: "a file that is made is a file, whatever is in it", of: []string{"internal/outfile"}, may: []string{}},
	{rule: "who gives root up does no more than that", of: []string{"internal/privilege"}, may: []string{}, by: []string{"cmd/echod"}},
	{rule: "a view knows events, and nobody who sees them", of: []string{"internal/view"}, may: []string{
		"internal/explain", "internal/ladder", "internal/lesson", "internal/rfc9293", "internal/timeline", "sockapi", "tcpinfo",
	}},
	{rule: "what a picture is made of is events, whoever has seen them", of: []string{"internal/ladder"}, may: []string{"internal/timeline", "tcpinfo"}},
	{rule: "a figure draws the ladder, in the words of the views", of: []string{"internal/figure"}, may: []string{
		"internal/ladder", "internal/rfc9293", "internal/timeline", "internal/view", "tcpinfo",
	}},
	{rule: "what is the matter with a socket is said by values alone", of: []string{"internal/diagnose"}, may: []string{"internal/owner", "tcpinfo"}},
	{rule: "who looks at anybody's sockets knows nobody who shows them", of: []string{"internal/survey"}, may: []string{"internal/diagnose", "internal/explain", "internal/owner", "tcpinfo"}},
	{rule: "the pages are known to those who show them", of: []string{"docs"}, may: []string{}, by: []string{"internal/lesson", "cmd/echoc"}},
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
				if r.may != nil && !slices.Contains(r.may, i) {
					t.Errorf("%s: but %s imports %s", r.rule, name, i)
				}
			}
			for other, room := range list {
				if r.by != nil && !slices.Contains(r.by, other) && slices.Contains(room.imports, name) {
					t.Errorf("%s: but %s imports %s", r.rule, other, name)
				}
			}
		}
	}
}

// arrow is a line of the drawing: who sees, and what it hands over.
var arrow = regexp.MustCompile(`(?m)^ ?(\S+) +── (\w+) ─+[┐┤┼┘]`)

// TestTheDrawingIsWhatTheImportsSay: in docs/design.md, who hands something to observe is imported by it, and with what
// the drawing leaves out that is all it imports of those who see.
func TestTheDrawingIsWhatTheImportsSay(t *testing.T) {
	list := rooms(t)
	var drawn []string
	for _, m := range arrow.FindAllStringSubmatch(read(t, "docs/design.md"), -1) {
		drawn = append(drawn, m[1])
	}
	var see []string
	for _, name := range list["internal/observe"].imports {
		if !slices.Contains([]string{"internal/timeline", "internal/segment", "tcpinfo"}, name) { // what is told, and its values
			see = append(see, name)
		}
	}
	slices.Sort(drawn)
	if !slices.Equal(drawn, see) {
		t.Errorf("drawn:    %v\nimported: %v", drawn, see)
	}
	for _, r := range []string{"internal/observe", "internal/stage"} {
		if !slices.Contains(list[r].imports, "internal/timeline") {
			t.Errorf("%s does not import the timeline", r)
		}
	}
}
