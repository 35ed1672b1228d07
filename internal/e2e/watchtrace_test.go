package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// watching is an echoc watch --json that goes on.
type watching struct {
	t   *testing.T
	cmd *exec.Cmd
	mu  sync.Mutex
	out bytes.Buffer
	end chan error
}

// startWatch starts one and waits for its first look.
func startWatch(t *testing.T, args ...string) *watching {
	t.Helper()
	w := &watching{t: t, cmd: command(t, "echoc", append([]string{"watch", "--json"}, args...)...), end: make(chan error, 1)}
	var errs strings.Builder
	w.cmd.Stderr = &errs
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.cmd.Process.Kill() })
	go func() {
		for sc := bufio.NewScanner(out); sc.Scan(); {
			w.mu.Lock()
			w.out.WriteString(sc.Text() + "\n")
			w.mu.Unlock()
		}
		w.end <- w.cmd.Wait()
	}()
	t.Cleanup(func() {
		if t.Failed() && errs.Len() > 0 {
			t.Log(errs.String())
		}
	})
	eventually(t, "the first look", func() bool { return strings.Contains(w.text(), `"kind":"look"`) })
	return w
}

func (w *watching) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.String()
}

// stop ends it as Ctrl-C does; what it told, and the tally.
func (w *watching) stop() (told []event, tally event) {
	w.t.Helper()
	told = narrated(w.t, w.interrupt())
	if n := len(told); n == 0 || told[n-1].text("kind") != "tally" {
		w.t.Fatalf("the last line is no tally:\n%s", w.text())
	}
	return told[:len(told)-1], told[len(told)-1]
}

// interrupt ends it as Ctrl-C does, and returns all that it told.
func (w *watching) interrupt() string {
	w.t.Helper()
	w.cmd.Process.Signal(unix.SIGINT)
	if status := statusOf(w.t, <-w.end); status != 130 {
		w.t.Errorf("status %d", status)
	}
	return w.text()
}

// transitionsOf are the transitions among events, as local remote from to.
func transitionsOf(told []event) (list []string) {
	for _, e := range told {
		if e.text("kind") == "state" {
			list = append(list, transition(e.text("local"), e.text("remote"), e.text("from"), e.text("to")))
		}
	}
	return list
}

func transition(local, remote, from, to string) string {
	return strings.Join([]string{local, remote, from, to}, " ")
}

// witness is a trace instance of the test's own, read as text: somebody else who sees the same.
type witness struct {
	t   *testing.T
	dir string
}

var witnesses atomic.Int64

func newWitness(t *testing.T, port string) witness {
	t.Helper()
	root := t.TempDir()
	if err := unix.Mount("tracefs", root, "tracefs", 0, ""); err != nil {
		t.Skipf("mount tracefs: %v", err)
	}
	w := witness{t, filepath.Join(root, "instances", fmt.Sprintf("witness-e2e-%d-%d", os.Getpid(), witnesses.Add(1)))}
	t.Cleanup(func() {
		os.Remove(w.dir)
		unix.Unmount(root, unix.MNT_DETACH)
	})
	if err := os.Mkdir(w.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w.write("buffer_size_kb", "16384")
	w.write("events/sock/inet_sock_set_state/filter", fmt.Sprintf("protocol == 6 && (sport == %s || dport == %[1]s)", port))
	w.write("events/sock/inet_sock_set_state/enable", "1")
	return w
}

func (w witness) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0); err != nil {
		w.t.Fatal(err)
	}
}

// saw is how often it saw each transition between two states.
func (w witness) saw() map[string]int {
	w.t.Helper()
	w.write("tracing_on", "0")
	text, err := os.ReadFile(filepath.Join(w.dir, "trace"))
	if err != nil {
		w.t.Fatal(err)
	}
	if bytes.Contains(text, []byte("LOST")) {
		w.t.Fatal("the witness itself has lost some")
	}
	seen := map[string]int{}
	names := map[string]string{"CLOSE": "CLOSED", "SYN_RECV": "SYN-RECEIVED"}
	name := func(s string) string {
		if n := names[s]; n != "" {
			return n
		}
		return strings.ReplaceAll(strings.Replace(strings.Replace(s, "WAIT1", "WAIT-1", 1), "WAIT2", "WAIT-2", 1), "_", "-")
	}
	for line := range strings.Lines(string(text)) { // there are 100,000: no regular expression
		if from, to := between(line, "oldstate=TCP_", " "), between(line, "newstate=TCP_", "\n"); from != to {
			seen[name(from)+" "+name(to)]++
		}
	}
	return seen
}

// between is what stands after a mark, up to an end.
func between(text, mark, end string) string {
	_, text, _ = strings.Cut(text, mark)
	text, _, _ = strings.Cut(text, end)
	return text
}

// byKind counts transitions in the same way.
func byKind(list []string) map[string]int {
	seen := map[string]int{}
	for _, s := range list {
		words := strings.Fields(s)
		seen[strings.Join(words[len(words)-2:], " ")]++
	}
	return seen
}

// quietServer is an echod that tells nothing and takes all, in a network namespace of the test's own.
func quietServer(t *testing.T) (addr, port string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	number := l.Addr().(*net.TCPAddr).Port
	l.Close()
	addr, port = l.Addr().String(), strconv.Itoa(number)
	cmd := command(t, "echod", "-q", "--listen", addr)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Signal(unix.SIGTERM); cmd.Wait() })
	eventually(t, "the server listens", func() bool {
		b, err := os.ReadFile("/proc/thread-self/net/tcp")
		return err == nil && strings.Contains(string(b), fmt.Sprintf(":%04X 00000000:0000 0A", number))
	})
	return addr, port
}

// connections are made and closed, so many in each millisecond.
func connections(t *testing.T, to string, n, each int) {
	t.Helper()
	addr := netip.MustParseAddrPort(to)
	sa := &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := range n {
		if i%each == 0 {
			<-tick.C
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Connect(fd, sa); err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
	}
}

// notTheEnd are those that are not told where TIME-WAIT follows, which the tracepoint does not know.
var notTheEnd = []string{"FIN-WAIT-2 CLOSED", "CLOSING CLOSED"}

// Looks ten seconds apart see nothing of a connection that is over at once; the tracepoint tells all of it, each
// transition once, of both ends, and a socket has one number.
func TestWatchTraceTellsWhatNoLookSees(t *testing.T) {
	own(t)
	addr, port := quietServer(t)
	w := startWatch(t, "--trace", "--every", "10s", ":"+port)
	connections(t, addr, 20, 1)
	eventually(t, "the last transition", func() bool { return strings.Count(w.text(), `"from":"LAST-ACK"`) == 20 })
	told, tally := w.stop()
	seen, numbers := byKind(transitionsOf(told)), map[string]float64{}
	for _, e := range told {
		if e.text("kind") != "state" {
			continue
		}
		ends := e.text("local") + e.text("remote")
		if n, known := numbers[ends]; known && n != e.number("socket") || e.text("side") != "host" || e["late_us"] != nil {
			t.Errorf("%v, whose number was %v", e, n)
		}
		numbers[ends] = e.number("socket")
	}
	for _, kind := range []string{"CLOSED SYN-SENT", "SYN-SENT ESTABLISHED", "LISTEN SYN-RECEIVED", "SYN-RECEIVED ESTABLISHED", "ESTABLISHED FIN-WAIT-1", "ESTABLISHED CLOSE-WAIT",
		"CLOSE-WAIT LAST-ACK", "LAST-ACK CLOSED", "FIN-WAIT-1 FIN-WAIT-2"} {
		if seen[kind] != 20 {
			t.Errorf("%s: %d times, want 20", kind, seen[kind])
		}
	}
	if len(numbers) != 40 || tally.number("transitions") != float64(len(transitionsOf(told))) || tally["lost_transitions"] != nil || tally["unplaced"] != nil {
		t.Errorf("%d sockets, %v", len(numbers), tally)
	}
}

// What looks see, too, is told once: a socket's state is marked as told where the tracepoint has told it, and nothing
// stands before what it follows from.
func TestWatchTraceAndLooks(t *testing.T) {
	own(t)
	addr, port := quietServer(t)
	w := startWatch(t, "--trace", "--every", "10ms", ":"+port)
	connections(t, addr, 300, 1)
	eventually(t, "looks at what is left", func() bool { return strings.Count(w.text(), `"to":"TIME-WAIT"`) >= 300 })
	told, _ := w.stop()
	now := map[float64]string{}
	for _, e := range told {
		n := e.number("socket")
		switch e.text("kind") {
		case "state":
			if before := now[n]; before != "" && before != e.text("from") {
				t.Errorf("%v, but it was in %s", e, before)
			}
			now[n] = e.text("to")
		case "socket":
			switch was, to := now[n], e.text("to"); {
			case e["told"] == true, was == "" || e.text("what") == "there":
			case was == to:
				t.Errorf("%v is told twice", e)
			case was != "FIN-WAIT-2" && was != "CLOSING" || to != "TIME-WAIT":
				t.Errorf("%v was not told by the tracepoint: it was in %s", e, was)
			}
		}
		if e["late_us"] != nil {
			t.Errorf("%v is late", e)
		}
	}
	times := map[string]int{}
	for _, e := range transitionsOf(told) {
		if times[e]++; times[e] > 1 {
			t.Errorf("%s: told %d times", e, times[e])
		}
	}
}

// At 5,000 connections a second nothing is missed that is not counted, as somebody else who looks on has it. What comes
// while the program is stopped has no room in the kernel's buffers.
func TestWatchTraceManyConnections(t *testing.T) {
	own(t)
	n := 10000
	if testing.Short() || raceDetector {
		n = 2000
	}
	if lost := manyConnections(t, n, false); lost > 0 {
		t.Logf("%d transitions were lost: the machine is busy", lost)
	}
	if lost := manyConnections(t, 6000, true); lost == 0 {
		t.Error("nothing was lost: that was not tried here")
	}
}

// manyConnections is how many transitions were lost.
func manyConnections(t *testing.T, n int, stopped bool) (lost int) {
	addr, port := quietServer(t)
	other := newWitness(t, port)
	w := startWatch(t, "--trace", ":"+port)
	if stopped {
		w.cmd.Process.Signal(unix.SIGSTOP)
	}
	begin := time.Now()
	connections(t, addr, n, 5)
	took := time.Since(begin)
	w.cmd.Process.Signal(unix.SIGCONT)
	eventually(t, "the server has closed", func() bool { return len(established(t, port)) == 0 })
	out := w.interrupt()
	ours, theirs := map[string]int{}, other.saw()
	for line := range strings.Lines(out) { // that each is as docs/events.md says is in other tests
		if strings.Contains(line, `"kind":"state"`) {
			ours[between(line, `"from":"`, `"`)+" "+between(line, `"to":"`, `"`)]++
		}
	}
	tally := event{}
	if last := out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]; json.Unmarshal([]byte(last), &tally) != nil || tally.text("kind") != "tally" {
		t.Fatalf("the last line is no tally: %s", last)
	}
	all, got, left := 0, 0, 0
	for kind, n := range theirs {
		all += n
		if ours[kind] > n {
			t.Errorf("%s: told %d times, the witness has %d", kind, ours[kind], n)
		}
	}
	for _, n := range ours {
		got += n
	}
	for _, kind := range notTheEnd {
		left += theirs[kind] - ours[kind]
	}
	lost, unplaced := int(tally.number("lost_transitions")), int(tally.number("unplaced"))
	t.Logf("%d connections in %v: %d transitions, %d told, %d lost, %d before TIME-WAIT, %d not placed", n, took, all, got, lost, left, unplaced)
	if got+left+lost+unplaced < all || all < 9*n {
		t.Errorf("%d transitions were made; %d were told, %d not since TIME-WAIT follows, %d are said to be lost, %d not to be placed", all, got, left, lost, unplaced)
	}
	if lost > 0 && !strings.Contains(out, "transitions are missing here") {
		t.Error("no note says where they are missing")
	}
	return lost
}

// established are a port's connections that are not in TIME-WAIT.
func established(t *testing.T, port string) []string {
	t.Helper()
	out, err := exec.Command("ss", "-Htn", "exclude", "listening", "exclude", "time-wait", "sport", "=", ":"+port).CombinedOutput()
	if err != nil {
		t.Skipf("ss: %v: %s", err, out)
	}
	return strings.Fields(string(out))
}

// A process's sockets are told from connect() on, though no look has seen them; those of others are not.
func TestWatchTraceOfAProcess(t *testing.T) {
	own(t)
	addr, port := quietServer(t)
	mine := exec.Command(python(t), "-c", fmt.Sprintf(`
import socket, sys
print("ready", flush=True)
for line in sys.stdin:
    socket.create_connection(("127.0.0.1", %s)).close()
    print("done", flush=True)`, port))
	in, err := mine.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := mine.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mine.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); mine.Wait() })
	said := bufio.NewScanner(out)
	said.Scan()
	if link, _ := os.Readlink("/proc/self/ns/pid"); link != "pid:[4026531836]" {
		t.Skip("needs the first PID namespace, whose numbers the tracepoint has")
	}
	w := startWatch(t, "--trace", "--every", "10s", fmt.Sprintf("pid:%d", mine.Process.Pid))
	connections(t, addr, 3, 1)
	in.Write([]byte("go\n"))
	said.Scan()
	eventually(t, "its connection", func() bool { return strings.Contains(w.text(), `"to":"FIN-WAIT-1"`) })
	told, _ := w.stop()
	ports := map[string]bool{}
	for _, e := range told {
		if e.text("kind") == "state" {
			ports[e.text("local")] = true
		}
	}
	if list := transitionsOf(told); len(ports) != 1 || !strings.HasSuffix(list[0], "CLOSED SYN-SENT") {
		t.Errorf("%v", list)
	}
}

// A state chooses the transitions into it and out of it.
func TestWatchTraceOfAState(t *testing.T) {
	own(t)
	addr, port := quietServer(t)
	w := startWatch(t, "--trace", "--every", "10s", "--state", "close-wait", ":"+port)
	connections(t, addr, 3, 1)
	eventually(t, "the transitions", func() bool { return strings.Count(w.text(), `"to":"LAST-ACK"`) == 3 })
	told, _ := w.stop()
	if seen := byKind(transitionsOf(told)); len(seen) != 2 || seen["ESTABLISHED CLOSE-WAIT"] != 3 || seen["CLOSE-WAIT LAST-ACK"] != 3 {
		t.Errorf("%v", seen)
	}
}

// The tracepoint shows all network namespaces, and does not say which one: what has the same addresses in another is
// not told.
func TestWatchTraceOfOneNamespace(t *testing.T) {
	own(t)
	addr, port := quietServer(t)
	w := startWatch(t, "--trace", "--every", "50ms", ":"+port)
	other := exec.Command("unshare", "-n", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", python(t), "-c", fmt.Sprintf(`
import socket
l = socket.socket()
l.bind(("127.0.0.1", %s))
l.listen()
for i in range(5):
    c = socket.create_connection(("127.0.0.1", %[1]s))
    s, _ = l.accept()
    c.close()
    s.close()
l.close()
print("done")`, port))
	if out, err := other.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "done" {
		t.Fatalf("%v: %s", err, out)
	}
	connections(t, addr, 1, 1)
	eventually(t, "the one connection", func() bool { return strings.Contains(w.text(), `"from":"LAST-ACK"`) })
	told, tally := w.stop()
	seen := byKind(transitionsOf(told))
	if seen["CLOSED SYN-SENT"] != 1 || seen["LISTEN SYN-RECEIVED"] != 1 || seen["CLOSED LISTEN"]+seen["LISTEN CLOSED"] != 0 {
		t.Errorf("%v, %v", transitionsOf(told), tally)
	}
}

// An ordinary user is told what is missing, in a line, before anything is shown.
func TestWatchTraceNeedsRoot(t *testing.T) {
	own(t)
	for _, json := range []bool{true, false} {
		file := filepath.Join(t.TempDir(), "watch.jsonl")
		cmd := command(t, "echoc", "watch", "--trace", "--for", "1s", "--json="+strconv.FormatBool(json), "--record", file, "all")
		os.Chmod(filepath.Dir(file), 0o777)
		os.Chmod(filepath.Dir(filepath.Dir(file)), 0o777)
		asNobody(t, cmd)
		status, out, errs := finish(t, cmd)
		if status != 3 || out != "" || errs != "echoc: --trace needs root: run the same command with sudo\n" {
			t.Errorf("status %d, %q, %q", status, out, errs)
		}
		if _, err := os.Stat(file); err == nil {
			t.Error("there is a record of nothing")
		}
	}
}

// watchText is what a watch in words shows: it is ended when that has what is waited for.
func watchText(t *testing.T, cmd *exec.Cmd, during func(), until func(shown string) bool) (shown string) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "shown"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	text := func() string {
		b, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	eventually(t, "the table", func() bool { return strings.Contains(text(), "socket") })
	during()
	eventually(t, "what is waited for", func() bool { return until(text()) })
	cmd.Process.Signal(unix.SIGINT)
	if status := statusOf(t, cmd.Wait()); status != 130 {
		t.Errorf("status %d: %s", status, text())
	}
	return text()
}

// In words: a line for each transition, none of them twice, and how many there were.
func TestWatchTraceInWords(t *testing.T) {
	own(t)
	addr, port := quietServer(t)
	text := watchText(t, command(t, "echoc", "watch", "--trace", "--every", "100ms", ":"+port), func() { connections(t, addr, 3, 1) },
		func(shown string) bool { return strings.Count(shown, "FIN-WAIT-2 → TIME-WAIT") == 3 })
	for what, n := range map[string]int{"CLOSED → SYN-SENT": 3, "SYN-SENT → ESTABLISHED": 3, "SYN-RECEIVED → ESTABLISHED": 3, "ESTABLISHED → CLOSE-WAIT": 3, "LAST-ACK → CLOSED": 3,
		"transitions, none lost.": 1, "was not seen": 0} {
		if strings.Count(text, what) != n {
			t.Errorf("%s: not %d times in\n%s", what, n, text)
		}
	}
}
