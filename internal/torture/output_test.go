package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// shown are commands that say something.
func shown() (lines [][]string) {
	for _, line := range []string{"echoc close", "echoc --json close", "echoc --mermaid close", "echoc --record run.jsonl --html run.html close", "echoc learn handshake",
		"echoc quiz --seed 1 close", "echoc compare linger-off -- --linger 0", "echoc --list", "echoc --list learn", "echoc --help", "echoc --man", "echoc --version",
		"echoc --completion bash", "echoc --explain closing", "echod --list", "echod --help", "echod --man", "echod --version"} {
		lines = append(lines, strings.Fields(line))
	}
	if !*shortFlag { // these play everything
		lines = append(lines, []string{"echoc", "diagram"}, []string{"echoc", "tour"})
	}
	if canWire() {
		lines = append(lines, []string{"echoc", "--wire", "close"}, []string{"echoc", "--wire", "--pcap", "-", "close"})
	}
	return lines
}

// outputs take the output away.
func outputs(t *testing.T) (list []trial) {
	add := func(line []string, what string, run func(*result)) {
		list = append(list, trial{kind: "output", target: strings.Join(line, " "), what: what, run: run})
	}
	for _, line := range shown() {
		for what, redirect := range map[string]string{"closed": ">&-", "all closed": ">&- 2>&- <&-", "errors closed": "2>&-"} {
			add(line, what, func(r *result) {
				p := r.newProcess(nil, line[0], line[1:]...)
				defer p.remove()
				p.cmd.Path, p.cmd.Args = "/bin/sh", append([]string{"sh", "-c", `exec "$0" "$@" ` + redirect}, p.cmd.Args...)
				if err := p.start(); err != nil {
					r.worse(unmet, "%v", err)
					return
				}
				r.Done = 1
				r.finished(p, p.wait(2*deadline), "")
				r.ended(p, "", "", true) // Go opens /dev/null in the place of what is closed
				r.files(p)
			})
		}
		for _, full := range []string{"output", "errors"} {
			add(line, full+" full", func(r *result) { r.toFull(line, full == "errors") })
		}
		for _, lines := range []int{0, 1, 4} {
			add(line, fmt.Sprintf("read for %d lines", lines), func(r *result) { r.readFor(line, lines) })
		}
	}
	hold := []string{"echoc", "--hold", "1h", "half-close"} // with nohup it holds on, as it was told
	add(hold, "the terminal is gone", func(r *result) { r.hangUp(hold, false) })
	for _, line := range [][]string{{"echoc", "--step", "close"}, {"echoc", "--pace", "1s", "close"}, {"echoc", "learn"}, {"echoc", "quiz", "close"}, {"echoc", "tour"},
		{"echod", "--listen", "127.0.0.1:0"}, {"echod", "--listen", "127.0.0.1:0", "close"}, {"echoc", "--wire", "--step", "close"}} {
		for _, nohup := range []bool{false, true} {
			add(line, fmt.Sprintf("the terminal is gone, nohup %v", nohup), func(r *result) { r.hangUp(line, nohup) })
		}
	}
	return some(list, 30)
}

// toFull has the output on a full disk: a failure, of which there is one line.
func (r *result) toFull(line []string, errors bool) {
	p := r.newProcess(nil, line[0], line[1:]...)
	defer p.remove()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		r.worse(unmet, "%v", err)
		return
	}
	defer full.Close()
	if errors {
		p.cmd.Stderr = full
	} else {
		p.cmd.Stdout = full
	}
	if err := p.start(); err != nil {
		r.worse(unmet, "%v", err)
		return
	}
	r.Done = 1
	r.finished(p, p.wait(2*deadline), "")
	if errors && strings.Contains(strings.Join(line, " "), "--pcap -") {
		switch r.Status = p.status(); r.Status { // its timeline is there, and the one line
		case 0:
			r.worse(lying, "status 0, and nothing could be written")
		case 1:
			r.worse(complains, "")
		default:
			r.worse(wrong, "status %d", r.Status)
		}
		return
	}
	r.ended(p, "", "ENOSPC", errors)
	if !errors && p.status() == 0 {
		r.worse(lying, "status 0, and nothing could be written")
	}
}

// readFor reads so many lines, and then no more.
func (r *result) readFor(line []string, lines int) {
	p := r.newProcess(nil, line[0], line[1:]...)
	defer p.remove()
	in, out, ok := r.pipes(p)
	if !ok {
		return
	}
	in.Close()
	b := make([]byte, 1)
	for n := 0; n < lines; {
		if k, err := out.Read(b); k == 0 || err != nil {
			break
		}
		if b[0] == '\n' {
			n++
		}
	}
	out.Close()
	r.Done = 1
	r.finished(p, p.wait(2*deadline), "")
	r.Status, r.Said = p.status(), head(p.errs.String(), 400)
	if left := p.leaves("run.jsonl", "run.html"); len(left) > 0 {
		r.worse(leak, "%s", strings.Join(left, ", "))
	}
	switch {
	case r.crashed(p, ""):
	case r.Status == 141, r.Status == 130, r.Status == 1 && len(complaints(r.Said)) == 1:
		r.worse(complains, "")
	case r.Status == 0: // it had written all before
		r.worse(survived, "")
	default:
		r.worse(wrong, "status %d", r.Status)
	}
}

// hangUp takes the terminal away.
func (r *result) hangUp(line []string, nohup bool) {
	p := r.newProcess(nil, line[0], line[1:]...)
	defer p.remove()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		r.worse(idle, "%v", err)
		return
	}
	defer master.Close()
	unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	n, _ := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		r.worse(idle, "%v", err)
		return
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if nohup {
		p.cmd.Path, p.cmd.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`}, p.cmd.Args...)
	}
	if err := p.start(); err != nil {
		slave.Close()
		r.worse(unmet, "%v", err)
		return
	}
	slave.Close()
	read := make([]byte, 20) // it is there
	for seen := 0; seen < 40; {
		k, err := master.Read(read)
		if seen += k; err != nil {
			break
		}
	}
	pid := p.cmd.Process.Pid
	master.Close()
	r.Done = 1
	server := line[0] == "echod"
	if nohup && server { // it goes on: it was asked to
		before := cpu(pid)
		time.Sleep(300 * time.Millisecond)
		if used := cpu(pid) - before; used > 20 {
			r.worse(hang, "it takes %d of 30 ticks without a terminal", used)
		}
		p.signal(unix.SIGTERM)
	}
	r.finished(p, p.wait(2*deadline), "")
	r.Status = p.status()
	if left := p.leaves(".local"); len(left) > 0 && !strings.Contains(strings.Join(line, " "), "learn") {
		r.worse(leak, "%s", strings.Join(left, ", "))
	}
	if r.Status == 2 || r.Status > 128+30 {
		r.worse(crash, "status %d", r.Status)
	}
	r.worse(complains, "")
}

// cpu is the time that a process has taken, in ticks of 10 ms.
func cpu(pid int) (ticks int) {
	b, _ := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "stat"))
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) > 12 {
		var user, system int
		fmt.Sscan(f[11], &user)
		fmt.Sscan(f[12], &system)
		return user + system
	}
	return 0
}
