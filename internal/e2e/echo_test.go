package e2e

import (
	"bytes"
	"crypto/rand"
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
	if status := s.wait(t); status != 0 || !strings.Contains(s.stderr(), "1 connections: 1 finished") {
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
