package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// threads is what /proc says of each thread of a process, under those names; each set of values once.
func threads(t *testing.T, pid int, names ...string) string {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d threads, %v", len(files), err)
	}
	var sets []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		var values []string
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(line, ":")
			for _, want := range names {
				if name == want {
					values = append(values, strings.Fields(value)[0])
				}
			}
		}
		if set := strings.Join(values, " "); !strings.Contains("\n"+strings.Join(sets, "\n")+"\n", "\n"+set+"\n") {
			sets = append(sets, set)
		}
	}
	return strings.Join(sets, " / ")
}

// What root may is gone once the server listens, in every thread, and all that was asked for still works.
func TestTheServerLeavesRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: there is nothing to leave")
	}
	const none = "0000000000000000"
	left := strings.Join([]string{"65534", "65534", none, none, none, none, "1", "2"}, " ") // in the order of /proc
	for _, c := range []struct {
		name string
		args string
		root bool // it ends as root
		says string
	}{
		{name: "plain"},
		{name: "a port below 1024", args: "--listen 127.0.0.1:7"},
		{name: "segments", args: "--capture", says: "FIN"},
		{name: "segments into a pipe", args: "--capture --pcap - --quiet=false"},
		{name: "events", args: "--json", says: `"call":"accept4"`},
		{name: "transitions", args: "--trace --json", root: true, says: `"source":"tracepoint"`},
		{name: "a record", args: "--record FILE", root: true},
		{name: "segments into a file", args: "--capture --pcap FILE", root: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			beside(t)
			file := filepath.Join(t.TempDir(), "file")
			s := start(t, strings.Fields(strings.ReplaceAll(c.args, "FILE", file))...)
			got := threads(t, s.cmd.Process.Pid, "Uid", "Gid", "CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp")
			switch {
			case !c.root && got != left:
				t.Errorf("it has %s, want %s", got, left)
			case c.root && (!strings.HasPrefix(got, "0 0 ") || !strings.HasSuffix(got, " 1 2")):
				t.Errorf("it has %s, want root with no_new_privs and a filter", got)
			}
			lines(t, s.addr)
			s.cmd.Process.Signal(unix.SIGTERM)
			if status := s.wait(t); status != 0 || !strings.Contains(s.stderr(), "echod: 1 connection: 1 finished; 18 bytes in, 18 out") {
				t.Errorf("status %d: %s", status, s.stderr())
			}
			if !strings.Contains(s.out.String(), c.says) {
				t.Errorf("no %q in\n%s", c.says, s.out.String())
			}
			if _, err := os.Stat(file); (err == nil) != strings.Contains(c.args, "FILE") {
				t.Errorf("the file: %v", err)
			}
		})
	}
}

// SIGTERM lets clients finish, whoever the server is.
func TestTheServerThatLeftRootDrains(t *testing.T) {
	beside(t)
	s := start(t, "--drain-timeout", "10s")
	client := command(t, "echoc", "--quiet", s.addr)
	in, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := &syncWriter{w: new(bytes.Buffer)}
	client.Stdout = out
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(in, "before")
	eventually(t, "the echo", func() bool { return out.contains("before\n") })
	s.cmd.Process.Signal(unix.SIGTERM)
	if status := s.wait(t); status != 0 || !strings.Contains(s.stderr(), "1 connection: 1 drained; 7 bytes in, 7 out") {
		t.Errorf("status %d: %s", status, s.stderr())
	}
	in.Close()
	client.Wait()
}

// An ordinary user has no root to leave; a program without C in it also gives up what the file grants.
func TestTheServerDropsWhatItsFileGrants(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to grant it")
	}
	setcap, err := exec.LookPath("setcap")
	if err != nil {
		t.Skip("needs setcap: install libcap2-bin")
	}
	dir := t.TempDir()
	os.Chmod(dir, 0o755)
	os.Chmod(filepath.Dir(dir), 0o755)
	build := exec.Command("go", "build", "-o", dir+"/", "socklife/cmd/echod")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.Command(setcap, "cap_net_bind_service=ep", dir+"/echod").CombinedOutput(); err != nil {
		t.Skipf("no file capabilities here: %v: %s", err, out)
	}
	beside(t)
	cmd := command(t, dir+"/echod", "--listen", "127.0.0.1:7")
	asNobody(t, cmd)
	server := startAs(t, cmd)
	const none = "0000000000000000"
	if got, want := threads(t, server.cmd.Process.Pid, "Uid", "CapInh", "CapPrm", "CapEff", "CapAmb"), "65534 "+none+" "+none+" "+none+" "+none; got != want {
		t.Errorf("it has %s, want %s", got, want)
	}
	lines(t, server.addr)
}
