package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What a record of a watch shows is what was shown, byte for byte: in words and as events, of one look and of many, and
// whatever the processes are called.
func TestReplayOfAWatch(t *testing.T) {
	own(t)
	leak := startScene(t, nil, "leak")
	startScene(t, nil, "unread")
	startScene(t, nil, "unaccepted")
	addr, port := quietServer(t)
	for name, args := range map[string][]string{
		"once": {"--once", "all"}, "coloured": {"--once", "--color", "always", "all"}, "json": {"--json", "--once", "all"},
		"a state": {"--once", "--state", "close-wait", ":" + leak.port}, "nothing": {"--once", ":1"},
		"goes on": {"--every", "20ms", ":" + port}, "traced": {"--trace", "--every", "20ms", ":" + port}, "captured": {"--capture", "--trace", "--every", "20ms", ":" + port}, "traced, json": {"--trace", "--json", "--every", "20ms", ":" + port},
	} {
		for _, columns := range []string{"80", "130"} {
			file := newRecord(t)
			args := append([]string{"--record", file}, args...)
			once := strings.Contains(strings.Join(args, " "), "--once")
			live, shown := command(t, "echoc", append([]string{"watch"}, args...)...), ""
			live.Env = append(live.Env, "COLUMNS="+columns)
			if once {
				var errs string
				if _, shown, errs = finish(t, live); errs != "" {
					t.Errorf("%s: %s", name, errs)
				}
			} else {
				more := program(t, "socat", "-u", "PIPE", "TCP:"+addr)
				shown = watchText(t, live, func() {
					connections(t, addr, 3, 1)
					more.Process.Kill()
				}, func(shown string) bool { return strings.Count(shown, "TIME-WAIT") >= 3 })
			}
			how := []string{"replay", file}
			if strings.Contains(name, "json") {
				how = append(how, "--json")
			} else if name == "coloured" {
				how = append(how, "--color", "always")
			}
			again := command(t, "echoc", how...)
			again.Env = append(again.Env, "COLUMNS="+columns)
			status, replayed, errs := finish(t, again)
			if status != 0 || errs != "" || replayed != shown {
				t.Errorf("%s, %s columns: status %d %s\nshown:\n%s\nreplayed:\n%s", name, columns, status, errs, shown, replayed)
			}
			about, lines := recorded(t, file)
			if about["sides"].([]any)[0] != "host" || !strings.HasPrefix(about.text("title"), "echoc watch ") {
				t.Errorf("%v", about)
			}
			narrated(t, lines)
			if name == "json" && lines != shown {
				t.Error("the record's lines are not what --json printed")
			}
		}
	}
}

// A watch that is killed leaves no record, one whose end is missing says so, and what is about a run is refused.
func TestRecordsOfWatchesThatAreNotWhole(t *testing.T) {
	own(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "watch.jsonl")
	w := startWatch(t, "--record", file, "all")
	w.cmd.Process.Kill()
	<-w.end
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	w = startWatch(t, "--record", file, "all")
	w.stop()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	if err := os.WriteFile(file+".cut", []byte(strings.Join(lines[:len(lines)-2], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{file + ".cut", 1, "it ends before the watch does: the rest was cut off"},
		{file + " " + file, 1, "it is of a watch"},
		{"--svg x.svg " + file, 2, "--svg is not for a record of a watch"},
		{"--pace 1s " + file, 2, "--pace is not for a record of a watch"},
	} {
		status, _, errs := run(t, "echoc", append([]string{"replay"}, strings.Fields(c.args)...)...)
		if status != c.status || !strings.Contains(errs, c.says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: status %d, %q, want %q", c.args, status, errs, c.says)
		}
	}
	events := file + ".json" // what --json prints is shown, as far as it goes
	if err := os.WriteFile(events, []byte(strings.Join(lines[1:], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errs := run(t, "echoc", "replay", events)
	if status != 1 || !strings.Contains(errs, "it has no record's first line") || !strings.Contains(out, "socket") {
		t.Errorf("status %d, %q, %s", status, errs, out)
	}
	if status, _, errs := run(t, "echoc", "watch", "--once", "--record", file, "all"); status != 1 || !strings.Contains(errs, "--record "+file) {
		t.Errorf("a file that is there: status %d, %q", status, errs)
	}
}

// timeout(1) sends a signal to the program and at once to its process group: that is one wish, and nothing is lost.
func TestASignalThatComesTwice(t *testing.T) {
	own(t)
	dir := t.TempDir()
	for i := range 12 {
		file := filepath.Join(dir, fmt.Sprint(i))
		w := startWatch(t, "--record", file, "all")
		w.cmd.Process.Signal(unix.SIGINT)
		w.cmd.Process.Signal(unix.SIGINT)
		<-w.end
		if _, err := os.Stat(file); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
}

// A record of a connection that nobody could write it of: its process's name is another's idea.
func TestRecordOfAHostileName(t *testing.T) {
	own(t)
	name := "<b>\x1b[31m\"\\n\xc3" // the last is half of a letter
	cmd := exec.Command(python(t), "-c", fmt.Sprintf(`
import ctypes, socket, sys
ctypes.CDLL(None).prctl(15, b%q, 0, 0, 0)
l = socket.socket()
l.bind(("127.0.0.1", 0))
l.listen()
print(l.getsockname()[1], flush=True)
sys.stdin.read()`, name))
	port := spawn(t, cmd)
	file := newRecord(t)
	status, shown, errs := run(t, "echoc", "watch", "--once", "--record", file, ":"+port)
	if status != 0 || strings.Contains(shown, "\x1b") || !strings.Contains(shown, "<b>") {
		t.Errorf("status %d, %s, %q", status, errs, shown)
	}
	if status, replayed, errs := run(t, "echoc", "replay", file); status != 0 || replayed != shown || errs != "" {
		t.Errorf("status %d, %s, %q", status, errs, replayed)
	}
	_, lines := recorded(t, file)
	if status, replayed, errs := run(t, "echoc", "replay", "--json", file); status != 0 || replayed != lines || errs != "" {
		t.Errorf("status %d, %s, %q, recorded %q", status, errs, replayed, lines)
	}
}
