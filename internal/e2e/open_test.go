package e2e

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Whoever binds beyond loopback is told what that means, in one line; --quiet says nothing.
func TestAWarningWhereOthersCanConnect(t *testing.T) {
	for _, c := range []struct {
		args  string
		warns bool
	}{
		{"--listen 0.0.0.0:0", true},
		{"--listen [::]:0", true},
		{"--listen 0.0.0.0:0 half-close", true},
		{"--listen 0.0.0.0:0 --json", true},
		{"--listen 127.0.0.2:0", false},
		{"--listen [::1]:0", false},
		{"half-close", false},
	} {
		t.Run(c.args, func(t *testing.T) {
			beside(t)
			s := start(t, strings.Fields(c.args)...)
			s.cmd.Process.Signal(unix.SIGTERM)
			s.wait(t)
			n := strings.Count(s.stderr(), "echod: warning: whoever reaches this host, on any of its addresses, can connect")
			if want := map[bool]int{true: 1}[c.warns]; n != want || strings.Count(s.stderr(), "warning") != want {
				t.Errorf("warned %d times:\n%s", n, s.stderr())
			}
		})
	}
}

func TestNoWarningWithQuiet(t *testing.T) {
	beside(t)
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cmd := command(t, "echod", "--quiet", "--listen", addr)
	errs := &syncWriter{w: new(bytes.Buffer)}
	cmd.Stderr = errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	cmd.Process.Signal(unix.SIGTERM)
	if status := statusOf(t, cmd.Wait()); status != 0 || errs.w.Len() > 0 {
		t.Errorf("status %d: %s", status, errs.w)
	}
}
