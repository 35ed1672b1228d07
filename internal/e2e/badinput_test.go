package e2e

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Whatever is typed, there is one clear line, and the right exit status.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := start(t)
	free := start(t)
	free.cmd.Process.Kill() // its port is free again
	free.wait(t)
	for _, c := range []struct {
		line   string
		status int
		says   string
	}{
		{"echoc", 2, "nothing to do"},
		{"echoc halfclose", 2, "did you mean half-close?"},
		{"echod halfclose", 2, "did you mean half-close?"},
		{"echoc xyzzy", 2, "unknown scenario"},
		{"echoc half-close 127.0.0.1:99999", 2, "65535"},
		{"echoc half-close 127.0.0.1:no-such-service", 2, "a service's name"},
		{"echoc 127.0.0.1:", 2, "port"},
		{"echoc no-such-host.invalid:7", 2, "no such host"},
		{"echoc half-close ::1:7", 1, "connect"},
		{"echoc half-close 1 2 3", 2, "too many arguments"},
		{"echod half-close more", 2, "too many arguments"},
		{"echod 127.0.0.1:7", 2, "--listen 127.0.0.1:7"},
		{"echod close 127.0.0.1:7", 2, "echod close --listen 127.0.0.1:7"},
		{"echoc 127.0.0.1:7 close", 2, "the scenario comes first: echoc close 127.0.0.1:7"},
		{"echoc half", 2, "did you mean half-close or half-open-expiry?"},
		{"echoc simultaneous-c", 2, "did you mean simultaneous-close?"},
		{"echoc help", 2, "did you mean --help?"},
		{"echod list", 2, "did you mean --list?"},
		{"echoc explain", 2, "did you mean echoc --explain WORD?"},
		{"echod tour", 2, "echoc tour"},
		{"echoc 7007", 2, "did you mean :7007?"},
		{"echoc close 7007", 2, "did you mean :7007?"},
		{"echoc --bind 40000 close", 2, "did you mean :40000?"},
		{"echod --listen 7007", 2, "did you mean :7007?"},
		{"echoc --colour close", 2, "did you mean --color? (see echoc --help)"},
		{"echoc --lst", 2, "did you mean --list?"},
		{"echoc --rcv 5 close", 2, "did you mean --rcvbuf?"},
		{"echoc -json close", 2, "unknown flag -json: did you mean --json?"},
		{"echoc -x", 2, "unknown flag -x (see echoc --help)"},
		{"echod --pace", 2, "--pace wants a value: --pace DURATION"},
		{"echoc --pace 1 half-close", 2, "--pace 1: a duration is written 1s or 400ms"},
		{"echoc --linger half-close", 2, "--linger half-close: want a whole number"},
		{"echoc --rcvbuf 4k close", 2, "--rcvbuf 4k: want a whole number: 4k is 4096"},
		{"echoc --rcvbuf 5000000000 close", 2, "want a number up to 2147483647"},
		{"echoc --rcvbuf 99999999999999999999 close", 2, "the number is too large"},
		{"echoc --seed x close", 2, "--seed x: want a whole number that is not negative"},
		{"echoc --json=maybe close", 2, "--json takes no value"},
		{"echoc --wire --loss 5 close", 2, "--loss 5: want a percentage"},
		{"echoc --json --list", 2, "--json cannot be combined with --list"},
		{"echoc --record run --html run --overwrite close", 2, "--record and --html run: one file cannot be two things"},
		{"echoc --svg ./run --html run close", 2, "--svg and --html run: one file cannot be two things"},
		{"echoc watch --once pid:4294967297", 2, "there is no such process"},
		{"echoc replay .", 1, "cannot be read: read .: is a directory"},
		{"echoc --json --explain LISTEN", 2, "--json cannot be combined with --explain"},
		{"echoc --list close", 2, "want one of them"},
		{"echoc --json --quiet close", 2, "want one of them"},
		{"echoc -6 127.0.0.1", 2, "not an IPv6 address"},
		{"echod -6 --listen 127.0.0.1:0", 2, "not an IPv6 address"},
		{"echoc -6 --bind 127.0.0.1 close", 2, "not an IPv6 address"},
		{"echoc --backlog 1 127.0.0.1:7", 2, "--backlog is not for the client alone"},
		{"echoc --backlog 1 close 127.0.0.1:7", 2, "--backlog is not for the client alone"},
		{"echoc --completion ksh", 2, "want bash, zsh or fish"},
		{"echoc --no-such-flag", 2, "unknown flag"},
		{"echoc --linger soon half-close", 2, "--linger"},
		{"echoc --linger=-1 half-close", 2, "from 0 up"},
		{"echoc --rcvbuf 0 half-close", 2, "from 1 up"},
		{"echoc --keepidle 5 half-close", 2, "--keepidle"},
		{"echoc --keepidle=-1s half-close", 2, "at least 1s"},
		{"echoc --local-port-range 5 half-close", 2, "40000-40002"},
		{"echoc --hold=-1s half-close", 2, "--hold"},
		{"echoc --color blue half-close", 2, "auto, always or never"},
		{"echod --backlog=-1", 2, "--backlog"},
		{"echod --max-conns=-1", 2, "--max-conns"},
		{"echod --runs=-1 close", 2, "--runs"},
		{"echod --idle-timeout=-1s", 2, "--idle-timeout"},
		{"echoc --hold 5s 127.0.0.1:7", 2, "--hold is not for the plain echo client"},
		{"echoc --wire 127.0.0.1:7", 2, "--wire is not for the plain echo client"},
		{"echod --step", 2, "--step is not for the plain echo server"},
		{"echod --absolute-seq", 2, "it goes with --wire or --capture"},
		{"echod --runs 2", 2, "--runs is not for the plain echo server"},
		{"echod --max-conns 2 close", 2, "--max-conns is not for scenarios"},
		{"echoc --wire --step stale-syn", 2, "cannot be done by hand"},
		{"echoc --step tour", 2, "--step is not for the tour"},
		{"echoc --wire --pcap x tour", 2, "--pcap is not for the tour"},
		{"echoc --html x 127.0.0.1:1", 2, "--html is not for the plain echo client"},
		{"echod --html x", 2, "--html is not for the plain echo server"},
		{"echoc --overwrite half-close", 2, "--overwrite is about a file that is written: it goes with --record, --svg, --html or --pcap FILE"},
		{"echoc --html= half-close", 2, "--html '': want the name of a file"},
		{"echoc --html no/such/folder/x half-close", 1, "--html no/such/folder/x: no such file or directory"},
		{"echoc --keepcnt 1000 half-close", 1, "--keepcnt 1000: setsockopt"},
		{"echod --listen 192.0.2.1:7007", 1, "no interface of this host has that address"},
		{"echod --listen " + s.addr, 1, "address already in use (echod (pid "},
		{"echod close --listen " + s.addr, 1, "address already in use (echod (pid "},
		{"echoc " + free.addr, 1, "connection refused (is echod running there?)"},
		{"echoc half-close " + free.addr, 1, "connection refused (is echod running there?)"},
	} {
		t.Run(c.line, func(t *testing.T) {
			words := strings.Fields(c.line)
			status, _, errs := run(t, words[0], append([]string{"--color=never"}, words[1:]...)...)
			if words[0] == "echoc" && strings.Contains(c.line, "127.0.0.1") && status == c.status {
				// the narration of a plain client is on standard error too; the complaint is its last line
				lines := strings.Split(strings.TrimSpace(errs), "\n")
				errs = lines[len(lines)-1] + "\n"
			}
			if status != c.status || !strings.Contains(errs, c.says) {
				t.Errorf("status %d, want %d\nsays  %q\nwants %q", status, c.status, errs, c.says)
			}
			if strings.Contains(errs, "strconv") || strings.Contains(errs, "time: ") {
				t.Errorf("Go's words: %q", errs)
			}
			if strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, words[0]+": ") {
				t.Errorf("not one line that begins with the program's name: %q", errs)
			}
		})
	}
}

// A port that this user may not have is nothing that went wrong: status 3, as README has it.
func TestAPortThatNeedsRoot(t *testing.T) {
	t.Parallel()
	if b, _ := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); strings.TrimSpace(string(b)) == "0" {
		t.Skip("anybody may have any port here: net.ipv4.ip_unprivileged_port_start is 0")
	}
	cmd := command(t, "echod", "--listen", "127.0.0.1:7")
	asNobody(t, cmd)
	if status, _, errs := finish(t, cmd); status != 3 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "CAP_NET_BIND_SERVICE") {
		t.Errorf("status %d: %s", status, errs)
	}
}

// asNobody runs cmd as an ordinary user.
func asNobody(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
}

func TestTheOtherSidePlaysSomethingElse(t *testing.T) {
	beside(t)
	s := start(t, "--runs", "1", "half-close")
	// The client has sent its one line and closed: whether it learns of it depends on who is faster.
	if status, _, errs := run(t, "echoc", "close", s.addr); status > 1 {
		t.Errorf("the client's status is %d: %s", status, errs)
	}
	if status := s.wait(t); status != 1 || !strings.Contains(s.stderr(), "the other side runs something else") {
		t.Errorf("the server's status is %d: %s", status, s.stderr())
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"echod", "echoc"} {
		status, out, errs := run(t, name, "--help")
		if status != 0 || errs != "" || !strings.Contains(out, "SO_LINGER") || !strings.Contains(out, "Exit status") {
			t.Errorf("%s --help: status %d\n%s%s", name, status, out, errs)
		}
		for line := range strings.Lines(out) {
			if len([]rune(line)) > 81 {
				t.Errorf("%s --help is wider than 80 columns: %s", name, line)
			}
		}
		if status, out, _ := run(t, name, "--version"); status != 0 || !strings.HasPrefix(out, name+" ") {
			t.Errorf("%s --version: status %d, %q", name, status, out)
		}
	}
}
