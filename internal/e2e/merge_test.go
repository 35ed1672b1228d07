package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// merged is the timeline that two records become.
func merged(t *testing.T, a, b string) (all []event, note string) {
	t.Helper()
	status, out, errs := run(t, "echoc", "--json", "replay", a, b)
	if status != 0 || errs != "" {
		t.Fatalf("status %d: %s", status, errs)
	}
	all = events(t, out) // in the order of cause and effect
	if t.Failed() {
		t.Log(all[0].text("text"))
	}
	identified(t, all)
	return all, all[0].text("text")
}

// Each side's record tells what that side did and saw: together they have all of it, and nothing twice.
func TestTwoRecordsOfEveryScenario(t *testing.T) {
	t.Parallel()
	for _, name := range some(scenarios(t)) {
		t.Run(name, func(t *testing.T) {
			beside(t)
			mine, theirs, addr := recordsOf(t, name)
			all, note := merged(t, mine, theirs)
			if !strings.Contains(note, "same kernel: one clock") || !strings.Contains(note, "matched by") {
				t.Error(note)
			}
			failed(t, all)
			complete(t, all, mine, theirs, addr)
			if again, _ := merged(t, theirs, mine); fmt.Sprint(again) != fmt.Sprint(all) {
				t.Error("in the other order it is another timeline")
			}
			shifted := shiftedClock(t, theirs, 7*time.Second)
			all, note = merged(t, mine, shifted)
			if !strings.Contains(note, "two kernels") {
				t.Error(note)
			}
			complete(t, all, mine, shifted, addr)
		})
	}
}

// toldLate says whether a record has an event that a busy machine told too late for its place: no merge can mend that.
func toldLate(file string) bool {
	text, err := os.ReadFile(file)
	return err != nil || bytes.Contains(text, []byte(`"late_us":`))
}

// recordsOf plays a scenario twice in two processes, and has the server's record of both runs and the client's of the
// second. What a busy machine had no time for is played again: that the scenarios hold is what other tests are about.
func recordsOf(t *testing.T, name string) (mine, theirs, addr string) {
	t.Helper()
	said := ""
	for range 3 {
		dir := t.TempDir()
		mine, theirs = filepath.Join(dir, "client"), filepath.Join(dir, "server")
		s := start(t, "--json", "--runs", "2", "--record", theirs, name)
		first, _, errs := run(t, "echoc", "-q", name, s.addr)
		if first == 3 || strings.Contains(s.stderr(), "CAP_NET_ADMIN") {
			t.Skip(errs)
		}
		second, _, more := run(t, "echoc", "-q", "--record", mine, name, s.addr)
		server := s.wait(t)
		if first == 0 && second == 0 && server == 0 && !toldLate(mine) && !toldLate(theirs) {
			return mine, theirs, s.addr
		}
		said = fmt.Sprintf("status %d, %d and of the server %d: %s%s%s", first, second, server, errs, more, s.stderr())
	}
	t.Fatal(said)
	return "", "", ""
}

// complete holds a merged timeline to its two records: as many calls and checks of each side as the two have of that
// run.
func complete(t *testing.T, all []event, mine, theirs, addr string) {
	t.Helper()
	count := func(all []event, side, kind string) (n int) {
		for _, e := range all {
			if e.text("side") == side && e.text("kind") == kind {
				n++
			}
		}
		return n
	}
	_, text := recorded(t, mine)
	client, err := parsed(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, text = recorded(t, theirs); err != nil {
		t.Fatal(err)
	}
	server, err := parsed(text)
	if err != nil {
		t.Fatal(err)
	}
	for len(server) > 0 && server[0].text("kind") != "summary" { // its first run was another client's
		server = server[1:]
	}
	for _, kind := range []string{"call", "check"} {
		if got, want := count(all, "client", kind), count(client, "client", kind); got != want || got == 0 {
			t.Errorf("%d of the client's %ss, of %d", got, kind, want)
		}
		if got, want := count(all, "server", kind), count(server, "server", kind); got < want || kind == "check" && got != want {
			t.Errorf("%d of the server's %ss, of %d", got, kind, want)
		}
	}
	if got, want := count(all, "client", "state"), count(client, "client", "state"); got != want {
		t.Errorf("%d of the client's states, of %d", got, want)
	}
}

// shiftedClock is a record as another host has it, whose clock is ahead.
func shiftedClock(t *testing.T, file string, by time.Duration) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(b)) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339Nano, e.text("time"))
		if err != nil {
			t.Fatal(err)
		}
		line = strings.Replace(line, e.text("time"), at.Add(by).Format("2006-01-02T15:04:05.000000000Z07:00"), 1)
		if boot := e.text("boot"); boot != "" {
			line = strings.Replace(line, boot, "00000000-0000-0000-0000-000000000000", 1)
		}
		out.WriteString(line)
	}
	file = filepath.Join(t.TempDir(), "shifted")
	if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// The plain server has many clients: of its record that one's connection becomes one timeline with the client's.
func TestTwoRecordsOfThePlainCommands(t *testing.T) {
	beside(t)
	dir := t.TempDir()
	mine, theirs := filepath.Join(dir, "client"), filepath.Join(dir, "server")
	s := start(t, "--json", "--record", theirs)
	for i, args := range [][]string{{"-q", s.addr}, {"-q", "--record", mine, s.addr}, {"-q", s.addr}} {
		client := command(t, "echoc", args...)
		client.Stdin = strings.NewReader(fmt.Sprintf("client %d\n", i))
		if status, out, errs := finish(t, client); status != 0 || out != fmt.Sprintf("client %d\n", i) {
			t.Fatalf("status %d: %q, %s", status, out, errs)
		}
	}
	s.cmd.Process.Signal(unix.SIGTERM)
	if status := s.wait(t); status != 0 {
		t.Fatalf("status %d: %s", status, s.stderr())
	}
	status, out, errs := run(t, "echoc", "--json", "replay", mine, theirs)
	if status != 0 || errs != "" {
		t.Fatalf("status %d: %s", status, errs)
	}
	all := narrated(t, out)
	if broken := disorder(all); len(broken) > 0 {
		t.Errorf("not in the order of cause and effect:\n%s\n%s", strings.Join(broken, "\n"), out)
	}
	accepts := 0
	for _, e := range all {
		if e.text("call") == "accept4" && e.text("kind") == "call" {
			accepts++
		}
	}
	if accepts != 1 || strings.Contains(out, "client 0") || strings.Contains(out, "client 2") || strings.Count(out, `client 1\\n`) < 4 {
		t.Errorf("%d connections were accepted:\n%s", accepts, out)
	}
}

// Files that do not belong together are told apart in one line.
func TestRecordsThatDoNotBelongTogether(t *testing.T) {
	beside(t)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, pair := range []string{"a", "b"} {
		s := start(t, "--json", "--runs", "1", "--record", path("server "+pair), "close")
		if status, _, errs := run(t, "echoc", "-q", "--record", path("client "+pair), "close", s.addr); status != 0 || s.wait(t) != 0 {
			t.Fatal(errs)
		}
	}
	for _, name := range []string{"close", "half-close"} {
		if status, _, errs := run(t, "echoc", "-q", "--record", path("both "+name), name); status != 0 {
			t.Fatal(errs)
		}
	}
	s := start(t, "--json", "--runs", "1", "--record", path("other"), "half-close")
	if status, _, errs := run(t, "echoc", "-q", "half-close", s.addr); status != 0 || s.wait(t) != 0 {
		t.Fatal(errs)
	}
	for _, c := range [][3]string{
		{"client a", "server b", "do not belong together: no connection in one has the addresses of a connection in the other"},
		{"server a", "client b", "do not belong together"},
		{"client a", "client b", "are both the client's"},
		{"server a", "server b", "are both the server's"},
		{"client a", "other", "do not belong together: one is of close, the other of half-close"},
		{"both close", "server a", "it has both sides already"},
		{"client a", "both half-close", "it has both sides already"},
	} {
		status, out, errs := run(t, "echoc", "replay", path(c[0]), path(c[1]))
		if status != 1 || out != "" || !strings.Contains(errs, c[2]) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s and %s: status %d, %q, %q", c[0], c[1], status, out, errs)
		}
	}
}
