package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// recorded is a record's first line, and its events.
func recorded(t *testing.T, file string) (about event, events string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first, events, _ := strings.Cut(string(b), "\n")
	if err := json.Unmarshal([]byte(first), &about); err != nil || about.text("kind") != "record" {
		t.Fatalf("%v: %s", err, first)
	}
	names, err := keys(first)
	if err == nil {
		err = inOrder(names, append(header[:len(header):len(header)], contract["record"]...))
	}
	if err != nil {
		t.Errorf("%v: %s", err, first)
	}
	return about, events
}

func newRecord(t *testing.T) string { return filepath.Join(t.TempDir(), "run.jsonl") }

// What a record shows is what the run showed, byte for byte, in every view.
func TestReplayIsWhatWasShown(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"half-close": {"half-close"}, "all": {"--all", "half-close"}, "wall": {"--clock", "wall", "--color", "always", "close"}, "json": {"--json", "backlog"},
		"resets": {"resets"}, "time-wait": {"time-wait"}, "urgent": {"urgent"}, "experiment": {"--linger", "0", "half-close"}, "ipv6": {"-6", "simultaneous-close"},
		"wire": {"--wire", "half-close"}, "wire, json": {"--wire", "--json", "close"}, "lossy": {"--wire", "--drop", "client fin 1", "close"},
	} {
		for _, columns := range []string{"80", "130", "50"} {
			if columns != "80" && (name == "json" || testing.Short()) {
				continue
			}
			t.Run(name+" "+columns, func(t *testing.T) {
				beside(t)
				var file, shown, replayed string
				for range 5 { // a busy machine's look at both ends may take longer than the view waits, which then shows a row as two
					file = newRecord(t)
					shown, replayed = liveAndReplayed(t, columns, file, args)
					if shown == replayed {
						break
					}
				}
				if replayed != shown {
					t.Errorf("shown:\n%s\nreplayed:\n%s", shown, replayed)
				}
				about, lines := recorded(t, file)
				if about["title"] != args[len(args)-1] || len(about["sides"].([]any)) != 2 {
					t.Errorf("%v", about)
				}
				if name == "json" && lines != shown {
					t.Error("the record's lines are not what --json printed")
				}
			})
		}
	}
}

// liveAndReplayed plays a run with these arguments, and its record.
func liveAndReplayed(t *testing.T, columns, file string, args []string) (shown, replayed string) {
	t.Helper()
	live := command(t, "echoc", append([]string{"--record", file}, args...)...)
	live.Env = append(live.Env, "COLUMNS="+columns)
	status, shown, errs := finish(t, live)
	if status == 3 {
		t.Skip(errs)
	}
	var how []string
	for i, a := range args {
		if a == "--all" || a == "--json" || a == "--clock" || a == "--color" {
			how = append(how, a)
		}
		if i > 0 && (args[i-1] == "--clock" || args[i-1] == "--color") {
			how = append(how, a)
		}
	}
	again := command(t, "echoc", append(how, "replay", file)...)
	again.Env = append(again.Env, "COLUMNS="+columns)
	status2, replayed, errs2 := finish(t, again)
	if status2 != status || (status == 0) != (errs2 == "") {
		t.Errorf("status %d, was %d: %s", status2, status, errs2)
	}
	return shown, replayed
}

// Both terminals of a run can be kept, and a server that serves many keeps all; so can the plain commands.
func TestReplayOfEachTerminal(t *testing.T) {
	t.Parallel()
	t.Run("scenario", func(t *testing.T) {
		beside(t)
		mine, theirs := newRecord(t), newRecord(t)
		s := start(t, "--json", "--runs", "2", "--record", theirs, "server-close")
		status, shown, errs := run(t, "echoc", "--json", "--record", mine, "server-close", s.addr)
		if status2, _, _ := run(t, "echoc", "-q", "server-close", s.addr); status != 0 || status2 != 0 || s.wait(t) != 0 {
			t.Fatalf("%d, %d: %s%s", status, status2, errs, s.stderr())
		}
		for file, want := range map[string]string{mine: shown, theirs: s.out.String()} {
			if status, out, errs := run(t, "echoc", "--json", "replay", file); status != 0 || out != want || errs != "" {
				t.Errorf("status %d: %s\nshown:\n%s\nreplayed:\n%s", status, errs, want, out)
			}
		}
	})
	t.Run("plain", func(t *testing.T) {
		beside(t)
		mine, theirs := newRecord(t), newRecord(t)
		s := start(t, "--trace=false", "--json", "--record", theirs)
		client := command(t, "echoc", "--record", mine, s.addr)
		client.Stdin = strings.NewReader("hello\n")
		status, out, told := finish(t, client)
		if status != 0 || out != "hello\n" {
			t.Fatalf("status %d: %s", status, told)
		}
		s.cmd.Process.Signal(unix.SIGTERM)
		if status := s.wait(t); status != 0 {
			t.Fatalf("the server's status is %d: %s", status, s.stderr())
		}
		if status, out, errs := run(t, "echoc", "replay", mine); status != 0 || out != told {
			t.Errorf("status %d: %s\ntold:\n%s\nreplayed:\n%s", status, errs, told, out)
		}
		if status, out, errs := run(t, "echoc", "--json", "replay", theirs); status != 0 || out != s.out.String() {
			t.Errorf("status %d: %s\nprinted:\n%s\nreplayed:\n%s", status, errs, s.out.String(), out)
		}
	})
}

// A run that is interrupted, or fails, has a complete record, which says so; one that is killed has none.
func TestRecordsOfRunsThatEnd(t *testing.T) {
	t.Parallel()
	t.Run("interrupted", func(t *testing.T) {
		beside(t)
		file := newRecord(t)
		s := start(t, "--json", "--hold", "60s", "--record", file, "half-close")
		client := command(t, "echoc", "--json", "--hold", "60s", "half-close", s.addr)
		var out bytes.Buffer
		client.Stdout = &out
		if err := client.Start(); err != nil {
			t.Fatal(err)
		}
		s.cmd.Process.Signal(unix.SIGINT)
		if status := s.wait(t); status != 130 {
			t.Errorf("status %d", status)
		}
		client.Process.Kill()
		client.Wait()
		if _, lines := recorded(t, file); lines != s.out.String() {
			t.Errorf("kept:\n%s\nprinted:\n%s", lines, s.out.String())
		}
	})
	t.Run("failed", func(t *testing.T) {
		beside(t)
		file := newRecord(t)
		status, _, errs := run(t, "echoc", "--record", file, "close", "127.0.0.1:1")
		status2, out, errs2 := run(t, "echoc", "replay", file)
		if status != 1 || status2 != 1 || !strings.Contains(out, "FAILED") || !strings.Contains(errs2, "this run was not in order: close: ") {
			t.Errorf("status %d: %s\nreplayed with status %d: %s%s", status, errs, status2, out, errs2)
		}
	})
	t.Run("killed", func(t *testing.T) {
		beside(t)
		file := newRecord(t)
		s := start(t, "--record", file, "close")
		s.cmd.Process.Kill()
		<-s.done
		s.done <- nil
		if list, _ := os.ReadDir(filepath.Dir(file)); len(list) > 0 {
			t.Errorf("it leaves %v", list)
		}
	})
}

// Mistakes are said in one line, before anything is played.
func TestRecordMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there, link := filepath.Join(dir, "there"), filepath.Join(dir, "link")
	if os.WriteFile(there, []byte("mine\n"), 0o644) != nil || os.Symlink(there, link) != nil {
		t.Fatal("no files")
	}
	for _, c := range []struct {
		args, want string
		status     int
	}{
		{"--record " + there + " close", "--record " + there + ": there is such a file already: --overwrite replaces it", 1},
		{"--record " + link + " close", "it is a symbolic link", 1},
		{"--record " + link + " --overwrite close", "it is a symbolic link", 1},
		{"--record " + dir + " close", "is a directory", 1},
		{"--record " + dir + "/no/such close", "no such file", 1},
		{"--record= close", "want the name of a file", 2},
		{"--overwrite close", "it goes with --record, --svg, --html or --pcap FILE", 2},
		{"--record " + dir + "/x learn close", "--record is not for the course", 2},
		{"--record " + dir + "/x quiz close", "--record is not for a quiz", 2},
		{"--record " + dir + "/x replay " + there, "--record is about a run", 2},
		{"--wire replay " + there, "--wire is about a run", 2},
		{"replay", "echoc replay FILE", 2},
		{"replay a b c", "one file, or two", 2},
		{"replay " + dir + "/none", "no such file", 1},
		{"replay " + there, "line 1: not a record of echoc or echod", 1},
		{"--record " + dir + "/x nothing", "unknown scenario", 2},
		{"--record " + dir + "/x --svg " + there + " close", "--svg " + there + ": there is such a file already", 1},
		{"--record " + dir + "/x --html " + there + " close", "--html " + there + ": there is such a file already", 1},
		{"--html " + dir + "/x --record " + there + " tour", "--record " + there + ": there is such a file already", 1},
		{"--html " + dir + "/x --svg " + there + " diagram", "--svg " + there + ": there is such a file already", 1},
	} {
		status, out, errs := run(t, "echoc", strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("%s: status %d, %q, %q; want %d, %q", c.args, status, out, errs, c.status, c.want)
		}
	}
	if b, _ := os.ReadFile(there); string(b) != "mine\n" {
		t.Errorf("the file is %q now", b)
	}
	if status, _, errs := run(t, "echoc", "-q", "--overwrite", "--record", there, "close"); status != 0 {
		t.Errorf("status %d: %s", status, errs)
	}
	recorded(t, there)
	if list, _ := os.ReadDir(dir); len(list) != 2 {
		t.Errorf("it leaves %v", list)
	}
}

// Of a file that is cut, newer or damaged all is shown that can be, and then said what is not.
func TestReplayOfDamagedFiles(t *testing.T) {
	beside(t)
	file := newRecord(t)
	status, shown, errs := run(t, "echoc", "--json", "--record", file, "close")
	if status != 0 {
		t.Fatal(errs)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(b)
	first, rest, _ := strings.Cut(whole, "\n")
	for name, c := range map[string]struct {
		text, want string
		lines      int
		status     int
	}{
		"cut":      {whole[:len(whole)-20], "it ends in the middle of this line", strings.Count(shown, "\n") - 1, 1},
		"newer":    {strings.Replace(first, `"format":1`, `"format":9`, 1) + "\n" + rest, "of format 9", strings.Count(shown, "\n"), 0},
		"kinds":    {first + "\n" + strings.Replace(rest, `"kind":"check"`, `"kind":"\u001b[31m"`, 2), "which are passed over: 2", strings.Count(shown, "\n") - 2, 0},
		"headless": {rest, "it has no record's first line", strings.Count(shown, "\n"), 1},
		"damaged":  {strings.Replace(whole, `"kind":"summary"`, `"kind":"summary`, 1), "not an event", strings.Count(shown, "\n") - 1, 1},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		status, out, errs := run(t, "echoc", "--json", "replay", file)
		if status != c.status || strings.Count(out, "\n") != c.lines || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 || strings.Contains(errs, "\x1b") {
			t.Errorf("%s: status %d, %d lines of %d, %q", name, status, strings.Count(out, "\n"), c.lines, errs)
		}
	}
}
