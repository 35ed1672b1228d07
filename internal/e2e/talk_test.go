package e2e

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var escapes = regexp.MustCompile(`\x1b\[[0-9;]*[mK]`)

// On a terminal the client says what to do, and marks what came back; no line is wider than the terminal.
func TestTheClientOnATerminal(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{50, 80} {
		s := start(t)
		term := inTerminal(t, uint16(columns), "echoc", "--color=never", s.addr)
		term.await(1, "(half-close)")
		term.await(1, "> ")
		term.press("hello\n")
		term.await(1, "< hello\r\n")
		term.press("half")
		term.press("\x04") // Ctrl-D in a line sends it
		term.await(1, "< half")
		term.press("\x04") // at the beginning of one it is the end
		if status := term.end(); status != 0 {
			t.Errorf("status %d", status)
		}
		shown := escapes.ReplaceAllString(strings.ReplaceAll(term.shown(), "\r\x1b[K", "\n"), "")
		for _, want := range []string{"connected: type a line; Ctrl-D", "> hello\r\n", "10 bytes sent, 10 came"} {
			if !strings.Contains(shown, want) {
				t.Errorf("no %q in\n%s", want, shown)
			}
		}
		for line := range strings.Lines(shown) {
			if n := len([]rune(strings.TrimRight(line, "\r\n"))); n > columns {
				t.Errorf("%d columns, not %d: %q", n, columns, line)
			}
		}
	}
}

// Standard output that is a file has what came back and nothing else, also where somebody types.
func TestTheClientsOutputIsAFile(t *testing.T) {
	t.Parallel()
	s := start(t)
	file := filepath.Join(t.TempDir(), "out")
	term := inTerminal(t, 80, "/bin/sh", "-c", `exec "$0" "$@" >`+file, filepath.Join(bin, "echoc"), "--color=never", s.addr)
	term.await(1, "(half-close)")
	term.press("hello\n")
	eventually(t, "what came back", func() bool { b, _ := os.ReadFile(file); return string(b) == "hello\n" })
	term.press("\x04")
	if status := term.end(); status != 0 || strings.Contains(term.shown(), "< hello") {
		t.Errorf("status %d\n%s", status, term.shown())
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "hello\n" {
		t.Errorf("%q, %v", b, err)
	}
}

// A server that ends first takes the prompt away.
func TestTheServerEndsWhileSomebodyTypes(t *testing.T) {
	t.Parallel()
	s := start(t, "--drain-timeout", "0s")
	term := inTerminal(t, 80, "echoc", "--color=never", s.addr)
	term.await(1, "(half-close)")
	s.cmd.Process.Signal(os.Interrupt)
	term.await(1, "still sent")
	term.press("more\n")
	if status := term.end(); status != 1 || !strings.Contains(term.shown(), "\nechoc: ") && !strings.Contains(term.shown(), "\x1b[Kechoc: ") {
		t.Errorf("status %d\n%q", status, term.shown())
	}
}

// What a server sends does nothing to the terminal, whatever is told beside it, and however its bytes are cut.
func TestTheServersBytesOnATerminal(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"--quiet"}, {"--json"}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		term := inTerminal(t, 80, "echoc", append(flags, "--color=never", l.Addr().String())...)
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "\x1b]0;title\a \xc2")
		term.await(1, `\x1b]0;title\x07`)
		io.WriteString(c, "\x9b31m \u202e \x9b31m end\n")
		term.await(1, `\x9b31m \u202e \x9b31m end`)
		for _, raw := range []string{"\x1b]", "\a", "\x9b", "\u202e"} {
			if strings.Contains(term.shown(), raw) {
				t.Errorf("%v: %q in %q", flags, raw, term.shown())
			}
		}
		c.Close()
		term.press("\x04")
		term.end()
	}
}
