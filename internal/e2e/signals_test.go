package e2e

import (
	"bufio"
	"context"
	"io"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// spoken starts a command and returns what it writes on standard output, line by line.
func spoken(t *testing.T, cmd *exec.Cmd) *bufio.Scanner {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return bufio.NewScanner(out)
}

// until reads to the line that has that in it.
func until(t *testing.T, lines *bufio.Scanner, parts ...string) string {
	t.Helper()
	for lines.Scan() {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(lines.Text(), p) }) {
			return lines.Text()
		}
	}
	t.Fatalf("it has ended without a word of %q", parts)
	return ""
}

// scenarioServer starts an echod that plays one run, and returns where.
func scenarioServer(t *testing.T, name string) (cmd *exec.Cmd, lines *bufio.Scanner, addr netip.AddrPort) {
	t.Helper()
	cmd = command(t, "echod", "--listen", "127.0.0.1:0", "--runs", "1", "--json", name)
	lines = spoken(t, cmd)
	return cmd, lines, listeningAt(t, lines)
}

// listeningAt reads to where the server says its address.
func listeningAt(t *testing.T, lines *bufio.Scanner) netip.AddrPort {
	t.Helper()
	_, rest, _ := strings.Cut(until(t, lines, "listening on "), "listening on ")
	text, _, _ := strings.Cut(rest, `"`)
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// stopAndGoOn is ^Z and fg.
func stopAndGoOn(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status unix.Siginfo
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &status, unix.WSTOPPED, nil); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// rest is what a command has yet to say, and its exit status.
func rest(t *testing.T, cmd *exec.Cmd, lines *bufio.Scanner) (said string, status int) {
	t.Helper()
	var all strings.Builder
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
	}
	return all.String(), statusOf(t, cmd.Wait())
}

// A write() that a signal ends is gone on with, and both calls are shown.
func TestAStoppedWriteGoesOn(t *testing.T) {
	t.Parallel()
	server, lines, addr := scenarioServer(t, "half-close")
	c, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := sockapi.SO_RCVBUF.Set(c, 32<<10); err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(addr); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("half-close hold=0s\n")); err != nil {
		t.Fatal(err)
	}
	if err := c.Shutdown(unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	until(t, lines, `"kind":"enter","id":`, `"call":"write"`)
	stopAndGoOn(t, server)
	until(t, lines, `"call":"write"`) // the first, which came back short
	got, err := io.Copy(io.Discard, c.Stream())
	if err != nil || got != 256<<10 {
		t.Errorf("%d bytes, %v", got, err)
	}
	c.Close()
	said, status := rest(t, server, lines)
	if status != 0 || strings.Count(said, `"call":"write"`) == 0 {
		t.Errorf("status %d\n%s", status, said)
	}
}

// A close() with SO_LINGER that a signal ends says so, and is no failure.
func TestAStoppedCloseIsTold(t *testing.T) {
	t.Parallel()
	server, serverLines, addr := scenarioServer(t, "linger-wait")
	client := command(t, "echoc", "--json", "linger-wait", addr.String())
	lines := spoken(t, client)
	until(t, lines, `"call":"close"`) // it is entered, and blocks
	stopAndGoOn(t, client)
	said, status := rest(t, client, lines)
	if status != 0 || !strings.Contains(said, "a signal came (continued)") {
		t.Errorf("status %d\n%s", status, said)
	}
	if said, status := rest(t, server, serverLines); status != 0 {
		t.Errorf("the server: status %d\n%s", status, said)
	}
}

// A process with too few descriptors for a run is no server: that is one line and the end, and not thousands.
func TestAScenarioServerWithoutDescriptors(t *testing.T) {
	t.Parallel()
	prlimit, err := exec.LookPath("prlimit")
	if err != nil {
		t.Skip("install util-linux")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, prlimit, "--nofile=9", filepath.Join(bin, "echod"), "-q", "--listen", "127.0.0.1:0", "half-close")
	var errs strings.Builder
	cmd.Stderr = &errs
	if status := statusOf(t, cmd.Run()); status != 3 || strings.Count(errs.String(), "\n") != 1 || !strings.Contains(errs.String(), "ulimit -n") {
		t.Errorf("status %d\n%s", status, errs.String())
	}
}

// Somebody who connects and leaves has not played: that is no failure of the server's.
func TestAPortScanIsNoRun(t *testing.T) {
	t.Parallel()
	server := command(t, "echod", "--listen", "127.0.0.1:0", "--json", "half-close")
	var errs strings.Builder
	server.Stderr = &errs
	lines := spoken(t, server)
	addr := listeningAt(t, lines)
	c, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(addr); err != nil {
		t.Fatal(err)
	}
	c.Close()
	until(t, lines, `"call":"read"`)
	until(t, lines, `"kind":"enter","id":`, `"call":"accept4"`) // the next run
	server.Process.Signal(syscall.SIGTERM)
	if said, status := rest(t, server, lines); status != 0 || !strings.Contains(errs.String(), "left without a request") {
		t.Errorf("status %d\n%s%s", status, said, errs.String())
	}
}
