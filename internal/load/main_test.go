// Package load puts the plain echo server under load, as a process, from outside: `.ci/load` runs it, in a network
// namespace of its own, and prints the table that docs/reliability.md has.
package load

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

var (
	load  = flag.Bool("load", false, "put echod under load: `.ci/load` does")
	mixed = flag.Duration("mixed", 30*time.Minute, "how long the mixed load lasts")
	bin   string // where echod is
)

// patience is how long a condition that must come true may take.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	flag.Parse()
	if !*load {
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "socklife-load-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		os.Chmod(dir, 0o755)
		if out, err := exec.Command("go", "build", "-o", dir+"/", "socklife/cmd/echod").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		bin = dir + "/echod"
		return m.Run()
	}())
}

// wait fails the test if the condition does not come true.
func wait(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not so after %v: %s", patience, what)
		}
		<-tick.C
	}
}
