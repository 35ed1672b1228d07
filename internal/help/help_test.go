package help

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// sample has what no flag of the commands has: texts that a shell or roff would not leave alone.
func sample() *Command {
	fs := pflag.NewFlagSet("sample", pflag.ContinueOnError)
	fs.Duration("wait", 0, `wait so long, or until 'it' is "there" [\n]: $HOME`)
	fs.Int("count", 3, "how many")
	fs.BoolP("all", "a", false, "all of them")
	fs.String("into", "", "write into this `FILE`")
	c := &Command{
		Name: "sample", What: "it's a sample", About: ".starts like a request; it's 'one' \\n",
		Modes:  []Mode{{"", "nothing"}, {"SCENARIO", "play it"}, {"quiz [SCENARIO]", "ask"}, {"--list", "list"}},
		Values: map[string][]Word{"SCENARIO": {{"one", "the first: it's so"}, {"two", "[the second]"}}},
	}
	fs.VisitAll(func(f *pflag.Flag) { c.Groups = append(c.Groups, Group{"All", []*pflag.Flag{f}}) })
	return c
}

// After the word of a mode that has a SCENARIO the names of scenarios are completed; after another one they are not.
func TestCompletionAfterAWord(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ shell, line, offers string }{
		{"bash", "sample ", "one quiz two"}, {"bash", "sample quiz ", "one two"}, {"bash", "sample --wait 5s -a quiz t", "two"}, {"bash", "sample one ", ""},
		{"bash", "sample --wait ", ""},
		{"fish", "sample ", "one quiz two"}, {"fish", "sample quiz ", "one two"}, {"fish", "sample --wait 5s -a quiz t", "two"}, {"fish", "sample one ", ""},
	} {
		path, err := exec.LookPath(c.shell)
		if err != nil {
			t.Logf("needs %s", c.shell)
			continue
		}
		var script strings.Builder
		if !sample().Completion(&script, c.shell) {
			t.Fatal(c.shell)
		}
		file := filepath.Join(dir, c.shell)
		if err := os.WriteFile(file, []byte(script.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		ask := `source "$0"; IFS=" "; COMP_WORDS=($1); case $1 in *" ") COMP_WORDS+=("");; esac; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); ` +
			`unset IFS; _sample; printf "%s\n" "${COMPREPLY[@]}"`
		args := []string{"-c", ask, file, c.line}
		if c.shell == "fish" {
			args = []string{"--no-config", "-c", "source $argv[1]; complete -C $argv[2]", file, c.line}
		}
		cmd := exec.Command(path, args...)
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.shell, err, out)
		}
		var offers []string
		for line := range strings.Lines(string(out)) {
			if word := strings.Split(strings.TrimSpace(line), "\t")[0]; word != "" {
				offers = append(offers, word)
			}
		}
		slices.Sort(offers)
		if got := strings.Join(offers, " "); got != c.offers {
			t.Errorf("%s: %q offers %q, not %q", c.shell, c.line, got, c.offers)
		}
	}
}

// Whatever a text says, each shell can read the script, and roff prints the text.
func TestTextsAreQuoted(t *testing.T) {
	for _, name := range Shells {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Logf("needs %s", name)
			continue
		}
		var script strings.Builder
		sample().Completion(&script, name)
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(script.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(path, "-n", file).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s -n: %v\n%s", name, err, out)
		}
	}
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip("needs groff")
	}
	var page strings.Builder
	sample().Man(&page)
	cmd := exec.Command("groff", "-ww", "-man", "-Tascii", "-P-cbu", "-rLL=200n")
	cmd.Stdin = strings.NewReader(page.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`.starts like a request; it's 'one' \n`, `wait so long, or until 'it' is "there" [\n]: $HOME`, "--count N", "how many (default 3)", "sample quiz [SCENARIO]"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

// Two columns where there is room, one below the other where there is not.
func TestText(t *testing.T) {
	for width, want := range map[int]string{
		80: "  sample quiz [SCENARIO]  ask\n", 40: "  sample quiz [SCENARIO]\n        ask\n",
	} {
		var out strings.Builder
		if sample().Text(&out, width); !strings.Contains(out.String(), want) {
			t.Errorf("%d columns: no\n%s in\n%s", width, want, out.String())
		}
	}
}
