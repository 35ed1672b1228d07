package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// examples are the servers of docs/examples: how each is built, and run.
var examples = []struct{ file, build, run string }{
	{"echo.c", "cc -Wall -Wextra -Werror -o echo docs/examples/echo.c", "./echo"},
	{"echo.py", "", "python3 docs/examples/echo.py"},
	{"echo.go", "go build -o echo docs/examples/echo.go", "./echo"},
}

// Each serves echoc, which ends well; and each has the mistake that the walkthrough has its reader find: a client that
// ends without a word leaves it in CLOSE-WAIT.
func TestTheExamplesServe(t *testing.T) {
	t.Parallel()
	for _, e := range examples {
		t.Run(e.file, func(t *testing.T) {
			t.Parallel()
			server := startExample(t, e.build, e.run)
			addr := server.shows(listening)
			if addr == "" {
				t.Fatalf("it does not listen:\n%s", server.text())
			}
			client := inTerminal(t, clone(t), "printf 'one\\ntwo\\n' | echoc "+addr)
			if <-client.gone; client.status != 0 || !strings.Contains(client.text(), "8 bytes sent, 8 came back") {
				t.Fatalf("status %d\n%s", client.status, client.text())
			}
			silent := inTerminal(t, clone(t), "echoc "+addr+" </dev/null")
			if silent.shows(regexp.MustCompile(`server: .*(CLOSE-WAIT)`)) == "" {
				t.Errorf("a client without a word is served:\n%s", silent.text())
			}
			silent.cmd.Process.Signal(unix.SIGINT)
			<-silent.gone
			server.cmd.Process.Signal(unix.SIGTERM)
			<-server.gone
		})
	}
}

// The course's client half-closes, and gets all that it sent.
func TestTheCoursesClient(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	server := inTerminal(t, clone(t), "echod --listen 127.0.0.1:0")
	addr := server.shows(listening)
	_, port, _ := strings.Cut(addr, ":")
	text := strings.Replace(read(t, "docs/examples/halfclose.py"), "7007", port, 1)
	out, err := exec.Command(python, "-c", text).CombinedOutput()
	if err != nil || string(out) != "b'hello\\n'\n" {
		t.Errorf("%v: %q", err, out)
	}
	server.cmd.Process.Signal(unix.SIGINT)
	<-server.gone
}

// startExample builds it and starts it on a free port.
func startExample(t *testing.T, build, run string) *terminal {
	t.Helper()
	dir := clone(t)
	for _, command := range []string{build, run} {
		name, _, _ := strings.Cut(command, " ")
		if name == "" || name == "./echo" {
			continue
		}
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	if build != "" {
		cmd := exec.Command("sh", "-c", build)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", build, err, out)
		}
	}
	return inTerminal(t, dir, run+" 0")
}

// What a page shows of C and Python is, as a whole, an example.
func TestEveryProgramIsAnExample(t *testing.T) {
	for _, page := range pages(t) {
		for _, f := range fences(page, read(t, page)) {
			ending := map[string]string{"c": ".c", "python": ".py"}[f.language]
			if ending == "" {
				continue
			}
			files, _ := filepath.Glob(filepath.Join(root, "docs/examples", "*"+ending))
			if !slices.ContainsFunc(files, func(file string) bool {
				text, err := os.ReadFile(file)
				return err == nil && f.text == string(text)
			}) {
				t.Errorf("%s:%d: it is none of %v", page, f.line, files)
			}
		}
	}
}

// They are as long as the walkthrough says.
func TestTheExamplesAreShort(t *testing.T) {
	for _, e := range examples {
		text, err := os.ReadFile(filepath.Join(root, "docs/examples", e.file))
		if n := strings.Count(string(text), "\n"); err != nil || n > 42 {
			t.Errorf("%s has %d lines, %v", e.file, n, err)
		}
	}
}
