package kernels

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What a cell says is what is read out of it again.
func TestCells(t *testing.T) {
	for _, c := range []struct {
		cell cell
		text string
	}{
		{cell{"a": 0, "b": 0}, "2: ✓"},
		{cell{"a": 3, "b": 3}, "2: 3"},
		{cell{"a": 0, "b": 3, "c": 0, "d": 1, "e": 0, "f": 3}, "6: ✓ but for b, f: 3; d: 1"},
		{cell{"a": 3, "b": 0, "c": 3}, "3: 3 but for b: ✓"},
		{cell{"a": 0, "b": -1, "c": 0}, "3: ✓ but for b: not done"},
	} {
		if c.cell.String() != c.text {
			t.Errorf("%v is %q, want %q", c.cell, c.cell, c.text)
		}
		for name, status := range c.cell {
			if got := says(c.text, name); got != status {
				t.Errorf("%q says %d of %s, want %d", c.text, got, name, status)
			}
		}
	}
}

// The page has what was played, and a run that came out otherwise differs from it.
func TestThePageIsHeldTo(t *testing.T) {
	step := func(row, form, where, user string) Step { return Step{Row: row, Form: form, Where: where, User: user} }
	one := Run{Kernel: Kernel{Name: "6.1"}, Release: "6.1.0 x86_64",
		Steps:   []Step{prepared("load"), step("abort", oneProcess, "", "user"), step("close", oneProcess, "", "user"), step("crash", oneProcess, "", "user")},
		Answers: []Answer{{}, {Status: 3, Says: []string{"not permitted"}}, {}, {}}}
	other := Run{Kernel: Kernel{Name: places}, Release: one.Release,
		Steps:   []Step{step("abort", onWire, noTun, "root"), step("close", onWire, noTun, "root")},
		Answers: []Answer{{Status: 3, Says: []string{"no TUN"}}, {Status: 3, Says: []string{"no TUN"}}}}
	dir := t.TempDir()
	t.Chdir(dir)
	text := "# Kernels\n\n" + begin + "\n\n" + made([]Run{one, other}) + "\n" + end + "\n\nWhy.\n"
	if err := errors.Join(os.Mkdir("docs", 0o755), os.WriteFile(pageFile, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	page, err := readPage()
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Run{"6.1": one, places: other} {
		for i, s := range r.Steps {
			if want := page.want(name, s); want != r.Answers[i].Status {
				t.Errorf("%s: the page says %d of %s, it was %d:\n%s", name, want, s, r.Answers[i].Status, text)
			}
		}
	}
	for _, line := range []string{"- `not permitted` (6.1: one process, user)\n", "- `no TUN` (no tun module, root: --wire)\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("it does not have %q:\n%s", line, text)
		}
	}
}

// cpio, where there is one, reads the archive as the kernel would.
func TestTheArchiveIsOne(t *testing.T) {
	cpio, err := exec.LookPath("cpio")
	if err != nil {
		t.Skip("needs cpio")
	}
	a := archive{"init": []byte("first"), "a/b/c": []byte("more"), "a/b/odd": []byte{1, 2, 3, 4, 5}}
	var packed bytes.Buffer
	if err := a.writeTo(&packed); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&packed)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(cpio, "-id", "--quiet")
	cmd.Dir, cmd.Stdin = dir, z
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cpio: %v\n%s", err, out)
	}
	for name, want := range a {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q %v, want %q", name, got, err, want)
		}
	}
}

// In what a container engine makes by default, a scenario on the wire and the tracepoint cannot be had, and the rest
// can.
func TestInAContainer(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("makes namespaces: run it as root")
	}
	dir := t.TempDir()
	echoc := filepath.Join(dir, "echoc")
	if out, err := exec.Command("go", "build", "-o", echoc, "socklife/cmd/echoc").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"--quiet half-close", 0, ""},
		{"--quiet --capture half-close", 0, ""}, // Docker leaves CAP_NET_RAW
		{"--wire half-close", 3, "this process may not make user namespaces"},
		{"--trace half-close", 3, "lacks CAP_SYS_ADMIN"},
		{"abort", 3, "takes CAP_NET_ADMIN"},
	} {
		t.Run(c.args, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], append([]string{insideArg, echoc}, strings.Fields(c.args)...)...)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != c.status || strings.Count(errs.String(), "\n") > 1 || !strings.Contains(errs.String(), c.says) {
				t.Errorf("status %d, want %d; says %q, want one line with %q", got, c.status, errs.String(), c.says)
			}
		})
	}
}
