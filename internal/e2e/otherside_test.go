package e2e

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The commonest mistake is to start the wrong thing in the other terminal. Both ends say what is there and what to
// start, in one line each.
func TestTheOtherSideIsTheWrongOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ server, client string }{
		{"half-close", "close"}, // closes before it could be told
		{"close", "half-close"}, // is told
		{"half-close", "server-close"},
		{"half-close", "linger-off"},  // has no request
		{"linger-wait", "half-close"}, // expects none
		{"half-close", "fin-wait-1"},  // does not read
	} {
		for _, runs := range []string{"1", "0"} {
			t.Run(fmt.Sprintf("%s for %s, runs %s", c.server, c.client, runs), func(t *testing.T) {
				beside(t)
				s := start(t, "--json", "--runs", runs, c.server)
				status, out, errs := run(t, "echoc", "--json", c.client, s.addr)
				want := fmt.Sprintf("at %s there is `echod %s`: start `echod %s` there, or `echoc %[2]s %[1]s` here\n", s.addr, c.server, c.client)
				if status != 1 || !strings.HasSuffix(errs, want) || strings.Count(errs, "\n") != 1 {
					t.Errorf("the client: status %d, %q\nwant %q", status, errs, want)
				}
				whyFailed(t, out, errs)
				want = fmt.Sprintf("the client plays %s: start `echoc %s %s` there, or `echod %[1]s` here\n", c.client, c.server, s.addr)
				if c.client == "linger-off" {
					want = fmt.Sprintf("as linger-off and linger-wait do: start `echoc %s %s` there\n", c.server, s.addr)
				}
				eventually(t, "the server's word", func() bool { return strings.Contains(s.stderr(), want) })
				if runs == "0" { // it goes on, for the right one
					if status, _, errs := run(t, "echoc", "--json", c.server, s.addr); status != 0 {
						t.Errorf("the right client: status %d, %q", status, errs)
					}
					s.cmd.Process.Signal(unix.SIGTERM)
				}
				if status := s.wait(t); status != 1 || strings.Count(s.stderr(), want) != 1 || strings.Count(s.stderr(), "\n") != 2 {
					t.Errorf("the server: status %d, %q", status, s.stderr())
				}
			})
		}
	}
}

// whyFailed: the summary says in JSON what the complaint says.
func whyFailed(t *testing.T, out, errs string) {
	t.Helper()
	all := events(t, out)
	if last := all[len(all)-1]; last.text("kind") != "summary" || "echoc: "+last.text("why")+"\n" != errs {
		t.Errorf("the summary is %v, the complaint %q", last, errs)
	}
}

// A plain echo server in the place of a lesson's.
func TestAPlainServerForALesson(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"half-close", "close", "linger-off", "fin-wait-1"} {
		t.Run(name, func(t *testing.T) {
			beside(t)
			s := start(t)
			status, out, errs := run(t, "echoc", "--json", name, s.addr)
			want := fmt.Sprintf("at %s there is a plain echo server: start `echod %s` there\n", s.addr, name)
			if status != 1 || !strings.HasSuffix(errs, want) || strings.Count(errs, "\n") != 1 {
				t.Errorf("status %d: %q", status, errs)
			}
			whyFailed(t, out, errs)
			if strings.HasPrefix(name, "linger") {
				return // it has sent no word of what it plays
			}
			want = fmt.Sprintf(" plays %s, and this is the plain echo server: start `echod %s`\n", name, name)
			eventually(t, "the server's word", func() bool { return strings.Contains(s.stderr(), want) })
		})
	}
}

// The server is killed in the middle: TCP is not broken, and nobody listens any more.
func TestTheServerIsKilled(t *testing.T) {
	beside(t)
	s := start(t, "half-close")
	client := command(t, "echoc", "--json", "--hold", "1m", "half-close", s.addr)
	var out, errs bytes.Buffer
	seen := &syncWriter{w: &out}
	client.Stdout, client.Stderr = seen, &errs
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the hold", func() bool { return seen.contains("EPIPE") })
	s.cmd.Process.Kill()
	status := statusOf(t, client.Wait())
	want := fmt.Sprintf("echoc: nobody listens at %s any more: has the server ended, or was it killed? (here: ", s.addr)
	if status != 1 || !strings.HasPrefix(errs.String(), want) || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("status %d: %q", status, errs.String())
	}
	whyFailed(t, out.String(), errs.String())
}

// A stranger answers, as many services do.
func TestAStrangerForALesson(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte("220 mail.example ready\r\n"))
			conn.Close()
		}
	}()
	status, _, errs := run(t, "echoc", "--json", "half-close", l.Addr().String())
	want := fmt.Sprintf("at %s there is something that says \"220 mail.example rea\": start `echod half-close` there (here: ", l.Addr())
	if status != 1 || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 {
		t.Errorf("status %d: %q", status, errs)
	}
}

// The last run is not used up by somebody who connects and says nothing.
func TestAScanIsNoRun(t *testing.T) {
	beside(t)
	s := start(t, "--json", "--runs", "1", "half-close")
	for range 2 {
		scan, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		scan.Close()
	}
	if status, _, errs := run(t, "echoc", "--json", "half-close", s.addr); status != 0 {
		t.Errorf("the client: status %d, %s", status, errs)
	}
	if status := s.wait(t); status != 0 {
		t.Errorf("the server: status %d, %s", status, s.stderr())
	}
}
