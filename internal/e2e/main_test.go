// Package e2e drives the two commands as a user does: as processes, through their arguments, streams and exit statuses.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var bin string // where echod and echoc are

// The commands wait for the kernel nearly all the time. So many of them wait beside each other, unless -parallel says
// how many.
const waiters = 16

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		flag.Set("test.parallel", strconv.Itoa(waiters))
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "socklife-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		os.Chmod(dir, 0o755) // an ordinary user runs them too
		if err := build("-o", dir+"/", "socklife/cmd/echod", "socklife/cmd/echoc"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		bin = dir
		return m.Run()
	}())
}

// build makes commands, which look for data races if the tests do.
func build(args ...string) error {
	if raceDetector {
		args = append([]string{"-race"}, args...)
	}
	if out, err := exec.Command("go", append([]string{"build"}, args...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %v\n%s", err, out)
	}
	return nil
}

// patience is how long anything here may take before the test gives up.
const patience = 120 * time.Second

// command is one of the two, or a program by its path, ready to be started; it is killed when the test is over.
func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	if !filepath.IsAbs(name) { // ours
		name = filepath.Join(bin, name)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm")
	return cmd
}

// run waits for a command and returns its exit status and what it wrote.
func run(t *testing.T, name string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return finish(t, command(t, name, args...))
}

func finish(t *testing.T, cmd *exec.Cmd) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	return statusOf(t, cmd.Run()), out.String(), errs.String()
}

func statusOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return -1
}

// server is an echod that listens.
type server struct {
	cmd  *exec.Cmd
	addr string
	out  bytes.Buffer

	mu   sync.Mutex
	errs strings.Builder
	done chan error
}

// start starts echod on a free port and waits until it says where it listens.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	return startAs(t, command(t, "echod", append([]string{"--listen", "127.0.0.1:0"}, args...)...))
}

func startAs(t *testing.T, cmd *exec.Cmd) *server {
	t.Helper()
	return startWith(t, cmd, nil)
}

// startWith is startAs for a server whose standard output is kept by somebody else; nil is the test.
func startWith(t *testing.T, cmd *exec.Cmd, stdout *os.File) *server {
	t.Helper()
	s := &server{cmd: cmd, done: make(chan error, 1)}
	if s.cmd.Stdout = &s.out; stdout != nil {
		s.cmd.Stdout = stdout
	}
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() {
		for sc := bufio.NewScanner(pipe); sc.Scan(); {
			s.mu.Lock()
			s.errs.WriteString(sc.Text() + "\n")
			s.mu.Unlock()
			if addr, ok := strings.CutPrefix(sc.Text(), "echod: listening on "); ok {
				listening <- addr
			}
		}
		s.done <- s.cmd.Wait()
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.done <- <-s.done
	})
	select {
	case s.addr = <-listening:
	case err := <-s.done:
		s.done <- err
		t.Fatalf("echod ended: %v\n%s", err, s.stderr())
	case <-time.After(patience):
		t.Fatal("echod does not say where it listens")
	}
	return s
}

func (s *server) stderr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errs.String()
}

// wait waits for the server to end and returns its exit status.
func (s *server) wait(t *testing.T) int {
	t.Helper()
	select {
	case err := <-s.done:
		s.done <- err
		return statusOf(t, err)
	case <-time.After(patience):
		t.Fatalf("echod does not end\n%s", s.stderr())
		return -1
	}
}

// scenarios are the names that --list gives, of those that need no wire.
func scenarios(t *testing.T) []string { return listed(t, false) }

func listed(t *testing.T, wire bool) (names []string) {
	t.Helper()
	status, out, errs := run(t, "echoc", "--list")
	if status != 0 {
		t.Fatal(errs)
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "  ") && strings.HasSuffix(line, "(--wire)\n") == wire {
			names = append(names, strings.Fields(line)[0])
		}
	}
	return names
}

// some are all names; with -short, every sixth.
func some(names []string) (list []string) {
	for i, name := range names {
		if !testing.Short() || i%6 == 0 {
			list = append(list, name)
		}
	}
	return list
}

// eventually waits until ok, for at most patience.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: it did not come", what)
		}
	}
}
