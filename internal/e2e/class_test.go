package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var class = flag.Int("class", 0, "how many clients a class has, for every scenario: .ci/class; 0: a sample")

// TestAClassOnOneServer has many clients come to one server at once, with strangers among them: each is served, and its
// run is right.
func TestAClassOnOneServer(t *testing.T) {
	clients, names := 6, []string{"half-close", "handshake", "accept-reset", "time-wait", "linger-wait", "crash"}
	if *class > 0 {
		clients, names = *class, scenarios(t)
		if only := flag.Args(); len(only) > 0 {
			names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(only, n) })
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if *class == 0 {
				beside(t) // whole classes beside each other would be a test of the machine
			}
			s := start(t, "--json", name)
			stop := strangers(t, s.addr, name)
			killed := command(t, "echoc", "--json", name, s.addr)
			if err := killed.Start(); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			cmds, outs := make([]*exec.Cmd, clients), make([]bytes.Buffer, clients)
			for i := range cmds {
				cmds[i] = command(t, "echoc", "--json", name, s.addr)
				cmds[i].Stdout, cmds[i].Stderr = &outs[i], &outs[i]
				if err := cmds[i].Start(); err != nil {
					t.Fatal(err)
				}
			}
			killed.Process.Kill()
			killed.Wait()
			waited, right, unable, again := 0, 0, 0, 0
			for i, cmd := range cmds {
				out := ""
				status := statusOf(t, cmd.Wait())
				switch out = outs[i].String(); status {
				case 0:
					right++
				case 3:
					unable++
				default:
					t.Errorf("client %d: status %d\n%s", i, status, lastLines(out, 3))
				}
				if strings.Contains(out, `"waiting: `) {
					waited++
				}
				again += strings.Count(out, `"kind":"begin"`) - 1
			}
			took := time.Since(began)
			stop()
			s.cmd.Process.Signal(unix.SIGTERM)
			status := s.wait(t)
			if unable == clients {
				t.Skip("cannot be played here")
			}
			if waited == 0 {
				t.Error("nobody was told to wait")
			}
			if status != 0 && *class == 0 && strings.Contains(s.stderr(), "HTTP") {
				t.Errorf("the server: status %d\n%s", status, s.stderr())
			}
			row := t.Logf
			if *class > 0 {
				row = func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
			}
			row("| %s | %d of %d | %d | %d | %.1f s |", name, right, clients, waited, max(again, 0), took.Seconds())
		})
	}
}

// strangers connect as scanners and others do, before the first client and while it plays; those that stay are closed
// by what is returned.
func strangers(t *testing.T, addr, name string) (stop func()) {
	t.Helper()
	var open []net.Conn
	knock := func(word string) net.Conn {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return nil
		}
		c.Write([]byte(word))
		return c
	}
	for _, word := range []string{"", "reset", "GET / HTTP/1.0\r\n\r\n", name[:3], name + " hold=1h\n"} {
		c := knock(strings.TrimPrefix(word, "reset"))
		switch {
		case c == nil: // a full queue
		case word == "reset":
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		default:
			open = append(open, c)
		}
	}
	return func() {
		for _, c := range open {
			c.Close()
		}
	}
}

// A client that is silent, dead or asks for an hour delays the next one for ten seconds at most, and is no run.
func TestWhoDelaysNobody(t *testing.T) {
	for name, word := range map[string]string{"silent": "", "a byte": "h", "an hour": "half-close hold=1h\n"} {
		t.Run(name, func(t *testing.T) {
			beside(t)
			s := start(t, "--json", "half-close")
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.Write([]byte(word))
			began := time.Now()
			if status, _, errs := run(t, "echoc", "--json", "half-close", s.addr); status != 0 {
				t.Errorf("the client: status %d, %s", status, errs)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A server that was scanned and nothing else has not failed.
func TestAScannedServerEndsWell(t *testing.T) {
	beside(t)
	s := start(t, "--json", "half-close")
	for _, word := range []string{"", "GET / HTTP/1.0\r\n\r\n"} {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte(word))
		c.(*net.TCPConn).SetLinger(0)
		if word != "" {
			c.(*net.TCPConn).SetLinger(-1)
			c.Read(make([]byte, 64)) // it is told
		}
		c.Close()
	}
	if status, _, errs := run(t, "echoc", "--json", "half-close", s.addr); status != 0 {
		t.Errorf("the client: status %d, %s", status, errs)
	}
	s.cmd.Process.Signal(unix.SIGTERM)
	if status := s.wait(t); status != 0 {
		t.Errorf("the server: status %d\n%s", status, s.stderr())
	}
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
