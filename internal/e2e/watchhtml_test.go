package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A page of a watch has what was shown, whole after Ctrl-C, and nothing that runs: what a process is called is text.
// Of the record it is the same page.
func TestWatchPage(t *testing.T) {
	own(t)
	name := "<script>a()//"
	cmd := exec.Command(python(t), "-c", fmt.Sprintf(`
import ctypes, socket, sys
ctypes.CDLL(None).prctl(15, %q.encode(), 0, 0, 0)
l = socket.socket()
l.bind(("127.0.0.1", 0))
l.listen()
print(l.getsockname()[1], flush=True)
while True:
    s, _ = l.accept()
    s.close()`, name))
	port := spawn(t, cmd)
	dir := t.TempDir()
	file, record := filepath.Join(dir, "watch.html"), filepath.Join(dir, "watch.jsonl")
	shown := watchText(t, command(t, "echoc", "watch", "--trace", "--capture", "--every", "50ms", "--html", file, "--record", record, ":"+port), func() {
		connections(t, "127.0.0.1:"+port, 2, 1)
	}, func(shown string) bool {
		return strings.Count(shown, "LAST-ACK → CLOSED")+strings.Count(shown, "TIME-WAIT") >= 2
	})
	page := fileText(t, file)
	if strings.Contains(page, "<script") || !strings.Contains(page, "&lt;script&gt;a()//") || !strings.HasSuffix(strings.TrimSpace(page), "</html>") {
		t.Error(page)
	}
	if !strings.Contains(page, `content="default-src 'none'; style-src 'sha256-`) {
		t.Error("no policy")
	}
	flat := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&", "&#43;", "+").Replace(page)
	for _, what := range regexp.MustCompile(`\S+:\d+ ↔ \S+:\d+ \S+ → \S+`).FindAllString(shown, -1) {
		if !strings.Contains(flat, what) {
			t.Errorf("no %q", what)
		}
	}
	for _, what := range []string{"watched for", "transitions, none lost.", "segments, none lost.", "LISTEN", "SYN seq=0", "listening"} {
		if !strings.Contains(flat, what) {
			t.Errorf("no %q", what)
		}
	}
	again := filepath.Join(dir, "again.html")
	if status, _, errs := run(t, "echoc", "replay", "--html", again, record); status != 0 || errs != "" || fileText(t, again) != page {
		t.Errorf("status %d, %s: the record's page is another", status, errs)
	}
	if left, _ := os.ReadDir(dir); len(left) != 3 {
		t.Errorf("%v", left)
	}
}

func fileText(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A page is made of one look, too; and a file that is there is not written over.
func TestWatchPageOfOneLook(t *testing.T) {
	own(t)
	s := startScene(t, nil, "leak")
	eventually(t, "it lasts", func() bool {
		status, _, _ := run(t, "echoc", "watch", "--once", "-q", ":"+s.port)
		return status == 1
	})
	file := filepath.Join(t.TempDir(), "watch.html")
	for i, want := range []int{1, 1, 1} {
		args := []string{"watch", "--once", "--json", "--html", file, ":" + s.port}
		if i == 2 {
			args = append(args, "--overwrite")
		}
		status, _, errs := run(t, "echoc", args...)
		if status != want || (errs != "") != (i == 1) {
			t.Errorf("status %d, %q", status, errs)
		}
	}
	if page := fileText(t, file); !strings.Contains(page, "STUCK") || !strings.Contains(page, "not-closed") || !strings.Contains(page, "has not called close()") {
		t.Error(page)
	}
	w := startWatch(t, "--html", file+".killed", "all")
	w.cmd.Process.Signal(unix.SIGKILL)
	<-w.end
	if _, err := os.Stat(file + ".killed"); err == nil {
		t.Error("a page of a watch that was killed")
	}
}
