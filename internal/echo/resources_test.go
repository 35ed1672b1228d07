package echo

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestServerOutOfDescriptors: with no descriptor left the server goes on serving those it has, lets the others wait in
// the accept queue without burning the processor, and takes them as descriptors come free.
func TestServerOutOfDescriptors(t *testing.T) {
	const clients = 40
	server := startChild(t, childConfig{Descriptors: 24, Count: true})
	addr := server.status().Addr
	conns := make([]*net.TCPConn, clients)
	for i := range conns {
		conns[i] = dialServer(t, addr) // the kernel completes the handshake, whoever accepts
		if _, err := io.WriteString(conns[i], "hello"); err != nil {
			t.Fatal(err)
		}
	}
	var full childStatus
	wait(t, "out of descriptors", func() bool {
		full = server.status()
		return full.Paused != ""
	})
	if open := full.Stats.Open; open < 10 || open >= 24 {
		t.Fatalf("with 24 descriptors %d connections are open", open)
	}
	t.Logf("%d open, %q", full.Stats.Open, full.Paused)

	// It tries again after 50, 100, 200 and 400 ms. A loop that spins would be there at once, or use the processor.
	start, later := time.Now(), full
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for later.Refusals < full.Refusals+4 && time.Since(start) < patience {
		<-poll.C
		later = server.status()
	}
	watched := time.Since(start)
	if later.Refusals < full.Refusals+4 || watched < 300*time.Millisecond {
		t.Errorf("%d tries in %v", later.Refusals-full.Refusals, watched)
	}
	if cpu := time.Duration(later.CPUMicros-full.CPUMicros) * time.Microsecond; cpu > watched/4 {
		t.Errorf("%v of processor time in %v with nothing to do", cpu, watched)
	}
	if later.Stats.Pauses != 1 {
		t.Errorf("paused %d times", later.Stats.Pauses)
	}

	for i, c := range conns { // each gets its echo in turn, and makes room for another
		got := make([]byte, 5)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
			t.Fatalf("client %d: %q, %v", i, got, err)
		}
		c.Close()
	}
	wait(t, "all closed, not paused", func() bool {
		st := server.status()
		return st.Stats.Open == 0 && st.Paused == ""
	})
	if end := server.finish(); end.Stats.Accepted != clients || end.Stats.Finished != clients || end.Err != "" {
		t.Errorf("%+v", end)
	}
}

// injecting is the command under which accept4 fails as strace(1) is told: for errors that are hard to get otherwise.
func injecting(t *testing.T, fault string) []string {
	t.Helper()
	strace := needs(t, "strace", "strace")
	if out, err := exec.Command(strace, "-qq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: allow ptrace (kernel.yama.ptrace_scope): %s", out)
	}
	return []string{strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=accept4", "-e", "signal=none", "-e", "inject=accept4:" + fault, "--"}
}

// TestServerAcceptErrors: an error of accept4 that says nothing of the listener is not the end.
func TestServerAcceptErrors(t *testing.T) {
	for _, c := range []struct {
		errno string
		count func(Stats) int64
	}{
		{"ECONNABORTED", func(s Stats) int64 { return s.Aborted }},
		{"EPROTO", func(s Stats) int64 { return s.Aborted }},
		{"ETIMEDOUT", func(s Stats) int64 { return s.Aborted }},
		{"EOPNOTSUPP", func(s Stats) int64 { return s.Aborted }},
		{"EACCES", func(s Stats) int64 { return s.Aborted }},
		{"EIO", func(s Stats) int64 { return s.Aborted }},
		{"ENFILE", func(s Stats) int64 { return s.Pauses }},
		{"ENOBUFS", func(s Stats) int64 { return s.Pauses }},
	} {
		t.Run(c.errno, func(t *testing.T) {
			t.Parallel()
			// The first call of each thread: strace counts them by thread, and the loop moves between Go's.
			server := startChild(t, childConfig{}, injecting(t, "error="+c.errno+":when=1")...)
			addr := server.status().Addr
			for range 3 {
				conn := dialServer(t, addr)
				exchange(t, conn, "hello")
				conn.Close()
			}
			end := server.finish()
			if n := end.Stats; n.Accepted != 3 || c.count(n) < 1 || end.Err != "" {
				t.Errorf("%+v", end)
			}
		})
	}
}

// TestServerAcceptErrorsThatLast: a server that a security module lets accept nobody says so, does not spin, and can be
// stopped. It runs alone, as all tests with a child do: SIGCHLD would end the close(2) that TestServerLingeringClose is
// about.
func TestServerAcceptErrorsThatLast(t *testing.T) {
	server := startChild(t, childConfig{Count: true}, injecting(t, "error=EPERM")...)
	dialServer(t, server.status().Addr)
	var paused childStatus
	wait(t, "not accepting", func() bool {
		paused = server.status()
		return paused.Paused != ""
	})
	if !strings.Contains(paused.Paused, "operation not permitted") {
		t.Errorf("not accepting because of %q", paused.Paused)
	}
	start, later := time.Now(), paused
	wait(t, "three more tries", func() bool {
		later = server.status()
		return later.Refusals >= paused.Refusals+3
	})
	if took := time.Since(start); took < 150*time.Millisecond { // 50, 100 and 200 ms, of which the first has begun
		t.Errorf("%d tries in %v", later.Refusals-paused.Refusals, took)
	}
	if end := server.finish(); end.Err != "" || end.Stats.Aborted < mostFailures || end.Stats.Accepted != 0 {
		t.Errorf("%+v", end)
	}
}
