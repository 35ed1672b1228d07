package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// learn is the course, remembered in a directory.
func learn(t *testing.T, state string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := command(t, "echoc", append([]string{"learn"}, args...)...)
	cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+state)
	return cmd
}

func remembered(t *testing.T, state string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(state, "socklife", "learn"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func TestLearnGoesOnWhereItWasLeft(t *testing.T) {
	beside(t)
	state := t.TempDir()
	term := inTerminalOf(t, 80, learn(t, state))
	term.await(1, "1 of 14: handshake")
	term.await(1, "Enter: 2 of 14, close")
	term.press("\n")
	term.await(1, "2 of 14: close")
	term.await(1, "Enter: 3 of 14, half-close")
	term.press("q\n")
	if status := term.end(); status != 0 || remembered(t, state) != "half-close" {
		t.Fatalf("status %d, %q is remembered\n%s", status, remembered(t, state), term.shown())
	}
	term = inTerminalOf(t, 80, learn(t, state))
	term.await(1, "3 of 14: half-close")
	term.await(1, "Enter: 4 of 14")
	term.press("\x03")
	if status := term.end(); status != 130 || remembered(t, state) != "server-close" {
		t.Errorf("status %d after Ctrl-C, %q is remembered\n%s", status, remembered(t, state), term.shown())
	}
	status, out, _ := finish(t, learn(t, state, "--list"))
	if status != 0 || !strings.Contains(out, "✓  3  half-close") || !strings.Contains(out, ">  4  server-close") {
		t.Errorf("status %d\n%s", status, out)
	}
}

func TestLearnCallByCall(t *testing.T) {
	beside(t)
	term := inTerminalOf(t, 80, learn(t, t.TempDir(), "close"))
	term.await(1, "Enter: 3 of 14")
	term.press("s\n")
	term.await(1, "Enter: server socket(")
	term.press("q\n")
	if status := term.end(); status != 130 {
		t.Errorf("status %d\n%s", status, term.shown())
	}
}

func TestLearnTheLast(t *testing.T) {
	beside(t)
	state := t.TempDir()
	term := inTerminalOf(t, 80, learn(t, state, "14"))
	term.await(1, "14 of 14: crash")
	term.await(1, "that was the last")
	term.press("\n")
	if status := term.end(); status != 0 || remembered(t, state) != "done" {
		t.Errorf("status %d, %q is remembered\n%s", status, remembered(t, state), term.shown())
	}
	term = inTerminalOf(t, 80, learn(t, state))
	term.await(1, "All 14 lessons are done")
	if status := term.end(); status != 0 {
		t.Errorf("status %d\n%s", status, term.shown())
	}
}

func TestLearnWithoutAMemory(t *testing.T) {
	beside(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, env := range [][]string{{"XDG_STATE_HOME=" + file}, {"XDG_STATE_HOME=", "HOME="}} {
		cmd := command(t, "echoc", "learn")
		cmd.Env = append(cmd.Env, env...)
		term := inTerminalOf(t, 80, cmd)
		term.await(1, "the next time the course begins at its first lesson")
		term.await(1, "Enter: 2 of 14")
		term.press("\n")
		term.await(1, "Enter: 3 of 14")
		term.press("q\n")
		if status, n := term.end(), strings.Count(term.shown(), "the next time"); status != 0 || n != 1 {
			t.Errorf("%q: status %d, said %d times\n%s", env, status, n, term.shown())
		}
	}
}

// TestLearnInAPipe: nobody is there to press Enter, so all of it is played, and nothing is remembered.
func TestLearnInAPipe(t *testing.T) {
	beside(t)
	if testing.Short() {
		t.Skip("plays the whole course")
	}
	state := t.TempDir()
	status, out, errs := finish(t, learn(t, state))
	if status != 0 || errs != "" || strings.Count(out, "all met") != 14 || strings.Contains(out, "Enter:") {
		t.Errorf("status %d, %q\n%s", status, errs, out)
	}
	if got := remembered(t, state); got != "" {
		t.Errorf("%q is remembered", got)
	}
}

func TestLearnRefuses(t *testing.T) {
	beside(t)
	for _, args := range [][]string{{"syn-queue"}, {"0"}, {"15"}, {"close", "close"}, {"--json"}} {
		status, out, errs := finish(t, learn(t, t.TempDir(), args...))
		if status != 2 || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: status %d, %q, %q", args, status, out, errs)
		}
	}
}
