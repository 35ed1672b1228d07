package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// made are the files that the commands themselves write.
var made = []struct{ file, program, flag string }{
	{"docs/man/echoc.1", "echoc", "--man"},
	{"docs/man/echod.1", "echod", "--man"},
	{"docs/completion/echoc.bash", "echoc", "--completion=bash"},
	{"docs/completion/echod.bash", "echod", "--completion=bash"},
	{"docs/completion/_echoc", "echoc", "--completion=zsh"},
	{"docs/completion/_echod", "echod", "--completion=zsh"},
	{"docs/completion/echoc.fish", "echoc", "--completion=fish"},
	{"docs/completion/echod.fish", "echod", "--completion=fish"},
}

// The manual pages and the shells' completion are up to date.
func TestFilesThatTheCommandsMake(t *testing.T) {
	t.Parallel()
	if err := dependOnSources(); err != nil {
		t.Fatal(err)
	}
	for _, m := range made {
		want, err := exec.Command(filepath.Join(bin, m.program), m.flag).Output()
		if err != nil {
			t.Fatalf("%s %s: %v", m.program, m.flag, err)
		}
		file := filepath.Join(root, m.file)
		if got, _ := os.ReadFile(file); string(got) == string(want) {
			continue
		}
		if !*update {
			t.Errorf("%s is not what %s %s writes: go test ./internal/docs -run TheCommandsMake -update", m.file, m.program, m.flag)
			continue
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// helpOf is what a command says of itself, on a page so wide that hardly anything is wrapped.
func helpOf(t *testing.T, program, flag string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, program), flag)
	cmd.Env = append(os.Environ(), "COLUMNS=100")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// What README shows below "What else it does" is in the help's examples, in the same words.
func TestTheHelpHasTheExamplesOfREADME(t *testing.T) {
	t.Parallel()
	helps := strings.Join(strings.Fields(helpOf(t, "echoc", "--help")+helpOf(t, "echod", "--help")), " ")
	_, list, _ := strings.Cut(read(t, "README.md"), "## What else it does")
	found := 0
	for _, line := range strings.Split(list, "```")[:2] {
		for _, m := range regexp.MustCompile(`(?m)^((?:sudo )?)\./(.*?) +# (.*)$`).FindAllStringSubmatch(line, -1) {
			found++
			if want := strings.Join(strings.Fields(m[1]+m[2]+" "+m[3]), " "); !strings.Contains(helps, want) && m[2] != "echoc --list" {
				t.Errorf("the help has no example  %s", want)
			}
		}
	}
	if found < 9 {
		t.Errorf("only %d examples found in README.md", found)
	}
}

// The manual page and docs/reference.md have the same table of the parts of a RULE.
func TestTheManualHasTheRules(t *testing.T) {
	t.Parallel()
	_, rules, _ := strings.Cut(helpOf(t, "echoc", "--man"), ".SH RULES\n")
	rules, _, _ = strings.Cut(rules, ".SH ")
	plain := strings.NewReplacer(`\-`, "-", `\(dq`, `"`, `\(aq`, "'", `\fB`, "", `\fR`, "", "`", "").Replace
	said := strings.Fields(plain(rules))
	_, table, _ := strings.Cut(read(t, "docs/reference.md"), "## Rules")
	table, _, _ = strings.Cut(table, "Some that do")
	rows := regexp.MustCompile(`(?m)^\| (.*) \| (.*) \|$`).FindAllStringSubmatch(table, -1)
	if len(rows) < 10 {
		t.Fatalf("only %d rows found", len(rows))
	}
	for _, m := range rows[1:] {
		for _, word := range strings.Fields(plain(m[1])) {
			if word = strings.Trim(word, ","); word != "which" && word != "flags" && !slices.ContainsFunc(said, func(s string) bool { return strings.Trim(s, `",.;`) == word }) {
				t.Errorf("the manual page does not have %s, of %q", word, m[1])
			}
		}
	}
}
