package load

import (
	"bufio"
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// server is an echod under load.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	port uint16

	began sample          // before anybody came
	over  <-chan struct{} // the time of the load; nil: it has no end
	late  atomic.Int64    // clients that it ended by the idle timeout before they had read all

	mu   sync.Mutex
	says bytes.Buffer // on standard error
	done chan struct{}
}

// start starts echod on a free port of all addresses, so that clients can have many pairs of ports.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	return startCmd(t, exec.Command(bin, append([]string{"--listen", "0.0.0.0:0"}, args...)...))
}

// startLimited starts one that can have so many descriptors.
func startLimited(t *testing.T, descriptors int) *server {
	t.Helper()
	return startCmd(t, exec.Command("sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" --listen 0.0.0.0:0`, descriptors), bin))
}

func startCmd(t *testing.T, cmd *exec.Cmd) *server {
	t.Helper()
	s := &server{t: t, cmd: cmd, done: make(chan struct{})}
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); <-s.done })
	listening := make(chan uint16, 1)
	go func() {
		defer close(s.done)
		for sc := bufio.NewScanner(pipe); sc.Scan(); {
			s.mu.Lock()
			fmt.Fprintln(&s.says, sc.Text())
			s.mu.Unlock()
			if addr, ok := strings.CutPrefix(sc.Text(), "echod: listening on "); ok {
				listening <- netip.MustParseAddrPort(addr).Port()
			}
		}
		s.cmd.Wait()
	}()
	select {
	case s.port = <-listening:
	case <-s.done:
		t.Fatalf("echod ended: %s", s.said())
	case <-time.After(patience):
		t.Fatal("echod does not say where it listens")
	}
	s.began = s.sample()
	return s
}

func (s *server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.says.String()
}

// told is how many lines have that text.
func (s *server) told(text string) (n int) {
	for line := range strings.Lines(s.said()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// stop ends the server, which must say so with status 0, and returns its last line.
func (s *server) stop() string {
	s.t.Helper()
	s.cmd.Process.Signal(unix.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatal("echod does not end")
	}
	lines := strings.Split(strings.TrimSpace(s.said()), "\n")
	if status := s.cmd.ProcessState.ExitCode(); status != 0 {
		s.t.Errorf("echod: status %d: %s", status, lines[len(lines)-1])
	}
	return lines[len(lines)-1]
}

// goroutines ends the server with SIGQUIT, at which Go's runtime tells of each; the runtime's own are not counted.
func (s *server) goroutines() int {
	s.t.Helper()
	s.cmd.Process.Signal(unix.SIGQUIT)
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatal("echod does not end")
	}
	return 1 + s.told("created by ") - s.told("created by runtime")
}

// sample is what the server uses at a moment.
type sample struct {
	resident    int64 // bytes of the process
	descriptors int
	threads     int
	cpu         time.Duration
	conns       int   // the server's ends, of any state that has memory
	kernel      int64 // bytes of the kernel for them: sock_diag
	host        int64 // bytes for the TCP of the host, both ends of our connections among them: /proc/net/sockstat
}

func (s *server) sample() (now sample) {
	s.t.Helper()
	proc := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
	for line := range strings.Lines(s.read(proc + "status")) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			now.resident = n << 10
		case "Threads":
			now.threads = int(n)
		}
	}
	entries, err := os.ReadDir(proc + "fd")
	if err != nil {
		s.t.Fatal(err)
	}
	now.descriptors = len(entries)
	stat := s.read(proc + "stat")
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	for _, i := range []int{11, 12} { // utime and stime, in hundredths of a second (proc_pid_stat(5))
		n, _ := strconv.Atoi(fields[i])
		now.cpu += time.Duration(n) * 10 * time.Millisecond
	}
	for line := range strings.Lines(s.read("/proc/net/sockstat")) {
		if words := strings.Fields(line); words[0] == "TCP:" {
			pages, _ := strconv.ParseInt(words[len(words)-1], 10, 64)
			now.host = pages * int64(os.Getpagesize())
		}
	}
	now.conns, now.kernel = s.sockets()
	return now
}

// sockets are the server's ends of connections, and what the kernel has allotted them.
func (s *server) sockets() (n int, memory int64) {
	s.t.Helper()
	diag, err := tcpinfo.Dial()
	if err != nil {
		s.t.Fatal(err)
	}
	defer diag.Close()
	list, err := diag.Dump(tcpinfo.Filter{Family: unix.AF_INET, LocalPort: s.port})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, one := range list {
		if one.State != tcpinfo.Listen && one.Mem != nil {
			n++
			memory += int64(one.Mem.RmemAlloc) + int64(one.Mem.WmemQueued) + int64(one.Mem.FwdAlloc)
		}
	}
	return n, memory
}

func (s *server) read(file string) string {
	s.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}
