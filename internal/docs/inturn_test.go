package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// commandsOf are the commands of a run: each in a terminal of its own, with " & " in between, or one after the other
// with "; ".
func commandsOf(what string) (list []string, inTurn bool) {
	if list = strings.Split(what, "; "); len(list) > 1 {
		return list, true
	}
	return strings.Split(what, " & "), false
}

// playInTurn runs each command to its end, all in one directory: what one leaves there another reads.
func playInTurn(t *testing.T, lines []string) (p played) {
	t.Helper()
	dir := clone(t)
	for _, line := range lines {
		if why := missingProgram(t, line); why != "" {
			return played{cannot: why}
		}
		tm := inTerminal(t, dir, line)
		<-tm.gone
		if tm.status == 3 {
			return played{cannot: strings.TrimSpace(tm.text())}
		}
		p.shown, p.status = append(p.shown, tm.text()), append(p.status, tm.status)
	}
	return p
}

// clone is an empty directory with docs/ in it, as the clone has it: files that a run makes stay out of the project.
func clone(t *testing.T) (dir string) {
	t.Helper()
	docs, err := filepath.Abs(filepath.Join(root, "docs"))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.Symlink(docs, filepath.Join(dir, "docs")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCommandsInTurn(t *testing.T) {
	b := block{kind: "run", show: 2, what: "echo one > a; cat a", note: "exit 1"}
	if want := "<!-- run 2 of: echo one > a; cat a  # exit 1 -->"; b.comment() != want {
		t.Error(b.comment())
	}
	if p := play(t, b.what, false); len(p.shown) != 2 || p.shown[1] != "one\n" || p.status[1] != 0 {
		t.Errorf("%+v", p)
	}
}
