package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal with one of the commands in it, and what it shows.
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	done   chan error

	mu   sync.Mutex
	text bytes.Buffer
}

// inTerminal starts a command in a terminal of that many columns.
func inTerminal(t *testing.T, columns uint16, name string, args ...string) *terminal {
	t.Helper()
	return startInTerminal(t, columns, command(t, name, args...))
}

// startInTerminal starts one that is prepared already.
func startInTerminal(t *testing.T, columns uint16, cmd *exec.Cmd) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs pseudo-terminals (devpts): %v", err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: columns}); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, master: master, cmd: cmd, done: make(chan error, 1)}
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = slave, slave, slave
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	all := make(chan struct{})
	go func() { term.read(); close(all) }()
	go func() {
		err := term.cmd.Wait()
		<-all // what it wrote last
		term.done <- err
	}()
	t.Cleanup(func() { term.cmd.Process.Kill(); master.Close() })
	return term
}

func (term *terminal) read() {
	b := make([]byte, 4096)
	for {
		n, err := term.master.Read(b)
		term.mu.Lock()
		term.text.Write(b[:n])
		term.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (term *terminal) shown() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.text.String()
}

func (term *terminal) press(keys string) { term.master.WriteString(keys) }

// await waits until the terminal has shown it n times.
func (term *terminal) await(n int, what string) {
	term.t.Helper()
	eventually(term.t, fmt.Sprintf("%q in\n%s", what, term.shown()), func() bool { return strings.Count(term.shown(), what) >= n })
}

// end waits for the command and returns its exit status.
func (term *terminal) end() int {
	term.t.Helper()
	var status *int
	eventually(term.t, "the end", func() bool {
		select {
		case err := <-term.done:
			s := statusOf(term.t, err)
			status = &s
		default:
		}
		return status != nil
	})
	return *status
}

func TestStepByCalls(t *testing.T) {
	beside(t)
	term := inTerminal(t, 80, "echoc", "--step", "--color=never", "close")
	for n := 1; n <= 30; n++ {
		term.await(1, "Enter: ")
		select {
		case err := <-term.done:
			term.done <- err
			n = 30
		default:
			term.press("\n")
			// the next question, or the end
			eventually(t, "the next step", func() bool {
				return strings.Contains(term.shown(), "all met") || regexp.MustCompile(`Enter: [^\r]*$`).MatchString(term.shown())
			})
		}
	}
	if status := term.end(); status != 0 || !strings.Contains(term.shown(), "all met") {
		t.Errorf("status %d\n%s", status, term.shown())
	}
	if !strings.Contains(term.shown(), "Enter: client connect(") {
		t.Errorf("connect was not asked about:\n%s", term.shown())
	}
}

func TestStepBySegments(t *testing.T) {
	beside(t)
	onWire(t)
	term := inTerminal(t, 80, "echoc", "--wire", "--step", "--color=never", "close")
	term.await(1, "1 held, next: client: SYN seq=0")
	term.await(1, "2 held, next: client: SYN seq=0") // a second later it is sent again, and the question knows
	term.press("h")                                  // what is held
	term.await(1, "    2  client: SYN seq=0")
	term.press("d") // the first is lost
	term.await(1, "dropped")
	term.press("u") // the other goes twice
	term.press("i") // both sockets in full
	term.await(1, "client SYN-SENT 198.51.100.1")
	term.press("?") // no such key
	term.await(2, "You hold the wire")
	term.press("a") // and let everything go
	if status := term.end(); status != 0 {
		t.Errorf("status %d\n%s", status, term.shown())
	}
	for _, want := range []string{"all met", "TIME-WAIT", "duplicated"} {
		if !strings.Contains(term.shown(), want) {
			t.Errorf("no %s in\n%s", want, term.shown())
		}
	}
}

func TestQuitBySegments(t *testing.T) {
	beside(t)
	onWire(t)
	term := inTerminal(t, 80, "echoc", "--wire", "--step", "--color=never", "close")
	term.await(1, "next: client: SYN seq=0")
	term.press("q")
	if status := term.end(); status != 130 {
		t.Errorf("status %d after q\n%s", status, term.shown())
	}
}

func TestPaceIsKeptOnATerminalOnly(t *testing.T) {
	beside(t)
	term := inTerminal(t, 100, "echoc", "--pace", "60ms", "close")
	term.end()
	if !strings.Contains(term.shown(), "\x1b[") {
		t.Error("no colour on a terminal")
	}
	for line := range strings.Lines(term.shown()) {
		if n := len([]rune(regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(strings.TrimRight(line, "\r\n"), ""))); n > 100 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}
