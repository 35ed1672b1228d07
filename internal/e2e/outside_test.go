package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The plain server and client show what the kernel says of their connection, and its segments, as a scenario does: each
// transition once, and the same segments in both terminals.
func TestTracedAndCapturedWithoutAScenario(t *testing.T) {
	if unix.Getuid() != 0 {
		t.Skip("needs root, for the tracepoint and the packet socket")
	}
	flags := []string{"--json", "--trace", "--capture", "--absolute-seq"}
	s := start(t, flags...)
	client := command(t, "echoc", append(flags, s.addr)...)
	client.Stdin = strings.NewReader("hello\n")
	status, out, errs := finish(t, client)
	if status == 3 {
		t.Skip(errs)
	}
	s.cmd.Process.Signal(unix.SIGTERM)
	if ended := s.wait(t); status != 0 || out != "hello\n" || ended != 0 {
		t.Fatalf("status %d and %d, back came %q: %s%s", status, ended, out, errs, s.stderr())
	}
	own := map[string][]string{
		"client": {"CLOSED to SYN-SENT", "SYN-SENT to ESTABLISHED", "ESTABLISHED to FIN-WAIT-1", "FIN-WAIT-1 to FIN-WAIT-2"},
		"server": {"CLOSED to LISTEN", "LISTEN to SYN-RECEIVED", "SYN-RECEIVED to ESTABLISHED", "ESTABLISHED to CLOSE-WAIT",
			"CLOSE-WAIT to LAST-ACK", "LAST-ACK to CLOSED", "LISTEN to CLOSED"},
	}
	segments := map[string][]string{}
	for side, text := range map[string]string{"client": errs, "server": s.out.String()} {
		var traced, sampled []string
		for _, e := range narrated(t, text) {
			switch {
			case e.text("kind") == "segment":
				segments[side] = append(segments[side], fmt.Sprint(e["src"], e["flags"], e.number("seg_seq"), e["len"]))
			case e.text("kind") != "state" || e.text("side") != side || e.text("from") == "" || e.text("from") == e.text("to"):
			case e.text("source") == "tracepoint":
				traced = append(traced, e.text("from")+" to "+e.text("to"))
			default:
				sampled = append(sampled, e.text("from")+" to "+e.text("to"))
			}
		}
		if !slices.Equal(traced, own[side]) {
			t.Errorf("the %s's terminal has the transitions\n%q, want\n%q", side, traced, own[side])
		}
		for _, again := range sampled {
			if slices.Contains(traced, again) {
				t.Errorf("the %s's terminal shows twice: %s", side, again)
			}
		}
	}
	if len(segments["client"]) < 7 || !slices.Equal(segments["client"], segments["server"]) {
		t.Errorf("the client's terminal shows the segments\n%s\nthe server's\n%s", segments["client"], segments["server"])
	}
}
