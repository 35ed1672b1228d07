package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Of two records one may be cut after its first line: that is said, and nothing crashes.
func TestReplayOfARecordWithoutEvents(t *testing.T) {
	beside(t)
	dir := t.TempDir()
	client, server := filepath.Join(dir, "client.jsonl"), filepath.Join(dir, "server.jsonl")
	s := start(t, "--record", server, "--runs", "1", "close")
	if status, _, errs := run(t, "echoc", "--quiet", "--record", client, "close", s.addr); status != 0 {
		t.Fatalf("status %d, %q", status, errs)
	}
	if status := s.wait(t); status != 0 {
		t.Fatalf("the server: status %d", status)
	}
	head := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		cut := filepath.Join(dir, "head-"+filepath.Base(name))
		if err := os.WriteFile(cut, []byte(first+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return cut
	}
	for _, args := range [][]string{{client, head(server)}, {head(client), server}, {head(client), head(server)}} {
		status, _, errs := run(t, "echoc", append([]string{"replay", "--quiet"}, args...)...)
		if status != 1 || strings.Count(errs, "\n") != 1 || strings.Contains(errs, "panic") {
			t.Errorf("%q: status %d, %.300q", args, status, errs)
		}
	}
}
