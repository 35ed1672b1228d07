package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// children are what the test binary does as another process, by the value of childEnv.
var children = map[string]func(){
	"lab":       enterAnd(labUntilKilled),
	"available": sayAvailable,
	"off":       switchOff,
	"exit":      enterAnd(func() { os.Exit(7) }),
	"copy":      enterAnd(func() { io.Copy(os.Stdout, os.Stdin) }),
	"signals":   enterAnd(countSignals),
}

// enterAnd goes on in a user namespace.
func enterAnd(f func()) func() {
	return func() {
		done, status, err := Enter()
		if err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
		if done {
			os.Exit(status)
		}
		f()
	}
}

// childPatience bounds the life of another process. It is long because one of them runs most of the tests.
const childPatience = 15 * patience

// command runs this test binary as a child.
func command(t *testing.T, child string, env ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), childPatience)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, "/proc/self/exe") // whatever directory it is in
	c.Env = append(append(os.Environ(), childEnv+"="+child), env...)
	c.Stderr = os.Stderr
	return c
}

// labUntilKilled has a lab with a connection on it, prints its namespaces, and waits for its end.
func labUntilKilled() {
	l, err := New(Config{HoldAll: true})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(l.Client.inode, l.Server.inode)
	select {}
}

func sayAvailable() { fmt.Println(available()) }

// switchOff forbids user namespaces inside the one it is in, and says what becomes of them.
func switchOff() {
	enterAnd(func() {
		if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
			fmt.Println(err)
		}
		fmt.Println(tryUserNamespace())
	})()
}

// countSignals tells of each signal, and ends with the second kind.
func countSignals() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	fmt.Println("ready")
	for s := range signals {
		fmt.Println(unix.SignalName(s.(syscall.Signal)))
		if s == unix.SIGTERM {
			os.Exit(9)
		}
	}
}

func TestKillLeavesNothing(t *testing.T) {
	t.Parallel()
	needLab(t)
	killLeavesNothing(t, command(t, "lab"))
}

// killLeavesNothing kills a child that has a lab.
func killLeavesNothing(t *testing.T, c *exec.Cmd) {
	t.Helper()
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	inodes := strings.Fields(line)
	if len(inodes) != 2 {
		c.Process.Kill()
		t.Fatalf("the child said %q", line)
	}
	if !inUse(inodes) {
		t.Errorf("namespaces %v are nowhere to be found while the child lives", inodes)
	}
	must(t, c.Process.Kill())
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) {
		t.Errorf("the child's end: %v", err)
	}
	await(t, "the namespaces are gone", func() bool { return !inUse(inodes) })
	must(t, noNamedNamespaces(inodes))
}

// inUse tells whether any thread or descriptor of any process we can look into holds one of the network namespaces.
func inUse(inodes []string) bool {
	for _, pattern := range []string{"/proc/[0-9]*/task/*/ns/net", "/proc/[0-9]*/fd/*"} {
		links, _ := filepath.Glob(pattern)
		for _, l := range links {
			target, err := os.Readlink(l)
			if err != nil {
				continue
			}
			for _, inode := range inodes {
				if target == "net:["+inode+"]" {
					return true
				}
			}
		}
	}
	return false
}

// noNamedNamespaces looks for mounts of them, which is what a name in /run/netns is.
func noNamedNamespaces(inodes []string) error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for _, inode := range inodes {
		if strings.Contains(string(mounts), "net:["+inode+"]") {
			return errors.New("namespace " + inode + " is mounted")
		}
	}
	return nil
}
