package docs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal of 80 columns with a command in it: what it shows is what a reader sees.
type terminal struct {
	cmd    *exec.Cmd
	master *os.File
	gone   chan struct{} // closed when the command has ended and all it wrote is here
	status int

	mu   sync.Mutex
	out  bytes.Buffer
	more chan struct{} // closed when there is more in out
}

// openPTY is posix_openpt(3) and what goes with it.
func openPTY() (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open /dev/ptmx: %w", err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 80})
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		master.Close()
	}
	return master, slave, err
}

// inTerminal starts a command line in a directory, as typed into a shell.
func inTerminal(t *testing.T, dir, line string) *terminal {
	t.Helper()
	master, slave, err := openPTY()
	if err != nil {
		t.Skipf("needs a pseudo-terminal: mount -t devpts devpts /dev/pts (%v)", err)
	}
	tm := &terminal{master: master, gone: make(chan struct{}), more: make(chan struct{})}
	tm.cmd = exec.Command("sh", "-c", "exec "+line)
	if strings.ContainsAny(line, "|;&") {
		tm.cmd.Args[2] = line
	}
	tm.cmd.Dir = dir
	tm.cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "LC_ALL=C.UTF-8", "NO_COLOR=1", "TERM=xterm")
	tm.cmd.Stdin, tm.cmd.Stdout, tm.cmd.Stderr = slave, slave, slave
	if err := tm.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	go tm.read()
	t.Cleanup(func() {
		tm.cmd.Process.Kill()
		<-tm.gone
		master.Close()
	})
	return tm
}

// read takes what is written until nobody can write any more.
func (tm *terminal) read() {
	defer close(tm.gone)
	buf := make([]byte, 32<<10)
	for {
		n, err := tm.master.Read(buf)
		tm.mu.Lock()
		tm.out.Write(buf[:n])
		close(tm.more)
		tm.more = make(chan struct{})
		tm.mu.Unlock()
		if err != nil { // EIO: the other end is closed
			break
		}
	}
	tm.cmd.Wait()
	tm.status = tm.cmd.ProcessState.ExitCode()
}

var escape = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)

// text is what the terminal shows: of what was written over on one line, the last.
func (tm *terminal) text() string {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	var b strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(tm.out.String(), "\r\n", "\n")) {
		line = strings.TrimRight(escape.ReplaceAllString(line[strings.LastIndex(line, "\r")+1:], ""), " \n")
		b.WriteString(line + "\n")
	}
	return b.String()
}

// shows waits until the pattern is there, and returns its first group. It is "" if the command ends without.
func (tm *terminal) shows(pattern *regexp.Regexp) string {
	for {
		tm.mu.Lock()
		more := tm.more
		tm.mu.Unlock()
		if m := pattern.FindStringSubmatch(tm.text()); m != nil {
			return m[1]
		}
		select {
		case <-more:
		case <-tm.gone:
			return ""
		}
	}
}
