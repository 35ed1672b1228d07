package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A client's timeline has its own connection, whoever else comes to the same server meanwhile.
func TestOthersAtTheSameServer(t *testing.T) {
	if unix.Getuid() != 0 {
		t.Skip("needs root, for the tracepoint and the packet socket")
	}
	own(t)
	s := start(t)
	client := command(t, "echoc", "--json", "--capture", "--trace", s.addr)
	in, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	said := func() string {
		text, _ := os.ReadFile(f.Name())
		return string(text)
	}
	client.Stderr = f
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the client is connected", func() bool { return strings.Contains(said(), `"to":"ESTABLISHED"`) })
	for range 3 {
		other := command(t, "echoc", "--quiet", s.addr)
		other.Stdin = strings.NewReader("another's\n")
		if status, _, errs := finish(t, other); status != 0 {
			t.Fatalf("status %d, %q", status, errs)
		}
	}
	in.Write([]byte("mine\n"))
	in.Close()
	if status := statusOf(t, client.Wait()); status != 0 {
		t.Errorf("status %d: %s", status, said())
	}
	syns, begins := 0, 0
	for _, e := range narrated(t, said()) {
		if e.text("kind") == "segment" && fmt.Sprint(e["flags"]) == "[SYN]" {
			syns++
		}
		if e.text("source") == "tracepoint" && e.text("to") == "SYN-SENT" {
			begins++
		}
		if strings.Contains(fmt.Sprint(e), "another") {
			t.Errorf("another's: %v", e)
		}
	}
	if syns != 1 || begins != 1 {
		t.Errorf("%d SYNs, %d transitions into SYN-SENT: %s", syns, begins, said())
	}
}
