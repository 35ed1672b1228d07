package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// falseFlags are what tshark says of a segment that it has seen before, or before its time, or not at all.
const falseFlags = "tcp.analysis.retransmission or tcp.analysis.duplicate_ack or tcp.analysis.out_of_order or " +
	"tcp.analysis.lost_segment or tcp.analysis.ack_lost_segment"

// One end's view holds each segment once: where nothing was sent twice, tshark finds nothing that was.
func TestACaptureHasNoFalseRetransmissions(t *testing.T) {
	t.Parallel()
	onWire(t)
	needsTshark(t)
	for _, name := range some(scenarios(t)) {
		t.Run(name, func(t *testing.T) {
			beside(t)
			file := filepath.Join(t.TempDir(), "wire.pcapng")
			status, out, errs := run(t, "echoc", "--wire", "--json", "--pcap", file, name)
			if status == 3 {
				t.Skip(errs)
			}
			all := events(t, out)
			if again := sentTwice(all); len(again) > 0 {
				t.Skipf("its hosts did send twice: %s", again[0])
			}
			for _, row := range dissected(t, file, []string{"frame.number", "frame.interface_name", "ip.src", "tcp.srcport", "tcp.seq", "_ws.col.Info"}, "-Y", falseFlags) {
				t.Errorf("%q", row)
			}
		})
	}
}

// needsTshark is where tshark is; without, it skips.
func needsTshark(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs tshark: install it")
	}
	return path
}

// sentTwice are the segments with data, SYN or FIN that came again, and those that the wire did not simply deliver.
func sentTwice(all []event) (again []string) {
	top := map[string]float64{} // the highest number sent, by who sends to whom
	for _, e := range all {
		if e.text("kind") != "segment" {
			continue
		}
		flow, end := fmt.Sprint(e["src"], e["dst"]), e.number("seg_seq")+e.number("len")
		for _, takesOne := range []int{0, 2} { // SYN, FIN
			end += float64(flagsOf(e)[takesOne] - '0')
		}
		if e.text("fate") != "delivered" || end > e.number("seg_seq") && end <= top[flow] {
			again = append(again, fmt.Sprint(flow, e["flags"], e["seg_seq"], e["fate"]))
		}
		top[flow] = max(top[flow], end)
	}
	return again
}

// A clean run is clean in Wireshark, in every respect; and the calls and states stand at the segments that they belong
// to. On a machine so busy that they are told of late, they stand later, and say so.
func TestACaptureTellsOfCallsAndStates(t *testing.T) {
	beside(t)
	onWire(t)
	var rows [][]string
	for try := 1; try == 1 || try < 10 && !commented(rows); try++ {
		file := filepath.Join(t.TempDir(), "wire.pcapng")
		status, out, errs := run(t, "echoc", "--wire", "--json", "--pcap", file, "close")
		if status != 0 {
			t.Fatalf("status %d: %s", status, errs)
		}
		rows = dissected(t, file, []string{"frame.interface_name", "tcp.flags.syn", "tcp.flags.fin", "ip.src", "tcp.analysis.flags", "frame.comment"})
		for _, row := range rows {
			if row[0] != "client" || row[4] != "" && len(sentTwice(events(t, out))) == 0 {
				t.Errorf("%q", row)
			}
		}
	}
	if !commented(rows) {
		t.Errorf("the calls and states do not stand at their segments:\n%s", joinedRows(rows))
	}
}

// commented tells whether connect() stands at the SYN, and close() at the client's FIN; and FIN-WAIT-1 there, or, where
// the state was seen before the wire had the FIN, at the segment before.
func commented(rows [][]string) bool {
	syn, fin, before := false, false, ""
	for _, row := range rows {
		comments := strings.Join(row[5:], " ")
		if row[3] == "198.51.100.1" && row[1] == "1" {
			syn = strings.Contains(comments, "client: connect(")
		}
		if row[3] == "198.51.100.1" && row[2] == "1" {
			fin = strings.Contains(comments, "client: close(") && strings.Contains(before+comments, "ESTABLISHED → FIN-WAIT-1")
		}
		before = comments
	}
	return syn && fin
}

func joinedRows(rows [][]string) string {
	var b strings.Builder
	for _, row := range rows {
		fmt.Fprintln(&b, strings.Join(row, " "))
	}
	return b.String()
}

// --pcap - has the capture on standard output and the timeline beside it.
func TestACaptureInAPipe(t *testing.T) {
	beside(t)
	onWire(t)
	status, out, errs := run(t, "echoc", "--wire", "--json", "--pcap", "-", "close")
	if status != 0 || len(events(t, errs)) < 20 {
		t.Fatalf("status %d: %s", status, errs)
	}
	file := filepath.Join(t.TempDir(), "out.pcapng")
	if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if rows := dissected(t, file, []string{"frame.interface_name"}); len(rows) < 8 {
		t.Errorf("%d packets", len(rows))
	}
}

// Who reads the capture may have enough, at its beginning or later: the run ends, and says nothing.
func TestACaptureThatNobodyReads(t *testing.T) {
	t.Parallel()
	onWire(t)
	for _, read := range []int64{0, 300} {
		t.Run(fmt.Sprint(read), func(t *testing.T) {
			beside(t)
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd := command(t, "echoc", "--wire", "--quiet", "--pcap", "-", "--delay", "300ms", "--hold", "1h", "half-close")
			var errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = w, &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			if n, err := io.CopyN(io.Discard, r, read); err != nil {
				t.Fatalf("%d bytes: %v", n, err)
			}
			r.Close()
			if status := statusOf(t, cmd.Wait()); status != 130 || errs.Len() > 0 {
				t.Errorf("status %d: %s", status, errs.String())
			}
		})
	}
}

// A capture of a run that is interrupted is whole.
func TestACaptureOfAnInterruptedRun(t *testing.T) {
	beside(t)
	onWire(t)
	file := filepath.Join(t.TempDir(), "wire.pcapng")
	cmd := command(t, "echoc", "--wire", "--pcap", file, "--hold", "1h", "half-close")
	out := &syncWriter{w: new(bytes.Buffer)}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the hold", func() bool { return out.contains("held for") })
	cmd.Process.Signal(os.Interrupt)
	if status := statusOf(t, cmd.Wait()); status != 130 {
		t.Errorf("status %d", status)
	}
	rows := dissected(t, file, []string{"tcp.flags.fin", "tcp.flags.reset"})
	if !slices.ContainsFunc(rows, func(row []string) bool { return row[0] == "1" || row[1] == "1" }) {
		t.Errorf("no end of a connection in %q", rows)
	}
}

// --pcap goes with --capture as well: what is on loopback, once, in either command.
func TestACaptureOfThisHost(t *testing.T) {
	beside(t)
	if os.Getuid() != 0 {
		t.Skip("needs root: --capture")
	}
	dir := t.TempDir()
	mine, theirs, both := filepath.Join(dir, "client"), filepath.Join(dir, "server"), filepath.Join(dir, "both")
	s := start(t, "--runs", "1", "--capture", "--pcap", theirs, "close")
	if status, _, errs := run(t, "echoc", "--capture", "--pcap", mine, "close", s.addr); status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	if status := s.wait(t); status != 0 {
		t.Fatalf("echod: status %d", status)
	}
	if status, _, errs := run(t, "echoc", "--capture", "--quiet", "--pcap", both, "close"); status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	for _, file := range []string{mine, theirs, both} {
		rows := dissected(t, file, []string{"frame.interface_name", "tcp.flags.syn", "tcp.analysis.retransmission", "frame.comment"})
		syns := 0
		for _, row := range rows {
			if row[0] != "any" {
				t.Errorf("%s: %q", file, row)
			}
			syns += strings.Count(row[1], "1")
		}
		if all := joinedRows(rows); syns != 2 || !strings.Contains(all, "ESTABLISHED") && !strings.Contains(all, "CLOSE-WAIT") {
			t.Errorf("%s:\n%s", file, all)
		}
	}
}

func TestCapturesThatCannotBe(t *testing.T) {
	t.Parallel()
	onWire(t)
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"--pcap x close", 2, "goes with --wire or --capture"},
		{"--pcap-both close", 2, "goes with --wire"},
		{"--wire --pcap-both close", 2, "goes with --pcap FILE"},
		{"--wire --pcap /no/such/folder/x close", 1, "--pcap /no/such/folder/x: no such file or directory"},
		{"--wire --pcap /dev/full close", 1, "no space left on device"},
		{"--capture --pcap - 127.0.0.1:9", 2, "standard output"},
	} {
		status, out, errs := run(t, "echoc", strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(errs, c.says) || strings.Count(errs, "\n") != 1 || c.status == 2 && out != "" {
			t.Errorf("%s: status %d: %s%s", c.args, status, out, errs)
		}
	}
}

// In a terminal the capture would be noise.
func TestACaptureIsNotForATerminal(t *testing.T) {
	beside(t)
	term := inTerminal(t, 100, "echoc", "--wire", "--pcap", "-", "close")
	if status := term.end(); status != 2 || !regexp.MustCompile(`wireshark -k -i -`).MatchString(term.shown()) {
		t.Errorf("status %d: %s", status, term.shown())
	}
}
