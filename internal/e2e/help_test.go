package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// helpOf is a command's help on a page so wide.
func helpOf(t *testing.T, name string, columns int) string {
	t.Helper()
	cmd := command(t, name, "--help")
	cmd.Env = append(cmd.Env, fmt.Sprintf("COLUMNS=%d", columns))
	status, out, errs := finish(t, cmd)
	if status != 0 || errs != "" {
		t.Fatalf("status %d: %s", status, errs)
	}
	return out
}

// titles are the lines above groups.
func titles(out string) (list []string) {
	for _, m := range regexp.MustCompile(`(?m)^(\w.*):$`).FindAllStringSubmatch(out, -1) {
		list = append(list, m[1])
	}
	return list
}

func TestHelpIsInGroups(t *testing.T) {
	t.Parallel()
	const sockets = "Socket options (set with setsockopt(2) before bind, listen or connect)"
	for name, want := range map[string][]string{
		"echoc": {"Modes", "Output", "Pace", "Watch", "Wire", "Addresses", sockets, "How it is written", "Examples", "Exit status"},
		"echod": {"Modes", "Output", "Pace", "Serving", "Addresses", sockets, "How it is written", "Examples", "Exit status"},
	} {
		if got := titles(helpOf(t, name, 80)); !slices.Equal(got, want) {
			t.Errorf("%s has the groups %q, not %q (a flag below Other has none: declare it in flags.In(cli.GroupOutput) or another)", name, got, want)
		}
	}
	for _, word := range []string{"--wire", "RULE"} {
		if strings.Contains(helpOf(t, "echod", 80), word) {
			t.Errorf("echod's help speaks of %s, which it does not have", word)
		}
	}
}

var aFlag = regexp.MustCompile(`(?m)^  (?:-\w, |    )--([\w-]+)( [^ ]+)?(?:  .*)?\n((?: {7,}.*\n)*)`)

// A flag is two lines at most, and the word for its value says what it is: in capitals, where all commands have them.
func TestFlagsInTheHelp(t *testing.T) {
	t.Parallel()
	placeholder := regexp.MustCompile(`^([A-Z]+(-[A-Z]+)?)?$`)
	for _, name := range []string{"echoc", "echod"} {
		flags := aFlag.FindAllStringSubmatch(helpOf(t, name, 80), -1)
		if len(flags) < 30 {
			t.Fatalf("%s: only %d flags found", name, len(flags))
		}
		for _, m := range flags {
			if more := strings.Count(m[3], "\n"); more > 1 {
				t.Errorf("%s --%s takes %d lines", name, m[1], more+1)
			}
			if !placeholder.MatchString(strings.TrimSpace(m[2])) {
				t.Errorf("%s --%s%s: want the word for its value in capitals", name, m[1], m[2])
			}
		}
	}
}

// The help is as wide as its page, down to 40 columns.
func TestHelpIsWrapped(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"echoc", "echod"} {
		for _, columns := range []int{40, 50, 80, 100} {
			for line := range strings.Lines(helpOf(t, name, columns)) {
				if len(line) > columns+1 {
					t.Errorf("%s at %d columns: %s", name, columns, line)
				}
			}
		}
	}
	term := inTerminal(t, 50, "echoc", "--help")
	term.end()
	for line := range strings.Lines(term.shown()) {
		if len(strings.TrimRight(line, "\r\n")) > 50 {
			t.Errorf("on a terminal of 50 columns: %s", line)
		}
	}
}

// What one command says the other one has is what that one has.
func TestFlagsOfTheOtherCommand(t *testing.T) {
	t.Parallel()
	has := map[string][]string{}
	for _, name := range []string{"echoc", "echod"} {
		for _, m := range aFlag.FindAllStringSubmatch(helpOf(t, name, 80), -1) {
			has[name] = append(has[name], m[1])
		}
	}
	for name, other := range map[string]string{"echoc": "echod", "echod": "echoc"} {
		for _, flag := range has[other] {
			if slices.Contains(has[name], flag) {
				continue
			}
			if status, _, errs := run(t, name, "--"+flag); status != 2 || errs != fmt.Sprintf("%s: --%s is a flag of %s\n", name, flag, other) {
				t.Errorf("%s --%s: status %d, %s", name, flag, status, errs)
			}
		}
	}
}
