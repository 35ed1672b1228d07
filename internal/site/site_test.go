package site

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

var table = []*timeline.Coverage{
	{State: tcpinfo.Listen, Seen: true},
	{From: tcpinfo.Closed, To: tcpinfo.Listen, Seen: true, Scenario: "close", Source: "tcp_info", Causes: []timeline.Cause{{By: "listen()", Scenario: "close"}}},
	{From: tcpinfo.Listen, To: tcpinfo.SynSent, WhyNot: "not in Linux"},
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// The folder has a page for each run, and an index that leads to all of them and says what was not played; until it is
// done it is not there, and nothing else is left.
func TestASite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "tcp")
	s, err := New(name, "Linux 6.18")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Discard()
	events := []timeline.Event{{Seq: 1, Time: time.Now(), Side: timeline.Client, Body: &timeline.Begin{Scenario: "close"}}}
	hostile := `</a><script>alert(1)</script>`
	for _, r := range []Run{
		{Name: "close", Group: "Closing", Lesson: hostile, OK: true, Says: "6 checks, all met"},
		{Name: "abort", Group: "Failure", Lesson: "b", NotPlayed: true, Says: "takes root"},
		{Name: "close --wire", Group: "Closing", Lesson: "c", Says: "1 of 9 checks failed"},
	} {
		if err := s.Add(r, ladder.Head{Title: r.Name}, events); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("it is there before it is done")
	}
	if err := s.Done(table, "Linux, a tour", time.Date(2026, 11, 21, 21, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	if got := names(t, name); !slices.Equal(got, []string{"close-wire.html", "close.html", "index.html", "states.svg"}) {
		t.Errorf("%q", got)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("beside it there is %q", got)
	}
	b, _ := os.ReadFile(filepath.Join(name, "index.html"))
	index := string(b)
	for _, want := range []string{
		`<a href="close.html">close</a>`, `<a href="close-wire.html">close --wire</a>`, "<b>abort</b>", "not played here: takes root", "✗ 1 of 9 checks failed",
		`src="states.svg"`, "1 states and 1 of 2 transitions were seen.", "Linux 6.18, 2026-11-21 21:00 UTC", "&lt;script&gt;alert",
	} {
		if !strings.Contains(index, want) {
			t.Errorf("there is no %s in\n%s", want, index)
		}
	}
	if strings.Contains(index, "<script") || strings.Index(index, "close --wire") > strings.Index(index, "<h2>Failure") {
		t.Errorf("%s", index)
	}
	info, _ := os.Stat(name)
	if mode := info.Mode().Perm(); mode != 0o777&^umask() {
		t.Errorf("permissions %o", mode)
	}
}

// A folder takes no other's place: only one that is not there, or empty.
func TestASiteTakesNoPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, full, empty, link := filepath.Join(dir, "file"), filepath.Join(dir, "full"), filepath.Join(dir, "empty"), filepath.Join(dir, "link")
	for _, err := range []error{
		os.WriteFile(file, nil, 0o600), os.Mkdir(full, 0o700), os.WriteFile(filepath.Join(full, "mine"), nil, 0o600), os.Mkdir(empty, 0o700), os.Symlink(empty, link),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{file, full, link, filepath.Join(dir, "none", "site")} {
		if s, err := New(name, ""); err == nil {
			s.Discard()
			t.Errorf("%s was taken", name)
		}
	}
	s, err := New(empty, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Done(table, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	late, err := New(filepath.Join(dir, "late"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer late.Discard()
	if err := os.MkdirAll(filepath.Join(dir, "late", "meanwhile"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := late.Done(table, "", time.Now()); err == nil {
		t.Error("it took the place of what came meanwhile")
	}
	late.Discard()
	if got := names(t, dir); !slices.Equal(got, []string{"empty", "file", "full", "late", "link"}) {
		t.Errorf("%q", got)
	}
}
