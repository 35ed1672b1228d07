package e2e

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// syncWriter is a buffer that can be looked at while a process writes into it.
type syncWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

func (s *syncWriter) contains(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.w.String(), text)
}

func TestEchoThereAndBack(t *testing.T) {
	beside(t)
	s := start(t)
	data := make([]byte, 10<<20)
	rand.Read(data)
	client := command(t, "echoc", "--quiet", s.addr)
	client.Stdin = bytes.NewReader(data)
	status, out, errs := finish(t, client)
	if status != 0 || out != string(data) || errs != "" {
		t.Errorf("status %d, %d of %d bytes the same: %v, on standard error %q", status, len(out), len(data), out == string(data), errs)
	}
	s.cmd.Process.Signal(unix.SIGTERM)
	if status := s.wait(t); status != 0 || !strings.Contains(s.stderr(), ": finished, 10485760 bytes echoed\nechod: 1 connection: 1 finished; ") {
		t.Errorf("status %d after SIGTERM: %s", status, s.stderr())
	}
}

func TestTheClientTellsOnStandardError(t *testing.T) {
	beside(t)
	s := start(t, "--quiet=false")
	client := command(t, "echoc", s.addr)
	client.Stdin = strings.NewReader("hello\n")
	status, out, errs := finish(t, client)
	if status != 0 || out != "hello\n" {
		t.Errorf("status %d, standard output %q", status, out)
	}
	for _, want := range []string{"connect(", "shutdown(", "FIN-WAIT", "close(", "6 bytes sent, 6 came back"} {
		if !strings.Contains(errs, want) {
			t.Errorf("no %q in what is told:\n%s", want, errs)
		}
	}
}

func TestSocketOptionsAreSet(t *testing.T) {
	beside(t)
	s := start(t, "--json", "--backlog", "3", "--rcvbuf", "20000")
	client := command(t, "echoc", "--json", "--linger", "0", "--nodelay", "--bind", "127.0.0.1", s.addr)
	client.Stdin = strings.NewReader("x")
	_, _, errs := finish(t, client)
	for _, want := range []string{`"SO_LINGER","{l_onoff=1, l_linger=0}"`, `"TCP_NODELAY","[1]"`, `"call":"bind"`} {
		if !strings.Contains(errs, want) {
			t.Errorf("no %s in\n%s", want, errs)
		}
	}
	s.cmd.Process.Signal(unix.SIGTERM)
	s.wait(t)
	for _, want := range []string{`"call":"listen","args":["`, `"3"]`, `"SO_RCVBUF","[20000]"`, `"SO_RCVBUF","[40000]"`} {
		if !strings.Contains(s.out.String(), want) {
			t.Errorf("no %s in\n%s", want, s.out.String())
		}
	}
}

// A server whose standard error is a file says of each connection how it ended, and nothing of ends that did not come.
func TestTheServerTellsHowConnectionsEnd(t *testing.T) {
	t.Parallel()
	s := start(t)
	client := command(t, "echoc", "--quiet", s.addr)
	client.Stdin = strings.NewReader("x")
	if status, _, errs := finish(t, client); status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
	eventually(t, "both are told", func() bool { return strings.Count(s.stderr(), "\n") == 3 })
	s.cmd.Process.Signal(unix.SIGTERM)
	s.wait(t)
	for _, want := range []string{`\nechod: 127\.0\.0\.1:\d+: finished, 1 byte echoed\n`, `\nechod: 127\.0\.0\.1:\d+: reset, 0 bytes echoed\n`,
		`\nechod: 2 connections: 1 finished, 1 reset; 1 byte in, 1 out\n$`} {
		if !regexp.MustCompile(want).MatchString(s.stderr()) {
			t.Errorf("no %s in\n%s", want, s.stderr())
		}
	}
}

// Nobody has to read what it says: its clients do not wait for that.
func TestTheServerDoesNotWaitForItsReader(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "echod", "--listen", "127.0.0.1:0")
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(io.LimitReader(r, int64(len("echod: listening on 127.0.0.1:00000\n")))).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "echod: listening on ")
	if err != nil || !ok {
		t.Skipf("%q, %v", line, err) // a port of four digits
	}
	for range 300 { // 300 lines are more than one page
		lines(t, addr)
	}
}

// With --ipv6 a port alone is one of ::1, for both.
func TestThisHostByIPv6(t *testing.T) {
	t.Parallel()
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skipf("needs IPv6: %v", err)
	} else {
		l.Close()
	}
	s := startAs(t, command(t, "echod", "-6", "--listen", ":0"))
	port, ok := strings.CutPrefix(s.addr, "[::1]")
	if !ok {
		t.Fatalf("listens on %s", s.addr)
	}
	client := command(t, "echoc", "-6", "--quiet", port)
	client.Stdin = strings.NewReader("x")
	if status, out, errs := finish(t, client); status != 0 || out != "x" {
		t.Errorf("status %d, %q, %s", status, out, errs)
	}
}
