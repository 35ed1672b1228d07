package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"socklife/internal/course"
	"socklife/internal/scenario"
)

const coursePage = "docs/course.md"

// codeTag is code in a question, which is HTML.
var codeTag = regexp.MustCompile(`<code>(.*?)</code>`)

// lessons are the sections of the course that last an hour, by their headings.
func lessons(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, section := range strings.Split(read(t, coursePage), "\n## ")[1:] {
		if heading, text, _ := strings.Cut(section, "\n"); strings.HasPrefix(heading, "Lesson ") {
			found[heading] = text
		}
	}
	return found
}

// Each lesson has a goal, a plan of 60 minutes with commands, questions with answers, and homework with its solution.
func TestEveryLessonIsAnHour(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile(`(?m)^\| (\d+) \| ([TS]) \| (.*?) \| .*\|$`)
	question := regexp.MustCompile(`(?s)<details><summary>(.*?)</summary>\n\n(.*?)\n</details>`)
	all := lessons(t)
	if len(all) != 6 {
		t.Fatalf("%d lessons", len(all))
	}
	for heading, text := range all {
		minutes, played := 0, 0
		for _, m := range row.FindAllStringSubmatch(text, -1) {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			minutes += n
			if strings.Contains(m[3], "`echoc ") {
				played++
			}
		}
		if minutes != 60 || played < 3 {
			t.Errorf("%s: %d minutes, %d runs", heading, minutes, played)
		}
		asked := question.FindAllStringSubmatch(text, -1)
		for _, m := range asked {
			if strings.TrimSpace(m[1]) == "" || len(strings.TrimSpace(m[2])) < 20 || strings.Contains(m[2], "<details>") {
				t.Errorf("%s: %s: %q is no answer", heading, m[1], m[2])
			}
			if strings.Contains(m[1], "`") {
				t.Errorf("%s: %s: this is HTML, and Markdown means nothing in it: want <code>", heading, m[1])
			}
			for _, code := range codeTag.FindAllStringSubmatch(m[1], -1) {
				if ours.MatchString(code[1]) {
					if why := wrongCommand(t, code[1], map[string]bool{}); why != "" {
						t.Errorf("%s: %s: %s", heading, code[1], why)
					}
				}
			}
		}
		if n := strings.Count(text, "<details>"); n != len(asked) || n < 4 {
			t.Errorf("%s: %d questions, %d of them answered", heading, n, len(asked))
		}
		for _, want := range []string{"**Goal.**", "**Homework.**", "<summary>Solution</summary>"} {
			if strings.Count(text, want) != 1 {
				t.Errorf("%s: %d times %s", heading, strings.Count(text, want), want)
			}
		}
	}
}

// played are the scenarios that a text tells to play, and the whole commands. A pattern such as `echoc NAME` is none.
func playedIn(text string) (names, commands []string) {
	for _, code := range inlineCode.FindAllString(text, -1) {
		command := strings.Trim(code, "`")
		if !ours.MatchString(command) {
			continue
		}
		commands = append(commands, command)
		for _, word := range strings.Fields(command) {
			if scenario.Find(word) != nil {
				names = append(names, word)
			}
		}
	}
	return names, commands
}

// What is said of each lesson in the table at the top is so: its scenarios are played in it, and where it needs nothing
// there is no command that needs something.
func TestTheCourseSaysWhatALessonNeeds(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile(`(?m)^\| \[(\d)\]\(#.*?\) \| .*? \| (.*?) \| (.*?) \|$`)
	all := lessons(t)
	rows := row.FindAllStringSubmatch(read(t, coursePage), -1)
	if len(rows) != len(all) {
		t.Fatalf("%d rows, %d lessons", len(rows), len(all))
	}
	for _, m := range rows {
		for heading, text := range all {
			if !strings.HasPrefix(heading, "Lesson "+m[1]+":") {
				continue
			}
			plan, _, _ := strings.Cut(text, "<details>")
			names, commands := playedIn(plan)
			for _, l := range link.FindAllStringSubmatch(m[2], -1) {
				name := strings.TrimSuffix(filepath.Base(l[1]), ".md")
				if !slices.Contains(names, name) {
					t.Errorf("%s: the plan has no %s", heading, name)
				}
			}
			wire, root := false, false
			for _, command := range commands {
				wire = wire || strings.Contains(command, "--wire")
				root = root || strings.Contains(command, "--trace") || strings.Contains(command, "--capture")
			}
			if needs := m[3]; strings.Contains(needs, "root") != root || !root && strings.Contains(needs, "--wire") != wire {
				t.Errorf("%s: it needs %s: wire %v, root %v", heading, needs, wire, root)
			}
		}
	}
}

// A scenario that needs a wire has one, and the course leaves out nothing that everybody should have seen.
func TestTheCourseHasTheCore(t *testing.T) {
	t.Parallel()
	text := read(t, coursePage)
	for _, code := range inlineCode.FindAllString(prose(text), -1) {
		if strings.Contains(code, "\n") {
			t.Errorf("%q: a command that goes on in the next line is not looked at", code)
		}
	}
	names, commands := playedIn(prose(text))

	for _, name := range course.Lessons {
		if !slices.Contains(names, name) {
			t.Errorf("the course does not play %s", name)
		}
	}
	for _, command := range commands {
		played, _ := playedIn("`" + command + "`")
		for _, name := range played {
			explained := strings.Contains(command, "--explain") || strings.Contains(command, "quiz")
			if scenario.Find(name).OnlyWire && !strings.Contains(command, "--wire") && !explained {
				t.Errorf("%s needs --wire", command)
			}
		}
	}
}

// The teacher's way of grading is tried: the students' records are made, and the commands for them print what the page
// says.
func TestTheGradingWorks(t *testing.T) {
	t.Parallel()
	for _, needed := range []string{"jq", "sh"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skipf("needs %s: install it", needed)
		}
	}
	path, err := filepath.Abs(bin)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	steps := regexp.MustCompile("(?s)<!-- grading: ([a-z ]+) -->\n```sh\n(.*?)```\n(?:\n```text\n(.*?)```\n)?").FindAllStringSubmatch(read(t, coursePage), -1)
	if len(steps) < 3 {
		t.Fatalf("%d steps", len(steps))
	}
	for i, m := range steps {
		cmd := exec.Command("sh", "-c", m[2])
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+path+":"+os.Getenv("PATH"))
		out, err := cmd.Output()
		switch {
		case i == 0: // one of the runs is to fail
		case err != nil:
			t.Errorf("%s: %v\n%s", m[1], err, out)
		case string(out) != m[3]:
			t.Errorf("%s: the page says\n%sand it is\n%s", m[1], m[3], out)
		}
	}
}
