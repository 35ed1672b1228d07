package page

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// The page in a real browser: keys, slider, play and buttons work, nothing is on the console, no request leaves it,
// axe-core finds nothing serious, what is hostile is text, it prints on one sheet, and 100,000 events open and scroll.
// PAGE_SHOTS names a folder for what it looks like.
func TestInABrowser(t *testing.T) {
	chrome := first("chromium", "chromium-browser", "google-chrome")
	node := first("node")
	if _, err := os.Stat("browser/node_modules"); err != nil || node == "" || chrome == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium, node, or internal/page/browser's modules are missing: npm ci there")
		}
		t.Skip("needs chromium, node, and npm ci in internal/page/browser")
	}
	pages, shots := t.TempDir(), os.Getenv("PAGE_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	list := map[string]*ladder.Ladder{"hostile": hostileRun(), "long": long(100_000)}
	for _, name := range recorded {
		list[name] = read(t, name)
	}
	for name, l := range list {
		if err := os.WriteFile(filepath.Join(pages, name+".html"), []byte(written(t, l)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(node, "browser/drive.mjs", chrome, pages, shots).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("%v", err)
	}
}

// first is where the first of these programs is that there is.
func first(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// long is a run of so many events, each a row of its own.
func long(n int) *ladder.Ladder {
	var events []timeline.Event
	queue := func(i int) *uint32 { q := uint32(i); return &q }
	for i := range n {
		e := timeline.Event{Seq: int64(i + 1), At: time.Duration(i) * time.Millisecond, Side: timeline.Client}
		switch i % 4 {
		case 0:
			e.Body = &timeline.Call{Call: "write", Args: []string{"7", fmt.Sprintf("%q", "hello"), "5"}, FD: 7, Ret: 5, ID: int64(i), Socket: 1}
		case 1:
			e.Side, e.Body = timeline.Wire, &timeline.Segment{From: timeline.Client, Flags: []string{"ACK", "PSH"}, Seq: uint32(i), Len: 5, Win: 64240, Fate: "delivered"}
		case 2:
			e.Side, e.Body = timeline.Server, &timeline.State{From: tcpinfo.Established, To: tcpinfo.Established, Source: "sock_diag", RecvQ: queue(i), Socket: 2}
		case 3:
			e.Side, e.Body = timeline.Server, &timeline.Call{Call: "read", Args: []string{"9", fmt.Sprintf("%q", "hello"), "64"}, FD: 9, Ret: 5, ID: int64(i), Socket: 2}
		}
		events = append(events, e)
	}
	return ladder.Of(ladder.Head{Title: "long"}, events)
}
