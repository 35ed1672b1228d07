package e2e

import (
	"bufio"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// full is a file that takes nothing.
func full(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// An answer that could not be written is not an answer.
func TestAnswersThatCannotBeWritten(t *testing.T) {
	for _, line := range []string{"echoc --list", "echoc --help", "echoc --version", "echoc --explain closing", "echoc --explain", "echoc --man", "echoc --completion fish", "echoc --list learn", "echod --list", "echod --help", "echod --version",
		"echod --man", "echod --completion zsh"} {
		words := strings.Fields(line)
		cmd := command(t, words[0], words[1:]...)
		var errs strings.Builder
		cmd.Stdout, cmd.Stderr = full(t), &errs
		status := statusOf(t, cmd.Run())
		if want := words[0] + ": write /dev/stdout: no space left on device\n"; status != 1 || errs.String() != want {
			t.Errorf("%s: status %d, %q", line, status, errs.String())
		}
	}
}

// lines sends a line to a server and wants it back, a few times over.
func lines(t *testing.T, addr string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	for range 3 {
		got := make([]byte, 6)
		if _, err := io.WriteString(c, "hello\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello\n" {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

// endsComplaining has a server end, which must say that its events were lost.
func endsComplaining(t *testing.T, s *server, says string) {
	t.Helper()
	s.cmd.Process.Signal(unix.SIGTERM)
	if status := s.wait(t); status != 1 || !strings.HasSuffix(s.stderr(), "\nechod: write /dev/stdout: "+says+"\n") {
		t.Errorf("status %d after SIGTERM: %s", status, s.stderr())
	}
}

// The events of a server are lost on a full disk; its clients are not.
func TestAServerWhoseEventsAreLost(t *testing.T) {
	cmd := command(t, "echod", "--listen", "127.0.0.1:0", "--json")
	s := startWith(t, cmd, full(t))
	lines(t, s.addr)
	endsComplaining(t, s, "no space left on device")
}

// Nor do they end with whoever has read enough of the events: echod --json | head -1.
func TestAServerWhoseEventsNobodyReads(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "echod", "--listen", "127.0.0.1:0", "--json")
	s := startWith(t, cmd, w)
	w.Close()
	if line, err := bufio.NewReader(r).ReadString('\n'); err != nil || !strings.HasPrefix(line, "{") {
		t.Fatalf("%q, %v", line, err)
	}
	r.Close()
	lines(t, s.addr)
	endsComplaining(t, s, "broken pipe")
}

// What the interactive client tells of its connection is lost; the data is not.
func TestAClientWhoseNarrationIsLost(t *testing.T) {
	s := start(t)
	for _, flags := range [][]string{nil, {"--json"}} {
		cmd := command(t, "echoc", append(flags, s.addr)...)
		var out strings.Builder
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("hello\n"), &out, full(t)
		if status := statusOf(t, cmd.Run()); status != 1 || out.String() != "hello\n" {
			t.Errorf("%v: status %d, %q came back", flags, status, out.String())
		}
	}
}

// Nor is a command that plays something, and whose timeline, questions or table nobody has got.
func TestCommandsWhoseOutputIsLost(t *testing.T) {
	t.Parallel()
	record := filepath.Join(t.TempDir(), "run.jsonl")
	if status, _, errs := run(t, "echoc", "--quiet", "--record", record, "close"); status != 0 {
		t.Fatal(errs)
	}
	for _, line := range []string{"close", "--json close", "--mermaid close", "learn handshake", "quiz --seed 1 close", "compare linger-off -- --linger 0",
		"replay " + record, "replay --json " + record, "replay --mermaid " + record, "tour"} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, "echoc", strings.Fields(line)...)
			var errs strings.Builder
			cmd.Stdout, cmd.Stderr = full(t), &errs
			status := statusOf(t, cmd.Run())
			if says := "write /dev/stdout: no space left on device\n"; status != 1 || !strings.HasSuffix(errs.String(), says) || strings.Count(errs.String(), says) != 1 {
				t.Errorf("status %d, %q", status, errs.String())
			}
		})
	}
}
