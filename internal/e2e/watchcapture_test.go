package e2e

import (
	"strconv"
	"strings"
	"testing"
)

// The segments of a watched connection, from its SYN on, with whose they are where a look has shown the listener; those
// of others are not told.
func TestWatchCapture(t *testing.T) {
	own(t)
	addr, port := quietServer(t)
	other, _ := quietServer(t)
	w := startWatch(t, "--capture", "--every", "10s", ":"+port)
	connections(t, other, 2, 1)
	connections(t, addr, 3, 1)
	eventually(t, "the last FIN", func() bool { return strings.Count(w.text(), `"FIN"`) == 6 })
	told, tally := w.stop()
	segments, syns := 0, 0
	for _, e := range told {
		if e.text("kind") != "segment" {
			continue
		}
		segments++
		sender, to := "client", e.text("dst")
		if e.text("src") == addr {
			sender, to = "server", e.text("src")
		}
		if e.text("sender") != sender || to != addr {
			t.Errorf("%v", e)
		}
		if flags := e["flags"].([]any); flags[0] == "SYN" {
			syns++
		}
	}
	if syns != 6 || tally.number("segments") != float64(segments) || tally["transitions"] != nil {
		t.Errorf("%d SYNs, %d segments, %v", syns, segments, tally)
	}
}

// Of a process: what comes in through its listener.
func TestWatchCaptureOfAProcess(t *testing.T) {
	own(t)
	s := startScene(t, nil, "idle")
	addr, _ := quietServer(t)
	w := startWatch(t, "--capture", "--every", "10s", "--pid", strconv.Itoa(s.pid))
	connections(t, addr, 2, 1)
	connections(t, "127.0.0.1:"+s.port, 1, 1)
	eventually(t, "its FIN", func() bool { return strings.Contains(w.text(), `"FIN"`) })
	told, _ := w.stop()
	for _, e := range told {
		if e.text("kind") == "segment" && !strings.HasSuffix(e.text("src"), ":"+s.port) && !strings.HasSuffix(e.text("dst"), ":"+s.port) {
			t.Errorf("%v", e)
		}
	}
}

// An ordinary user is told what is missing, in a line, and nothing is left behind.
func TestWatchCaptureNeedsRoot(t *testing.T) {
	own(t)
	for _, flags := range []string{"--capture", "--capture --json"} {
		cmd := command(t, "echoc", append(strings.Fields(flags), "watch", "--for", "1s", "all")...)
		asNobody(t, cmd)
		status, out, errs := finish(t, cmd)
		if status != 3 || out != "" || errs != "echoc: --capture needs CAP_NET_RAW: run the same command with sudo\n" {
			t.Errorf("status %d, %q, %q", status, out, errs)
		}
	}
}
