package torture

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// deadline is how long a run may take at first: a side waits ten seconds for what does not come. On a machine with much
// else to do that may be too little, so that a run which took longer has another try, with much more time.
const deadline = 30 * time.Second

// moreTime is how much more.
const moreTime = 5

// process is a command in a process group and a folder of its own.
type process struct {
	cmd  *exec.Cmd
	dir  string
	more time.Duration // how many times the deadlines are as long
	log  string        // strace's, if it runs under that
	out  shared
	errs shared
	done chan struct{}

	ended *unix.WaitStatus // where somebody else than cmd waited for it
}

// shared is a buffer that is read while it is written.
type shared struct {
	mu   sync.Mutex
	b    bytes.Buffer
	more func() // called after each write
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	n, err := s.b.Write(p)
	more := s.more
	s.mu.Unlock()
	if more != nil {
		more()
	}
	return n, err
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newProcess is one of the two commands, under strace if there are arguments for that.
func (r *result) newProcess(strace []string, name string, args ...string) *process {
	dir, err := os.MkdirTemp(bin, "run-")
	if err != nil {
		panic(err)
	}
	p := &process{dir: dir, more: max(r.more, 1), done: make(chan struct{})}
	line := append([]string{filepath.Join(bin, name)}, args...)
	if strace != nil {
		p.log = dir + ".strace"
		line = append(append([]string{"strace", "-f", "--seccomp-bpf", "-qq", "-e", "signal=none", "-o", p.log}, strace...), line...)
	}
	p.cmd = exec.Command(line[0], line[1:]...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "TERM=xterm", "HOME="+dir, "XDG_STATE_HOME="+dir)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.errs
	p.cmd.WaitDelay = time.Second
	return p
}

func (p *process) start() error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() { p.cmd.Wait(); close(p.done) }()
	return nil
}

// signal signals the command. strace has its own mind of signals: as it is called here it blocks those that end it.
func (p *process) signal(s unix.Signal) { unix.Kill(-p.cmd.Process.Pid, s) }

// wait waits for the end; it is false if there is none, and the command was killed.
func (p *process) wait(most time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(most * p.more):
		p.signal(unix.SIGKILL)
		<-p.done
		return false
	}
}

// status is that of a shell.
func (p *process) status() int {
	switch ws := p.ended; {
	case ws != nil && ws.Signaled():
		return 128 + int(ws.Signal())
	case ws != nil:
		return ws.ExitStatus()
	}
	ws, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return p.cmd.ProcessState.ExitCode()
}

// injected is how often strace has answered in the kernel's place, or waited.
func (p *process) injected() int {
	b, _ := os.ReadFile(p.log)
	return bytes.Count(b, []byte("(INJECTED)")) + bytes.Count(b, []byte("(DELAYED)"))
}

// leaves are what is left when the command has ended: processes of its group, and files that it was not asked for.
func (p *process) leaves(asked ...string) (left []string) {
	for end := time.Now().Add(5 * time.Second * p.more); ; time.Sleep(5 * time.Millisecond) {
		if err := unix.Kill(-p.cmd.Process.Pid, 0); errors.Is(err, unix.ESRCH) {
			break
		}
		if time.Now().After(end) {
			left = append(left, "a process of its group")
			p.signal(unix.SIGKILL)
			break
		}
	}
	files, _ := os.ReadDir(p.dir)
	for _, f := range files {
		if !strings.Contains(" "+strings.Join(asked, " ")+" ", " "+f.Name()+" ") {
			left = append(left, "the file "+f.Name())
		}
	}
	return left
}

func (p *process) remove() {
	os.RemoveAll(p.dir)
	os.Remove(p.log)
}

// childOf is the command itself where strace started it.
func (p *process) pid() int {
	if p.log == "" {
		return p.cmd.Process.Pid
	}
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", p.cmd.Process.Pid))
	pid := 0
	fmt.Sscan(string(b), &pid)
	return pid
}

// sockets is how many descriptors of a process are sockets.
func sockets(pid int) (n int) {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// loopback has lo up in the network namespace that the trials have for themselves.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, lo); err != nil {
		return err
	}
	lo.SetUint16(lo.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}
