package e2e

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Every scenario honours --hold, and says how to look at what it holds.
func TestEveryScenarioHolds(t *testing.T) {
	t.Parallel()
	for _, wire := range []bool{false, true} {
		for _, name := range some(listed(t, wire)) {
			t.Run(name, func(t *testing.T) {
				beside(t)
				args := []string{"--json", "--hold", "200ms", name}
				if wire {
					args = append([]string{"--wire"}, args...)
				}
				status, out, errs := run(t, "echoc", args...)
				if status == 3 {
					t.Skip(errs)
				}
				if status != 0 || !strings.Contains(out, "held for 200ms") {
					t.Errorf("status %d, %q\n%s", status, errs, out)
				}
			})
		}
	}
}

// In two terminals the hint stands in both, and what counts down in neither where nobody looks on.
func TestTheHoldIsSaidInBothTerminals(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"half-close", "linger-reset"} { // the server holds, the client does
		t.Run(name, func(t *testing.T) {
			beside(t)
			s := start(t, "--json", "--runs", "1", name)
			status, out, errs := run(t, "echoc", "--json", "--hold", "2s", name, s.addr)
			if server := s.wait(t); status != 0 || server != 0 {
				t.Fatalf("status %d and %d: %q, %q", status, server, errs, s.stderr())
			}
			port := s.addr[strings.LastIndex(s.addr, ":"):]
			for side, text := range map[string]string{"client": out, "server": s.out.String()} {
				if strings.Count(text, "ss -tan 'sport = "+port+" or dport = "+port+"'") != 1 {
					t.Errorf("the %s's terminal has no hint:\n%s", side, text)
				}
				if strings.Contains(text, " left") && !strings.Contains(text, "timer") || strings.Contains(text, "\r") {
					t.Errorf("the %s counts:\n%s", side, text)
				}
			}
		})
	}
}

// On a terminal the seconds are counted, and Ctrl-C in the middle is an interruption and no failure.
func TestAHoldOnATerminalIsInterrupted(t *testing.T) {
	t.Parallel()
	term := inTerminal(t, 80, "echoc", "--hold", "1m", "half-close")
	eventually(t, "the countdown", func() bool { return strings.Contains(term.shown(), "s left") })
	term.press("\x03")
	if status := term.end(); status != 130 {
		t.Errorf("status %d", status)
	}
	if shown := term.shown(); !regexp.MustCompile(`half-close\S*: \S*interrupted`).MatchString(shown) || strings.Contains(shown, "FAILED") {
		t.Error(shown)
	}
}

// The summary of an interrupted run, and of an interrupted tour with the part of its table that there is.
func TestInterruptedSaysSo(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"tour", "half-close"} {
		t.Run(what, func(t *testing.T) {
			beside(t)
			cmd := command(t, "echoc", "--json", "--hold", "1m", what)
			if what == "tour" {
				cmd = command(t, "echoc", "--hold", "10s", what)
			}
			var out bytes.Buffer
			seen := &syncWriter{w: &out}
			cmd.Stdout = seen
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if what == "tour" {
				eventually(t, "the first scenario", func() bool { return seen.contains("checks met") })
			} else {
				eventually(t, "the hold", func() bool { return seen.contains("held for") })
			}
			cmd.Process.Signal(unix.SIGINT)
			if status := statusOf(t, cmd.Wait()); status != 130 {
				t.Errorf("status %d", status)
			}
			if text := out.String(); what == "tour" {
				if !strings.Contains(text, "tour: interrupted") || !strings.Contains(text, "ESTABLISHED") {
					t.Error(text)
				}
			} else if all := events(t, text); all[len(all)-1].text("why") != "interrupted" {
				t.Error(all[len(all)-1])
			}
		})
	}
}
