package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Ctrl-Z and fg, in a shell: the terminal is the shell's meanwhile, and after it keys count again as they are pressed.
func TestStopAndGoOnByTheShell(t *testing.T) {
	beside(t)
	onWire(t)
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash: install it")
	}
	cmd := command(t, "echoc")
	cmd.Path, cmd.Args = bash, []string{"bash", "--norc", "--noprofile", "-i"}
	cmd.Env = append(cmd.Env, "PS1=prompt> ")
	term := inTerminalOf(t, 80, cmd)
	term.await(1, "prompt> ")
	term.press(filepath.Join(bin, "echoc") + " --wire --step --color=never close\n")
	term.await(1, "client: SYN seq=0 | ")
	term.press("\x1a") // Ctrl-Z
	term.await(1, "Stopped")
	stopped := len(term.shown())
	term.press("echo raw=$(stty -a | grep -c -- -icanon); fg\n")
	eventually(t, "the question again", func() bool { return strings.Contains(term.shown()[stopped:], "client: SYN seq=0 | ") })
	if !strings.Contains(term.shown()[stopped:], "raw=0\r\n") {
		t.Errorf("the shell had a terminal without lines:\n%s", term.shown())
	}
	term.press("d") // and no Enter
	term.await(1, "  dropped: client: SYN seq=0")
	term.press("q")
	eventually(t, "the shell's prompt", func() bool { return strings.HasSuffix(strings.TrimRight(term.shown(), " "), "prompt>") })
	if term.press("echo raw=$(stty -a | grep -c -- -icanon); exit 7\n"); term.end() != 7 {
		t.Error("the shell did not go on")
	}
	if n := strings.Count(term.shown(), "raw=0\r\n"); n != 2 {
		t.Errorf("the terminal is not as it was:\n%s", term.shown())
	}
}

// Whoever stopped it, and whatever was done to the terminal meanwhile: keys count when it goes on.
func TestGoOnTakesTheKeys(t *testing.T) {
	beside(t)
	onWire(t)
	term := inTerminal(t, 80, "echoc", "--wire", "--step", "--color=never", "close")
	term.await(1, "client: SYN seq=0 | ")
	master, pid := int(term.master.Fd()), term.cmd.Process.Pid
	raw, err := unix.IoctlGetTermios(master, unix.TCGETS)
	if err != nil || raw.Lflag&unix.ICANON != 0 {
		t.Fatalf("%v, %v", raw, err)
	}
	term.press("\x1a") // nobody could have it go on: it is not stopped, and asks on
	unix.Kill(pid, unix.SIGSTOP)
	cooked := *raw
	cooked.Lflag |= unix.ICANON | unix.ECHO
	if err := unix.IoctlSetTermios(master, unix.TCSETS, &cooked); err != nil {
		t.Fatal(err)
	}
	before := strings.Count(term.shown(), "client: SYN seq=0 | ")
	unix.Kill(pid, unix.SIGCONT)
	term.await(before+1, "client: SYN seq=0 | ")
	eventually(t, "a key without Enter", func() bool { // the question is drawn again for a SYN sent again too
		now, err := unix.IoctlGetTermios(master, unix.TCGETS)
		return err == nil && now.Lflag&unix.ICANON == 0
	})
	term.press("d")
	term.await(1, "  dropped: client: SYN seq=0")
	term.press("q")
	if status := term.end(); status != 130 {
		t.Errorf("status %d\n%s", status, term.shown())
	}
}

// The question says the segment first, on a narrow terminal too, and nothing of it is cut.
func TestTheQuestionOnANarrowTerminal(t *testing.T) {
	beside(t)
	onWire(t)
	term := inTerminal(t, 40, "echoc", "--wire", "--step", "--color=never", "close")
	term.await(1, "client: SYN seq=0 | client SYN-SENT\r\nserver LISTEN | ")
	term.await(1, " held | ? q ")
	term.press("c")
	term.await(1, "  dropped what was sent again: ")
	term.press("q")
	term.end()
}

// However it ends by the keyboard, also at once, the shell has the terminal as it was.
func TestTheTerminalIsGivenBack(t *testing.T) {
	t.Parallel()
	onWire(t)
	for name, keys := range map[string]string{"^C": "\x03", "^C twice": "\x03\x03", "^C three times": "\x03\x03\x03", "^\\": "\x1c", "^C and ^\\": "\x03\x1c"} {
		t.Run(name, func(t *testing.T) {
			beside(t)
			for range 5 {
				term := inTerminal(t, 80, "echoc", "--wire", "--step", "--color=never", "close")
				n, err := unix.IoctlGetInt(int(term.master.Fd()), unix.TIOCGPTN)
				if err != nil {
					t.Fatal(err)
				}
				shell, err := unix.Open(fmt.Sprintf("/dev/pts/%d", n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Close(shell)
				term.await(1, "client: SYN seq=0 | ")
				term.press(keys)
				eventually(t, "the end", func() bool { // as the kernel tells it: somebody else has the terminal open
					return unix.Kill(term.cmd.Process.Pid, 0) != nil || zombie(term.cmd.Process.Pid)
				})
				if now, err := unix.IoctlGetTermios(shell, unix.TCGETS); err != nil || now.Lflag&(unix.ICANON|unix.ECHO) != unix.ICANON|unix.ECHO {
					t.Errorf("%v: %x", err, now.Lflag)
				}
			}
		})
	}
}

// zombie tells whether a process has ended, and nobody has asked for its status.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
