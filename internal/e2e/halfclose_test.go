package e2e

import (
	"bytes"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestTheMainJob(t *testing.T) {
	begin := time.Now()
	status, out, errs := run(t, "echoc", "half-close")
	took := time.Since(begin)
	if status != 0 || errs != "" || !strings.Contains(out, "all met") {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	if took > time.Second && !raceDetector {
		t.Errorf("it took %v", took)
	}
	for _, want := range []string{"shutdown(", "FIN-WAIT-2", "CLOSE-WAIT", "TIME-WAIT", "LISTEN", "EPIPE", "RFC 9293"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	for line := range strings.Lines(out) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Error("colour in a pipe")
	}
}

// ss is what ss(8) prints of the TCP sockets of a port.
func ss(t *testing.T, port string) string {
	t.Helper()
	path, err := exec.LookPath("ss")
	if err != nil {
		t.Skip("needs ss: install iproute2")
	}
	out, err := exec.Command(path, "-tan", "( sport = :"+port+" or dport = :"+port+" )").CombinedOutput()
	if err != nil {
		t.Fatalf("ss: %v\n%s", err, out)
	}
	return string(out)
}

func TestWhileItHoldsSsSeesBothStates(t *testing.T) {
	t.Parallel()
	for _, holder := range []string{"client", "server"} {
		t.Run(holder, func(t *testing.T) {
			beside(t)
			serverArgs, clientArgs := []string{"--json", "--runs", "1", "half-close"}, []string{"--json"}
			if holder == "server" {
				serverArgs = append(serverArgs, "--hold", "2s")
			} else {
				clientArgs = append(clientArgs, "--hold", "2s")
			}
			s := start(t, serverArgs...)
			client := command(t, "echoc", append(clientArgs, "half-close", s.addr)...)
			var out bytes.Buffer
			client.Stdout = &out
			if err := client.Start(); err != nil {
				t.Fatal(err)
			}
			port := s.addr[strings.LastIndex(s.addr, ":")+1:]
			finWait := regexp.MustCompile(`FIN-WAIT-2\s+\d+\s+\d+\s+127\.0\.0\.1:(\d+)\s+127\.0\.0\.1:` + port + `\s`)
			eventually(t, "FIN-WAIT-2 and CLOSE-WAIT in ss", func() bool {
				table := ss(t, port)
				m := finWait.FindStringSubmatch(table)
				return m != nil && regexp.MustCompile(`CLOSE-WAIT\s+\d+\s+\d+\s+127\.0\.0\.1:`+port+`\s+127\.0\.0\.1:`+m[1]+`\s`).MatchString(table)
			})
			if status := statusOf(t, client.Wait()); status != 0 {
				t.Errorf("the client's status is %d", status)
			}
			if status := s.wait(t); status != 0 {
				t.Errorf("the server's status is %d", status)
			}
			failed(t, events(t, out.String()))
			failed(t, events(t, s.out.String()))
		})
	}
}

func TestEveryScenarioInTwoProcesses(t *testing.T) {
	t.Parallel()
	for _, name := range some(scenarios(t)) {
		t.Run(name, func(t *testing.T) {
			beside(t)
			s := start(t, "--json", "--runs", "2", name)
			for range 2 {
				status, out, errs := run(t, "echoc", "--json", name, s.addr)
				if status == 3 || strings.Contains(s.stderr(), "CAP_NET_ADMIN") {
					t.Skip(errs + s.stderr())
				}
				if status != 0 {
					t.Errorf("the client's status is %d: %s", status, errs)
				}
				all := events(t, out)
				failed(t, all)
				seesTheOther(t, all, "server")
			}
			if status := s.wait(t); status != 0 {
				t.Errorf("the server's status is %d: %s", status, s.stderr())
			}
			all := events(t, s.out.String())
			for _, e := range all {
				if e.text("kind") == "check" && e["ok"] != true {
					t.Errorf("server: %v", e)
				}
			}
			if !strings.Contains(all[0].text("text")+all[1].text("text"), "listening on "+s.addr) && !hasNote(all, "listening on "+s.addr) {
				t.Error("no event says where it listens")
			}
			seesTheOther(t, all, "client")
		})
	}
}

// Somebody who is not echoc comes first. The server says so, and goes on for the next client; it was no run of
// anybody's, and its exit status is as if nobody had come.
func TestTheServerGoesOnAfterARunThatFailed(t *testing.T) {
	beside(t)
	s := start(t, "--json", "--runs", "2", "half-close")
	stranger, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if _, err := stranger.Write([]byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "word of the stranger", func() bool { return strings.Contains(s.stderr(), "GET / HTTP/1.0") })
	eventually(t, "its next listener", func() bool {
		out, err := exec.Command("ss", "-Hltn", "src", s.addr).Output()
		return err == nil && len(out) > 0
	})
	status, out, errs := run(t, "echoc", "--json", "half-close", s.addr)
	if status != 0 {
		t.Errorf("the next client's status is %d: %s", status, errs)
	}
	failed(t, events(t, out))
	s.cmd.Process.Signal(unix.SIGTERM)
	if status := s.wait(t); status != 0 {
		t.Errorf("the server's status is %d, want 0: %s", status, s.stderr())
	}
}

func hasNote(all []event, text string) bool {
	for _, e := range all {
		if e.text("kind") == "note" && e.text("text") == text {
			return true
		}
	}
	return false
}

// seesTheOther: a terminal shows the states of the other end too, where that is on the same host, and says where from.
func seesTheOther(t *testing.T, all []event, side string) {
	t.Helper()
	for _, e := range all {
		if e.text("kind") == "state" && e.text("side") == side {
			if e.text("source") == "sock_diag" {
				return
			}
			t.Errorf("the other process' socket cannot have been seen by %s", e.text("source"))
		}
	}
	t.Errorf("nothing of the %s is shown", side)
}

func TestInterrupted(t *testing.T) {
	beside(t)
	s := start(t, "half-close")
	s.cmd.Process.Signal(unix.SIGINT)
	if status := s.wait(t); status != 130 {
		t.Errorf("echod half-close ends with %d after Ctrl-C", status)
	}
	client := command(t, "echoc", "--hold", "1m", "half-close")
	var out, errs bytes.Buffer
	client.Stdout, client.Stderr = &syncWriter{w: &out}, &errs
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the hold", func() bool { return client.Stdout.(*syncWriter).contains("held for") })
	client.Process.Signal(unix.SIGINT)
	if status := statusOf(t, client.Wait()); status != 130 || errs.Len() > 0 {
		t.Errorf("echoc half-close ends with %d after Ctrl-C: %s", status, errs.String())
	}
}

// With --capture both terminals show the segments too, and the same ones.
func TestCaptureInTwoProcesses(t *testing.T) {
	beside(t)
	s := start(t, "--json", "--capture", "--runs", "1", "close")
	status, out, errs := run(t, "echoc", "--json", "--capture", "close", s.addr)
	if status == 3 {
		t.Skip(errs)
	}
	if status != 0 || s.wait(t) != 0 {
		t.Fatalf("status %d: %s%s", status, errs, s.stderr())
	}
	for side, text := range map[string]string{"client": out, "server": s.out.String()} {
		kinds := map[string]int{}
		for _, e := range events(t, text) {
			if e.text("kind") != "segment" {
				continue
			}
			for _, f := range e["flags"].([]any) {
				kinds[f.(string)]++
			}
			if _, decided := e["fate"]; decided {
				t.Errorf("a segment that was only watched has a fate: %v", e)
			}
		}
		if kinds["SYN"] != 2 || kinds["FIN"] != 2 {
			t.Errorf("the %s's terminal shows %d SYNs and %d FINs", side, kinds["SYN"], kinds["FIN"])
		}
	}
}
