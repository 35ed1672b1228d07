package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// completions are command lines, up to a TAB, and the arguments that are then there.
var completions = []struct{ typed, arguments string }{
	{"echoc half-c", "[half-close]"},
	{"echoc tou", "[tour]"},
	{"echoc --pace 1s --json server-c", "[--pace][1s][--json][server-close]"},
	{"echoc --pace=1s server-c", "[--pace=1s][server-close]"},
	{"echoc --absol", "[--absolute-seq]"},
	{"echoc --color ne", "[--color][never]"},
	{"echoc --color=al", "[--color=always]"},
	{"echoc --explain CLOSE-W", "[--explain][CLOSE-WAIT]"},
	{"echoc --explain closi", "[--explain][CLOSING]"},
	{"echoc --explain TCPAbortOnCl", "[--explain][TCPAbortOnClose]"},
	{"echoc --completion fi", "[--completion][fish]"},
	{"echoc --wire --pcap cap", "[--wire][--pcap][captured.pcapng]"},
	{"echoc close 12", "[close][12]"}, // an address
	{"echoc --record cap", "[--record][captured.pcapng]"},
	{"echoc replay cap", "[replay][captured.pcapng]"},
	{"echod --runs 2 server-c", "[--runs][2][server-close]"},
	{"echod --max-c", "[--max-conns]"},
	{"echod --wir", "[--wir]"}, // which it does not have
	{"echod tou", "[tou]"},
}

// slowly is for a test of seconds.
func slowly(t *testing.T) {
	t.Helper()
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds")
	}
}

// shell is one by name, or the test is skipped; and a folder with a file and the scripts for that shell.
func shell(t *testing.T, name string) (path, dir string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s: install the package %[1]s", name)
	}
	dir = t.TempDir()
	write := func(file, text string) {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("captured.pcapng", "")
	for _, program := range []string{"echoc", "echod"} {
		status, script, errs := run(t, program, "--completion", name)
		if status != 0 || errs != "" {
			t.Fatalf("%s --completion %s: status %d: %s", program, name, status, errs)
		}
		write("_"+program, script)
	}
	return path, dir
}

// show has a shell print the arguments that its user completed, instead of running the command.
const show = `show() { printf "<"; printf "[%s]" "$@"; echo ">"; }; echoc() { show "$@"; }; echod() { show "$@"; }`

// typeAll types all of them into a shell that has been set up with these commands, and looks at what it is given.
func typeAll(t *testing.T, path string, setup []string, args ...string) {
	t.Helper()
	term := inTerminal(t, 200, path, args...)
	for _, line := range append(setup, show, `printf "<%s>\n" ready`) {
		term.press(line + "\n")
	}
	term.await(1, "<ready>")
	for i, c := range completions {
		before := strings.Count(term.shown(), "<[")
		term.press(c.typed + "\t\n")
		eventually(t, c.typed+" in\n"+term.shown(), func() bool {
			return strings.Count(term.shown(), "<[") > before && strings.HasSuffix(afterLast(term.shown()), ">")
		})
		if got := afterLast(term.shown()); got != "<"+c.arguments+">" {
			t.Errorf("%d: %q and TAB give %s, not <%s>", i, c.typed, got, c.arguments)
		}
	}
	term.press("exit\n")
}

// afterLast is the last that was shown.
func afterLast(shown string) string {
	_, last, _ := strings.Cut(shown[max(strings.LastIndex(shown, "<["), 0):], "<[")
	last, _, ended := strings.Cut(last, "]>")
	if !ended {
		return "<[" + last
	}
	return "<[" + last + "]>"
}

func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	path, dir := shell(t, "bash")
	typeAll(t, path, []string{"cd " + dir, "source _echoc; source _echod", "bind 'set enable-bracketed-paste off'"}, "--norc", "--noprofile", "-i")
}

// The package bash-completion finds the script by its name when the command is first completed.
func TestCompletionInBashByItsPackage(t *testing.T) {
	t.Parallel()
	const by = "/usr/share/bash-completion/bash_completion"
	if _, err := os.Stat(by); err != nil {
		t.Skip("needs the package bash-completion")
	}
	path, dir := shell(t, "bash")
	typeAll(t, path, []string{
		"cd " + dir, "mkdir -p bash-completion/completions", "cp _echoc bash-completion/completions/echoc", "cp _echod bash-completion/completions/echod",
		"export XDG_DATA_HOME=" + dir, "source " + by, "bind 'set enable-bracketed-paste off'",
	}, "--norc", "--noprofile", "-i")
}

func TestCompletionInZsh(t *testing.T) {
	slowly(t)
	path, dir := shell(t, "zsh")
	t.Run("fpath", func(t *testing.T) {
		typeAll(t, path, []string{"cd " + dir, "fpath=(" + dir + " $fpath); autoload -U compinit; compinit -u -D", "unset zle_bracketed_paste; PS1='$ '"}, "-f", "-i")
	})
	t.Run("source", func(t *testing.T) {
		typeAll(t, path, []string{"cd " + dir, "autoload -U compinit; compinit -u -D", "source ./_echoc; source ./_echod", "unset zle_bracketed_paste; PS1='$ '"}, "-f", "-i")
	})
}

// fish says itself what it would complete.
func TestCompletionInFish(t *testing.T) {
	slowly(t)
	path, dir := shell(t, "fish")
	for _, c := range completions {
		cmd := exec.Command(path, "--no-config", "-c", "source _echoc; source _echod; complete -C $argv[1]", c.typed)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", c.typed, err)
		}
		want := strings.TrimSuffix(c.arguments[strings.LastIndex(c.arguments, "[")+1:], "]")
		word := c.typed[strings.LastIndex(c.typed, " ")+1:]
		var offered []string
		for line := range strings.Lines(string(out)) {
			if o := strings.Split(strings.TrimSpace(line), "\t")[0]; strings.HasPrefix(strings.ToLower(o), strings.ToLower(word)) {
				offered = append(offered, o) // not one that has it in its middle
			}
		}
		if want == word && len(offered) > 0 || want != word && (len(offered) != 1 || offered[0] != want) {
			t.Errorf("%q: offers %q, not %s", c.typed, offered, want)
		}
	}
}
