package docs

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"socklife/internal/scenario"
)

// ours finds a command of the project at the beginning of a command line, behind sudo and variables.
var ours = regexp.MustCompile(`^(?:(?:sudo|[A-Z_]+=\S*) +)*((?:\./)?echoc|(?:\./)?echod|go run \./cmd/echoc|go run \./cmd/echod)(?: +|$)(.*)$`)

// commandLines are those of the project's commands in a block for the shell.
func commandLines(text string) (lines []string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		for _, part := range split(line) {
			if part = strings.TrimSpace(part); ours.MatchString(part) {
				lines = append(lines, part)
			}
		}
	}
	return lines
}

// split cuts a line at pipes, semicolons and ampersands that are not quoted, and at a comment.
func split(line string) (parts []string) {
	quote, from := rune(0), 0
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case r == '#' && (i == 0 || line[i-1] == ' '):
			return append(parts, line[from:i])
		case strings.ContainsRune("|;&<>", r):
			parts, from = append(parts, line[from:i]), i+1
		}
	}
	return append(parts, line[from:])
}

// Each command line is parsed by the command itself, with --help at its end: flags, rules, times and numbers must be
// right.
func TestEveryCommandLineParses(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, page := range pages(t) {
		text := read(t, page)
		for _, f := range fences(page, text) {
			if f.language != "sh" {
				continue
			}
			for _, line := range commandLines(f.text) {
				if why := wrongCommand(t, line, seen); why != "" {
					t.Errorf("%s:%d: %s: %s", page, f.line, line, why)
				}
			}
		}
		for _, code := range inlineCode.FindAllString(prose(text), -1) {
			code = strings.Trim(code, "`")
			if ours.MatchString(code) && !strings.Contains(code, "…") {
				if why := wrongCommand(t, code, seen); why != "" {
					t.Errorf("%s: %s: %s", page, code, why)
				}
			}
		}
	}
}

func wrongCommand(t *testing.T, line string, seen map[string]bool) string {
	t.Helper()
	if seen[line] {
		return ""
	}
	seen[line] = true
	m := ours.FindStringSubmatch(line)
	program := m[1][strings.LastIndexAny(m[1], " /")+1:]
	out, err := exec.Command("sh", "-c", filepath.Join(bin, program)+" "+strings.Replace(m[2], " -- ", " ", 1)+" --help").CombinedOutput()
	if err != nil {
		return strings.TrimSpace(string(out))
	}
	for _, word := range regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`).FindAllString(m[2], -1) {
		if looksLikeScenario(word) && scenario.Find(word) == nil && !slices.Contains(modes, word) && !isValue(m[2], word) {
			return word + " is not a scenario"
		}
	}
	return ""
}

// modes are the words that stand where a scenario would, and are none.
var modes = []string{"tour", "learn", "quiz", "compare", "replay", "diagram", "watch", "all"}

var scenarioName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

func looksLikeScenario(word string) bool { return scenarioName.MatchString(word) }

// isValue tells the word after a flag that takes one. Of these, only colours look like a scenario's name.
func isValue(args, word string) bool {
	return regexp.MustCompile(`--(color|explain|pcap)[ =]` + regexp.QuoteMeta(word) + `\b`).MatchString(args)
}

func TestCommandLinesAreFound(t *testing.T) {
	got := commandLines("sudo echoc --wire --drop \"client fin 1\" close   # why\n$ ls\nNO_COLOR=1 echoc a | jq '.x|y' ; echod b &\ngo run ./cmd/echoc half-close\n")
	want := []string{`sudo echoc --wire --drop "client fin 1" close`, "NO_COLOR=1 echoc a", "echod b", "go run ./cmd/echoc half-close"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for line, good := range map[string]bool{
		"echoc half-close": true, "echoc --hold 5s half-close 127.0.0.1:7007": true, `echoc --wire --drop "client fin 1" close`: true,
		"echoc half-clos": false, "echoc --hould 5s half-close": false, "echoc --hold 5 half-close": false, `echoc --wire --drop "client fish" close`: false,
		"echoc --color never tour": true,
	} {
		if why := wrongCommand(t, line, map[string]bool{}); (why == "") != good {
			t.Errorf("%s: %q", line, why)
		}
	}
}
