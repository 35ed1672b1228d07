package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// onWire skips where there can be no wire, with what the program says of it.
func onWire(t *testing.T) {
	t.Helper()
	status, _, errs := run(t, "echoc", "--wire", "--quiet", "close")
	if status == 3 {
		t.Skipf("no wire here: %s", errs)
	}
}

func TestEveryScenarioOnTheWire(t *testing.T) {
	t.Parallel()
	onWire(t)
	for _, name := range some(append(listed(t, true), scenarios(t)...)) {
		t.Run(name, func(t *testing.T) {
			beside(t)
			status, out, errs := run(t, "echoc", "--wire", "--json", name)
			if status == 3 {
				t.Skip(errs)
			}
			all := events(t, out)
			failed(t, all)
			if status != 0 {
				t.Errorf("status %d: %s", status, errs)
			}
			segments := 0
			for _, e := range all {
				if e.text("kind") == "segment" {
					segments++
				}
			}
			if segments == 0 && name != "self-connect" {
				t.Error("no segment is shown")
			}
		})
	}
}

// The handshake's numbers: SYN seq=J; SYN+ACK seq=K ack=J+1; ACK ack=K+1. SYN takes one number, FIN too.
func TestTheHandshakesNumbersByTshark(t *testing.T) {
	beside(t)
	onWire(t)
	fields := []string{"frame.interface_name", "ip.src", "tcp.flags.syn", "tcp.flags.ack", "tcp.flags.fin", "tcp.flags.reset", "tcp.seq_raw", "tcp.ack_raw", "tcp.len"}
	var segments [][]string
	for _, row := range tshark(t, fields, "close") {
		if row[0] == "server" && row[1] == "198.51.100.1" || row[0] == "client" && row[1] == "198.51.100.2" {
			continue // each segment once: where it was sent
		}
		segments = append(segments, row)
	}
	number := func(row []string, i int) uint32 {
		n, err := strconv.ParseUint(row[i], 10, 32)
		if err != nil {
			t.Fatalf("%q: %v", row, err)
		}
		return uint32(n)
	}
	if len(segments) < 6 {
		t.Fatalf("%d segments: %q", len(segments), segments)
	}
	syn, synack, ack := segments[0], segments[1], segments[2]
	if flags(syn) != "1000" || flags(synack) != "1100" || flags(ack) != "0100" {
		t.Fatalf("not a handshake: %q %q %q", syn, synack, ack)
	}
	if number(synack, 7) != number(syn, 6)+1 || number(ack, 7) != number(synack, 6)+1 || number(ack, 6) != number(syn, 6)+1 {
		t.Errorf("the numbers are wrong: %q %q %q", syn, synack, ack)
	}
	for i, fin := range segments {
		if fin[4] != "1" {
			continue
		}
		acked := false
		for _, later := range segments[i+1:] {
			acked = acked || later[1] != fin[1] && number(later, 7) == number(fin, 6)+number(fin, 8)+1
		}
		if !acked {
			t.Errorf("no ACK counts the FIN %q as one number", fin)
		}
	}
}

// On a line that loses segments the timeline and tshark, which has a mind of its own about numbers and windows, tell
// the same of every segment that arrived.
func TestTheTimelineSaysWhatTsharkReads(t *testing.T) {
	t.Parallel()
	onWire(t)
	fields := []string{"frame.interface_name", "ip.src", "tcp.flags.syn", "tcp.flags.ack", "tcp.flags.fin", "tcp.flags.reset",
		"tcp.srcport", "tcp.seq", "tcp.ack", "tcp.len", "tcp.window_size", "frame.time_epoch"}
	for _, line := range [][]string{
		{"--loss", "8%", "--seed", "1"},
		{"--loss", "8%", "--seed", "2", "--delay", "3ms"},
		{"--dup", "server data 3..6", "--delay", "5ms"}, // early: a copy that comes in TIME-WAIT may end it
		{"--reorder", "server data 5 by 4", "--reorder", "server data 11..13"},
	} {
		t.Run(strings.Join(line, " "), func(t *testing.T) {
			beside(t)
			file := filepath.Join(t.TempDir(), "wire.pcapng")
			status, out, errs := run(t, "echoc", append([]string{"--wire", "--json", "--pcap-both", "--pcap", file, "half-close"}, line...)...)
			if status != 0 {
				t.Fatalf("status %d: %s", status, errs)
			}
			var told, read []string
			for _, e := range events(t, out) {
				if e.text("kind") == "segment" && (e.text("fate") == "delivered" || e.text("fate") == "duplicated") {
					told = append(told, fmt.Sprintf("%s %s seq=%.0f ack=%.0f len=%.0f win=%.0f", e.text("src"), flagsOf(e),
						e.number("seg_seq"), e.number("ack"), e.number("len"), e.number("win")))
				}
			}
			last := ""
			for _, row := range dissected(t, file, fields) {
				if row[11] < last { // of the same length, all of them
					t.Errorf("a packet of %s stands behind one of %s", row[11], last)
				}
				last = row[11]
				if row[0] == "server" && row[1] == "198.51.100.1" || row[0] == "client" && row[1] == "198.51.100.2" {
					read = append(read, fmt.Sprintf("%s:%s %s seq=%s ack=%s len=%s win=%s", row[1], row[6], flags(row), row[7], row[8], row[9], row[10]))
				}
			}
			slices.Sort(told)
			slices.Sort(read)
			if len(told) < 100 || !slices.Equal(told, read) {
				t.Errorf("told:\n%s\nread by tshark:\n%s", strings.Join(told, "\n"), strings.Join(read, "\n"))
			}
		})
	}
}

// flagsOf are the same four of an event.
func flagsOf(e event) (has string) {
	for _, name := range []string{"SYN", "ACK", "FIN", "RST"} {
		if slices.Contains(e["flags"].([]any), any(name)) {
			has += "1"
		} else {
			has += "0"
		}
	}
	return has
}

// flags are SYN ACK FIN RST as tshark 4 ("True") or 3 ("1") writes them.
func flags(row []string) string { return strings.Join(row[2:6], "") }

// tshark plays a scenario on the wire with a capture, and reads that.
func tshark(t *testing.T, fields []string, args ...string) [][]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "wire.pcapng")
	if status, _, errs := run(t, "echoc", append([]string{"--wire", "--quiet", "--pcap-both", "--pcap", file}, args...)...); status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	return dissected(t, file, fields)
}

// dissected is what tshark reads in a capture.
func dissected(t *testing.T, file string, fields []string, more ...string) (rows [][]string) {
	t.Helper()
	path := needsTshark(t)
	cmd := append([]string{"-r", file, "-T", "fields", "-E", "separator=|"}, more...)
	for _, f := range fields {
		cmd = append(cmd, "-e", f)
	}
	var errs bytes.Buffer
	read := exec.Command(path, cmd...)
	read.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	read.Stderr = &errs
	out, err := read.Output()
	if err != nil || strings.Contains(errs.String(), "cut short") || strings.Contains(errs.String(), "damaged") {
		t.Fatalf("tshark: %v\n%s", err, errs.String())
	}
	for line := range strings.Lines(strings.NewReplacer("True", "1", "False", "0").Replace(string(out))) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "|"))
	}
	return rows
}

func TestDroppedAndDuplicatedSegmentsAreMarkedInTheCapture(t *testing.T) {
	beside(t)
	onWire(t)
	comments := ""
	for _, row := range tshark(t, []string{"frame.interface_name", "frame.comment"}, "--drop", "client syn 1", "--dup", "client fin 1", "close") {
		comments += strings.Join(row, " ") + "\n"
	}
	for _, want := range []string{"client dropped by drop client syn 1", "server duplicated by dup client fin 1"} {
		if !strings.Contains(comments, want) {
			t.Errorf("no %q among the comments:\n%s", want, comments)
		}
	}
}

func TestLossIsRepeatableAndDelayIsSlow(t *testing.T) {
	if testing.Short() {
		t.Skip("a SYN that is lost twice takes three seconds")
	}
	beside(t)
	onWire(t)
	begin := time.Now()
	if status, out, errs := run(t, "echoc", "--wire", "--json", "--delay", "50ms", "close"); status != 0 {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if took := time.Since(begin); took < 300*time.Millisecond {
		t.Errorf("three round trips of 100 ms took %v", took)
	}
	for range 2 {
		_, out, _ := run(t, "echoc", "--wire", "--json", "--loss", "100%", "--seed", "7", "--syncnt", "1", "refused")
		for _, e := range events(t, out) {
			if e.text("kind") == "segment" && e.text("fate") != "dropped" {
				t.Errorf("with a loss of 100%% a segment was %s", e.text("fate"))
			}
		}
	}
}

// A segment that the wire holds is the same segment, and as long, when it is delivered. What overtakes it meanwhile is
// acknowledged selectively, by numbers that are as relative as all others.
func TestAHeldSegmentIsShownAsItIs(t *testing.T) {
	beside(t)
	onWire(t)
	const data = len("close hold=0s\n")
	_, out, errs := run(t, "echoc", "--wire", "--json", "--delay", "5ms", "close")
	if n := lengths(t, out); n["held"] != data || n["delivered"] != data {
		t.Errorf("%v of data held and delivered, want %d of each: %s", n, data, errs)
	}
	status, out, errs := run(t, "echoc", "--wire", "--json", "--reorder", "client data 1 within 5s", "close")
	if n := lengths(t, out); status != 0 || n["held"] != data || n["delivered"] < data { // behind the FIN
		t.Errorf("status %d, %v of data, want %d held and %d delivered: %s", status, n, data, data, errs)
	}
	if want := fmt.Sprintf(`"sack {%d:%d}"`, 1+data, 2+data); !strings.Contains(out, want) {
		t.Errorf("the FIN that came before the data is not acknowledged by %s:\n%s", want, out)
	}
}

// lengths are how many bytes of data met which fate.
func lengths(t *testing.T, out string) map[string]int {
	n := map[string]int{}
	for _, e := range events(t, out) {
		if e.text("kind") == "segment" {
			n[e.text("fate")] += int(e.number("len"))
		}
	}
	return n
}

func TestRulesThatAreWrong(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--drop", "client sin 1"}, {"--hold", "nobody fin"}, {"--loss", "12"}, {"--delay=-1s"},
		{"--drop", "client fin"}, // without --wire
	} {
		words := append(args, "close")
		if args[0] != "--drop" || args[1] != "client fin" {
			words = append([]string{"--wire"}, words...)
		}
		status, _, errs := run(t, "echoc", words...)
		if status != 2 || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: status %d: %s", words, status, errs)
		}
	}
}

// Nothing is left of a lab, whatever happens to the process: no namespace, device or process.
func TestNothingIsLeftAfterKill(t *testing.T) {
	beside(t)
	onWire(t)
	client := command(t, "echoc", "--wire", "--hold", "1m", "half-close")
	out := &syncWriter{w: new(bytes.Buffer)}
	client.Stdout = out
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the hold", func() bool { return out.contains("held for") })
	its := namespaces(t, family(t, client.Process.Pid)...)
	delete(its, ownNamespace(t))
	if len(its) < 2 {
		t.Errorf("the two hosts are in %d namespaces", len(its))
	}
	client.Process.Kill()
	client.Wait()
	eventually(t, "the namespaces are gone", func() bool {
		for ns := range namespaces(t, "*") {
			if its[ns] {
				return false
			}
		}
		return true
	})
}

// family is a process and those that come from it, as they are called in /proc.
func family(t *testing.T, pid int) (all []string) {
	t.Helper()
	all = append(all, strconv.Itoa(pid))
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		children, _ := os.ReadFile(list) // that thread may have ended
		for _, c := range strings.Fields(string(children)) {
			if n, err := strconv.Atoi(c); err == nil {
				all = append(all, family(t, n)...)
			}
		}
	}
	return all
}

// namespaces are the network namespaces that processes are in.
func namespaces(t *testing.T, processes ...string) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range processes {
		links, err := filepath.Glob("/proc/" + strings.Replace(p, "*", "[0-9]*", 1) + "/task/[0-9]*/ns/net")
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range links {
			if target, err := os.Readlink(l); err == nil {
				seen[target] = true
			}
		}
	}
	return seen
}

func ownNamespace(t *testing.T) string {
	t.Helper()
	target, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// A wire that cannot go on is what failed, and is said at once: not whoever waits for a segment.
func TestAWireThatFailsSaysSo(t *testing.T) {
	onWire(t)
	if os.Getuid() != 0 {
		t.Skip("needs root: strace cannot follow into a user namespace")
	}
	cmd := command(t, "echoc", "--wire", "--quiet", "close")
	injected(t, cmd, "-P", "/dev/net/tun", "-e", "trace=read", "-e", "inject=read:error=EIO:when=4+")
	status, _, errs := finish(t, cmd)
	if status != 1 || !strings.Contains(errs, "'s interface: input/output error") {
		t.Errorf("status %d: %s", status, errs)
	}
}

// On a slow path an orphan's FIN-WAIT-2 lasts for 3.5 retransmission timeouts, if that is longer than TCP_LINGER2.
func TestAnOrphanOnASlowPath(t *testing.T) {
	beside(t)
	onWire(t)
	if status, out, errs := run(t, "echoc", "--wire", "--delay", "300ms", "fin-wait-2-orphan"); status != 0 {
		t.Errorf("status %d: %s\n%s", status, errs, out)
	}
}
