package e2e

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A process that was not started to be a worker is none, whatever it is told.
func TestOnlyAWorkerIsAWorker(t *testing.T) {
	for _, name := range []string{"echod", "echoc"} {
		cmd := command(t, name, "--version")
		cmd.Env = append(cmd.Env, "SOCKLIFE_WORKER=1")
		if status, out, errs := finish(t, cmd); status != 0 || !strings.HasPrefix(out, name+" ") {
			t.Errorf("%s, told by its environment: status %d, %q, %q", name, status, out, errs)
		}
		cmd = command(t, name, "--version")
		cmd.Args[0] = "socklife worker"
		if status, out, errs := finish(t, cmd); status != 0 || !strings.HasPrefix(out, name+" ") {
			t.Errorf("%s, told by its name: status %d, %q, %q", name, status, out, errs)
		}
	}
}

// --pcap with a variable that is not set says so, and writes nothing.
func TestPcapWithoutAName(t *testing.T) {
	status, out, errs := run(t, "echoc", "--wire", "--pcap", "", "close")
	if status != 2 || out != "" || !strings.HasPrefix(errs, "echoc: --pcap '': ") {
		t.Errorf("status %d, %q, %q", status, out, errs)
	}
}

// A half-close that the kernel refuses, while the connection lives, ends the client.
func TestAHalfCloseThatFails(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not here: install strace")
	}
	if out, err := exec.Command(strace, "-qq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: allow ptrace (kernel.yama.ptrace_scope): %s", out)
	}
	s := start(t)
	for _, when := range []string{":when=1", ""} { // the first of each thread; every one
		client := command(t, "echoc", "--quiet", s.addr)
		client.Args = append([]string{strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=shutdown", "-e", "signal=none",
			"-e", "inject=shutdown:error=ENOBUFS" + when, "--", client.Path}, client.Args[1:]...)
		client.Path = strace
		client.Stdin = strings.NewReader("hello\n")
		status, _, errs := finish(t, client)
		if status != 1 || !strings.Contains(errs, "no buffer space available") || strings.Count(errs, "\n") != 1 {
			t.Errorf("shutdown fails%s: status %d, %q", when, status, errs)
		}
	}
}

// What a worker cannot do is said once, by whoever started it.
func TestAWorkerThatCannotBegin(t *testing.T) {
	t.Parallel()
	cmd := command(t, "echoc", "--quiet", "crash")
	injected(t, cmd, "-e", "inject=getsockopt:error=EFAULT:when=1", "-e", "signal=none")
	_, _, errs := finish(t, cmd)
	if strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "bad address") {
		t.Errorf("%q", errs)
	}
}

// Nor is it said to be at work before it has greeted its peer: the lesson would wait for a word that nobody says.
func TestAWorkerThatCannotGreet(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	worker := command(t, "echoc")
	worker.Args = []string{"socklife worker"}
	worker.ExtraFiles = []*os.File{f} // its descriptor 3
	if status, out, errs := finish(t, worker); status != 100+int(unix.EPIPE) || out != "" || errs != "" {
		t.Errorf("write fails: status %d, %q, %q", status, out, errs)
	}
}

// A look that fails is told as that, and not as what came of it.
func TestALookThatFails(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"1", "2", "3", "4"} {
		cmd := command(t, "echoc", "--quiet", "close")
		injected(t, cmd, "-e", "trace=getsockopt", "-e", "inject=getsockopt:error=ENOTSOCK:when="+when, "-e", "signal=none")
		if status, _, errs := finish(t, cmd); status != 1 || !strings.HasPrefix(errs, "echoc: TCP_INFO failed while watching: ") || strings.Count(errs, "\n") != 1 {
			t.Errorf("the %s. of each thread: status %d, %q", when, status, errs)
		}
	}
}
