package site

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
)

// The folder in a real browser: each link of the index leads to a page that opens and back again, pictures are drawn,
// nothing is on the console, no request leaves the folder, nothing is wider than a phone, and axe-core finds nothing
// serious; the measured diagram's page likewise. PAGE_SHOTS names a folder for what they look like.
func TestInABrowser(t *testing.T) {
	chrome, err := exec.LookPath("chromium")
	if _, missing := os.Stat("../page/browser/node_modules"); err != nil || missing != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium, or internal/page/browser's modules are missing: npm ci there")
		}
		t.Skip("needs chromium, node, and npm ci in internal/page/browser")
	}
	t.Parallel()
	dir, shots := filepath.Join(t.TempDir(), "tcp"), os.Getenv("PAGE_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	s, err := New(dir, "Linux 6.18")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Discard()
	for _, r := range []Run{
		{Name: "half-close", Group: "Closing", Lesson: "the client has finished sending and keeps receiving", OK: true, Says: "13 checks, all met"},
		{Name: "backlog", Group: "Opening", Lesson: `</a><script>alert(1)</script>`, Says: "1 of 9 checks failed"},
		{Name: "abort", Group: "Failure", Lesson: "an administrator ends a connection", NotPlayed: true, Says: "takes root"},
	} {
		var events []timeline.Event
		if !r.NotPlayed {
			events = recorded(t, r.Name)
		}
		if err := s.Add(r, ladder.Head{Title: r.Name, Lesson: r.Lesson}, events); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Done(table, "Linux 6.18, amd64, a tour", time.Now()); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Diagram(&b, "Linux 6.18, amd64, a tour", table); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "diagram.html"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("node", "../page/browser/site.mjs", chrome, dir, shots).CombinedOutput()
	if t.Logf("%s", out); err != nil {
		t.Error(err)
	}
}

// recorded is a run as --json wrote it.
func recorded(t *testing.T, name string) (events []timeline.Event) {
	t.Helper()
	lines, err := os.ReadFile(filepath.Join("..", "page", "testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(lines) {
		var e timeline.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}
