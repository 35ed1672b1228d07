package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// One scenario without and with an option: both timelines, what differs marked, and what each came to in a line.
func TestCompareWithAnOption(t *testing.T) {
	t.Parallel()
	status, out, errs := run(t, "echoc", "compare", "linger-off", "--", "--linger", "0")
	if status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	for _, want := range []string{
		"linger-off: close() returns at once",
		"*read(9) = -1 ECONNRESET", // in the server's lane, with the mark
		"*setsockopt(",
		"what differs in the end",
		"server's calls that fail  none",
		"\nlinger-off: client TIME-WAIT; server CLOSED\n",
		"linger-off --linger 0: client CLOSED, aborted; server CLOSED, aborted (read()",
	} {
		if !strings.Contains(fixed(out), want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
	for line := range strings.Lines(out) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if strings.Contains(out, "*bind(") || strings.Contains(out, "*listen(") {
		t.Errorf("marked though both have it:\n%s", out)
	}
}

// fixed has every descriptor of read() the same.
func fixed(out string) string {
	for _, fd := range []string{"7", "8", "10", "11", "12", "13"} {
		out = strings.ReplaceAll(out, "read("+fd+")", "read(9)")
	}
	return out
}

// A run does not differ from another one of the same, but for what the kernel's timing makes of it.
func TestCompareTheSame(t *testing.T) {
	t.Parallel()
	for range 10 { // on a busy machine a state may be passed unseen that the other run was held up in
		_, out, _ := run(t, "echoc", "compare", "half-close", "half-close")
		if strings.Contains(out, "Nothing differs but times, ports and descriptors.") && !strings.Contains(out, "what differs") {
			return
		}
	}
	t.Error("ten times something differed")
}

// Two records are compared as two runs are, and a record with a run.
func TestCompareRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "b.jsonl")
	for file, args := range map[string][]string{a: {"linger-off"}, b: {"--linger", "0", "linger-off"}} {
		run(t, "echoc", append([]string{"--quiet", "--record", file}, args...)...)
	}
	for _, second := range []string{b, "linger-reset"} {
		status, out, errs := run(t, "echoc", "compare", a, second)
		if status != 0 || !strings.Contains(out, "what differs in the end") || !strings.Contains(out, "ECONNRESET") {
			t.Errorf("status %d: %s\n%s", status, errs, out)
		}
	}
	if err := os.WriteFile(b, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := run(t, "echoc", "compare", a, b); status == 0 || !strings.Contains(errs, b) || strings.Count(errs, "\n") != 1 {
		t.Errorf("status %d: %s", status, errs)
	}
	if status, _, errs := run(t, "echoc", "compare", a, filepath.Join(dir, "none.jsonl")); status == 0 || !strings.Contains(errs, "no such file") {
		t.Errorf("status %d: %s", status, errs)
	}
}

// What cannot be compared is refused in a line.
func TestCompareRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"compare"}, "compare what with what?"},
		{[]string{"compare", "half-close"}, "compare what with what?"},
		{[]string{"compare", "half-close", "close", "handshake"}, "compare what with what?"},
		{[]string{"compare", "half-close", "--"}, "compare what with what?"},
		{[]string{"compare", "half-close", "nothing"}, `unknown scenario "nothing"`},
		{[]string{"compare", "half-close", "--", "--lingr", "0"}, "--linger"},
		{[]string{"compare", "half-close", "--", "close"}, `"close" is none`},
		{[]string{"compare", "--json", "half-close", "close"}, "--json is not for echoc compare"},
		{[]string{"compare", "half-close", "--", "--json"}, "--json is not for echoc compare"},
		{[]string{"compare", "half-close", "--", "--wire"}, "--wire"},
		{[]string{"compare", "syn-loss", "close"}, "needs a wire"},
	} {
		status, _, errs := run(t, "echoc", c.args...)
		if status != 2 || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: status %d, %q; want 2 and %q", c.args, status, errs, c.want)
		}
	}
}
