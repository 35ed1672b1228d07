// Package states, all of it tests' code, holds what the commands say of states against the kernel's own account.
//
//	.ci/states [-n N] [SCENARIO...]
//
// plays each scenario N times on the wire with --json, and has the kernel's tracepoint sock:inet_sock_set_state tell
// its side in a trace instance of its own, which is read as text: with nothing of what the program itself reads it
// with. Each state that the program told of a socket (by its addresses) must be one that the tracepoint had for it at
// that time, and they must come in the tracepoint's order. What the tracepoint does not have, because there is no full
// socket (a half-open entry, TIME-WAIT, a FIN-WAIT-2 that nobody holds), is held against what must be so: held_test.go.
//
// As a test of this project it plays each a few times. It takes root, for tracefs.
package states

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	times = flag.Int("n", 5, "play each scenario so often")
	bin   string // where echoc is
)

// The scenarios in which a state was told that never was: of half-open entries, of ends by RST, of TIME-WAIT.
var played = []string{"half-close", "accept-reset", "handshake"}

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.NArg() > 0 {
		played = flag.Args()
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "socklife-states-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		bin = filepath.Join(dir, "echoc")
		build := exec.Command("go", "build", "-o", bin, "socklife/cmd/echoc")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}
