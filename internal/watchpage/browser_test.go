package watchpage

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The page in a real browser: its policy lets its style in, nothing is on the console, no request leaves it, what is
// hostile is text, axe-core finds nothing serious, and it is no wider than a phone, with 20,000 sockets, too.
// PAGE_SHOTS names a folder for what it looks like.
func TestInABrowser(t *testing.T) {
	chrome, err := exec.LookPath("chromium")
	if _, missing := os.Stat("../page/browser/node_modules"); err != nil || missing != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium, or internal/page/browser's modules are missing: npm ci there")
		}
		t.Skip("needs chromium, node, and npm ci in internal/page/browser")
	}
	t.Parallel()
	pages, shots := t.TempDir(), os.Getenv("PAGE_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	for name, page := range map[string]string{
		"watch": kept(t, "watch"), "hostile": kept(t, "hostile"), "many": written(t, manySockets(20_000)), "empty": written(t, New("", "")),
	} {
		if err := os.WriteFile(filepath.Join(pages, name+".html"), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("node", "../page/browser/watch.mjs", chrome, pages, shots).CombinedOutput()
	if t.Logf("%s", out); err != nil {
		t.Error(err)
	}
}
