package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pageOf is what a page was given: the title, the outcome, and the numbers of its events.
func pageOf(t *testing.T, file string) (title, outcome string, seqs []int64) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 500_000 {
		t.Errorf("%s has %d bytes", file, len(b))
	}
	_, data, _ := strings.Cut(string(b), `id="run">`)
	data, _, _ = strings.Cut(data, "</script>")
	var p struct {
		Title   string
		Outcome struct{ Says string }
		Steps   []struct {
			Event struct{ Seq int64 }
		}
	}
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps { // an arrow that was inferred has none, and where a call entered may be a row of its own
		if n := len(seqs); s.Event.Seq > 0 && (n == 0 || seqs[n-1] != s.Event.Seq) {
			seqs = append(seqs, s.Event.Seq)
		}
	}
	return p.Title, p.Outcome.Says, seqs
}

// The page has the events of the run, all of them, beside what is on standard output. It does not take the place of a
// file unasked, and then nothing is played.
func TestAPageOfTheRun(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "run.html")
	status, out, errs := run(t, "echoc", "--json", "--html", file, "half-close")
	if status != 0 || errs != "" {
		t.Fatalf("status %d: %s", status, errs)
	}
	title, outcome, seqs := pageOf(t, file)
	if title != "half-close" || !strings.HasSuffix(outcome, " checks met") {
		t.Errorf("%s: %s", title, outcome)
	}
	if all := events(t, out); len(seqs) != len(all)-1 || seqs[len(seqs)-1] != int64(len(all)) { // begin is the head's
		t.Errorf("the page has %d events, there were %d", len(seqs), len(all))
	}
	before, _ := os.ReadFile(file)
	status, out, errs = run(t, "echoc", "--json", "--html", file, "refused")
	if want := "echoc: --html " + file + ": there is such a file already: --overwrite replaces it\n"; status != 1 || out != "" || errs != want {
		t.Errorf("status %d, %q, %q", status, out, errs)
	}
	if after, _ := os.ReadFile(file); string(after) != string(before) {
		t.Errorf("the file is another one")
	}
	if status, _, errs = run(t, "echoc", "--quiet", "--html", file, "--overwrite", "refused"); status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	if title, _, _ := pageOf(t, file); title != "refused" {
		t.Errorf("the page is of %s", title)
	}
}

// A run that fails has its page too, which says so.
func TestAPageOfARunThatFails(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "run.html")
	status, _, errs := run(t, "echoc", "--quiet", "--html", file, "--linger", "0", "close")
	if status != 1 {
		t.Fatalf("status %d: %s", status, errs)
	}
	if _, outcome, _ := pageOf(t, file); !strings.HasSuffix(outcome, " not met") && !strings.HasPrefix(outcome, "failed: ") {
		t.Errorf("%s", outcome)
	}
}

// A server's page is of its last run, with the calls that made the listener; one that had no client leaves no file.
func TestAPageOfTheServersLastRun(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "run.html")
	s := start(t, "--html", file, "--runs", "2", "half-close")
	for range 2 {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("the file is there before the last run")
		}
		if status, _, errs := run(t, "echoc", "--quiet", "half-close", s.addr); status != 0 {
			t.Fatalf("status %d: %s", status, errs)
		}
	}
	if status := s.wait(t); status != 0 {
		t.Fatalf("status %d: %s", status, s.stderr())
	}
	_, outcome, seqs := pageOf(t, file)
	b, _ := os.ReadFile(file)
	if n := strings.Count(string(b), `"call":"listen"`); n != 1 || !strings.HasSuffix(outcome, " met") {
		t.Errorf("%d calls of listen, %s", n, outcome)
	}
	if n := strings.Count(string(b), `"kind":"summary"`); n != 1 || seqs[0] != 1 {
		t.Errorf("%d runs, from event %d", n, seqs[0])
	}
}

// Where there was no run there is no file.
func TestNoPageWithoutARun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, "--html", filepath.Join(dir, "run.html"), "half-close")
	s.cmd.Process.Signal(os.Interrupt)
	s.wait(t)
	if list, _ := os.ReadDir(dir); len(list) != 0 {
		t.Errorf("%v is there", list)
	}
}
