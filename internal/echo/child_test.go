package echo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// childEnv in the environment makes the test binary a server with a process of its own: for limits on the process,
// memory and CPU time of the process, and strace.
const childEnv = "SOCKLIFE_ECHO_CHILD"

// childConfig is what childEnv holds, as JSON.
type childConfig struct {
	Descriptors uint64 // RLIMIT_NOFILE; 0 leaves it
	Count       bool   // the accept4 calls that fail; or else it may be a benchmark
	Net         bool   // the server made with package net, to compare with
}

// childStatus is what the child answers to each line on its stdin, and once more when it has drained after the last.
type childStatus struct {
	Addr      netip.AddrPort
	Stats     Stats
	Paused    string
	CPUMicros int64 // user and system, since the start
	Refusals  int64 // accept4 calls that failed
	Err       string
}

// refusals counts those calls.
type refusals struct{ n atomic.Int64 }

func (r *refusals) Enter(c *sockapi.Call) func() {
	return func() {
		if c.Name == "accept4" && c.Errno != 0 && c.Errno != unix.EAGAIN {
			r.n.Add(1)
		}
	}
}

// childMain serves until stdin ends.
func childMain(config string) int {
	var cfg childConfig
	if err := json.Unmarshal([]byte(config), &cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if n := cfg.Descriptors; n > 0 {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	answer := json.NewEncoder(os.Stdout)
	questions := bufio.NewScanner(os.Stdin)
	if cfg.Net {
		l, err := net.Listen("tcp", loopback4.String())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		go netServe(l)
		for questions.Scan() {
			_ = answer.Encode(usage(childStatus{Addr: l.Addr().(*net.TCPAddr).AddrPort()}))
		}
		return 0
	}
	var refused refusals
	serverConfig := Config{Addr: loopback4}
	if cfg.Count {
		serverConfig.Tracer = &refused
	}
	s, err := NewServer(serverConfig)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	o := observe(s)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		for questions.Scan() {
			_ = answer.Encode(status(s, o, &refused, nil))
		}
	}()
	_, err = s.Serve(ctx)
	_ = answer.Encode(status(s, o, &refused, err))
	return 0
}

func status(s *Server, o *observer, refused *refusals, err error) childStatus {
	st := childStatus{Addr: s.Addr(), Stats: o.Stats(), Refusals: refused.n.Load()}
	if st.Stats.Paused != nil {
		st.Paused, st.Stats.Paused = st.Stats.Paused.Error(), nil
	}
	if err != nil {
		st.Err = err.Error()
	}
	return usage(st)
}

// usage adds what the process has used. It opens no file for that: descriptors may be what is being counted.
func usage(st childStatus) childStatus {
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) == nil {
		st.CPUMicros = (usage.Utime.Nano() + usage.Stime.Nano()) / 1000
	}
	return st
}

// child is a running child process.
type child struct {
	t       testing.TB
	cmd     *exec.Cmd
	ask     func()
	finish  func() childStatus
	answers *json.Decoder
}

// startChild runs a server in a child process, under the command prefix if there is one.
func startChild(t testing.TB, cfg childConfig, prefix ...string) *child {
	t.Helper()
	config, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	argv := append(prefix, os.Args[0])
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"="+string(config))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Process.Kill() // it has ended, or hangs
		_ = cmd.Wait()
	})
	c := &child{t: t, cmd: cmd, answers: json.NewDecoder(stdout)}
	c.ask = func() { fmt.Fprintln(stdin) }
	c.finish = func() childStatus {
		stdin.Close()
		return c.answer()
	}
	return c
}

func (c *child) answer() (st childStatus) {
	c.t.Helper()
	if err := c.answers.Decode(&st); err != nil {
		c.t.Fatalf("child: %v", err)
	}
	return st
}

// resident is the memory of the child that is in RAM, in bytes: VmRSS of /proc/PID/status, read from here. (ru_maxrss
// would be the parent's at first: it survives execve.)
func (c *child) resident() int64 {
	c.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		c.t.Fatal(err)
	}
	var kB int64
	for line := range strings.Lines(string(b)) {
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kB); n == 1 {
			return kB << 10
		}
	}
	c.t.Fatal("no VmRSS")
	return 0
}

// status asks the child how it is.
func (c *child) status() childStatus {
	c.t.Helper()
	c.ask()
	return c.answer()
}
