package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// scenarios are those that --list has, and whether they need a wire.
func scenarios(t *testing.T) (names []string, onlyWire map[string]bool) {
	t.Helper()
	out, err := exec.Command(filepath.Join(bin, "echoc"), "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	onlyWire = map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "  ") {
			name := strings.Fields(line)[0]
			names, onlyWire[name] = append(names, name), strings.HasSuffix(line, "(--wire)\n")
		}
	}
	return names, onlyWire
}

// forms are the command lines for each scenario, in each form that it has here.
func forms(t *testing.T) (lines [][]string) {
	names, onlyWire := scenarios(t)
	wire := canWire()
	for _, name := range names {
		if !onlyWire[name] {
			lines = append(lines, []string{name})
		}
		if wire {
			lines = append(lines, []string{"--wire", name})
		}
	}
	return lines
}

// storms are signals that change nothing: of each scenario the run goes well.
func storms(t *testing.T) (list []trial) {
	for _, line := range forms(t) {
		for _, storm := range [][]unix.Signal{{unix.SIGSTOP, unix.SIGCONT}, {unix.SIGWINCH, unix.SIGURG, unix.SIGCHLD, unix.SIGCONT}} {
			what := make([]string, len(storm))
			for i, s := range storm {
				what[i] = unix.SignalName(s)
			}
			list = append(list, trial{kind: "signal", target: "echoc " + strings.Join(line, " "), what: strings.Join(what, " "), run: func(r *result) {
				p := r.newProcess(nil, "echoc", append([]string{"--json"}, line...)...)
				defer p.remove()
				if err := p.start(); err != nil {
					r.worse(unmet, "%v", err)
					return
				}
				tick := time.NewTicker(7 * time.Millisecond)
				defer tick.Stop()
				end := time.After(2 * deadline * p.more)
				for i, on := 0, true; on; i++ {
					select {
					case <-p.done:
						on = false
					case <-end:
						on = false
					case <-tick.C:
						p.signal(storm[i%len(storm)])
						r.Done++
					}
				}
				p.signal(unix.SIGCONT)
				r.finished(p, p.wait(time.Second), "")
				r.ended(p, "", "", p.status() != 3)
				r.complete(p, 1)
			}})
		}
	}
	return some(list, 6)
}

// kills end a run by a signal at each of its events. Nothing may be left, but what --record has kept, whole.
func kills(t *testing.T) (list []trial) {
	for _, line := range some(forms(t), 12) {
		for n := range eventsOf(line) {
			n++
			signals := []unix.Signal{unix.SIGKILL}
			if n%10 == 5 {
				signals = append(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
			}
			for _, s := range signals {
				list = append(list, trial{kind: "kill", target: "echoc " + strings.Join(line, " "), what: fmt.Sprintf("%s %d", unix.SignalName(s), n),
					run: func(r *result) { r.killed(line, n, s) }})
			}
		}
		list = append(list, trial{kind: "kill", target: "echoc " + strings.Join(line, " "), what: "and then a run that nobody kills", run: func(r *result) { r.killed(line, 1<<30, 0) }})
	}
	return some(list, 40)
}

// eventsOf is how many events a run has here; 0 where it cannot be played.
func eventsOf(line []string) int {
	r := &result{more: moreTime}
	p := r.newProcess(nil, "echoc", append([]string{"--json"}, line...)...)
	defer p.remove()
	if p.start() != nil || !p.wait(2*deadline) || p.status() != 0 {
		return 0
	}
	return strings.Count(p.out.String(), "\n")
}

// killed plays a scenario to its nth event, and signals it.
func (r *result) killed(line []string, n int, s unix.Signal) {
	p := r.newProcess(nil, "echoc", append([]string{"--json", "--record", "run.jsonl"}, line...)...)
	defer p.remove()
	p.out.more = func() {
		if r.Done == 0 && strings.Count(p.out.String(), "\n") >= n {
			r.Done = 1
			p.signal(s)
		}
	}
	if err := p.start(); err != nil {
		r.worse(unmet, "%v", err)
		return
	}
	r.finished(p, p.wait(2*deadline), "")
	r.Status, r.Said = p.status(), head(p.errs.String(), 400)
	left := p.leaves("run.jsonl")
	if len(left) > 0 {
		r.worse(leak, "%s", strings.Join(left, ", "))
	}
	if b, err := os.ReadFile(filepath.Join(p.dir, "run.jsonl")); err == nil && !strings.HasSuffix(string(b), "}\n") {
		r.worse(leak, "a record that is not whole: %d bytes", len(b))
	}
	interrupts := s == unix.SIGINT || s == unix.SIGTERM || s == unix.SIGHUP
	switch {
	case r.Status == 3:
		r.worse(idle, "")
	case r.crashed(p, ""):
	case r.Done == 0 && r.Status == 0:
		r.worse(survived, "")
		r.complete(p, 1)
	case r.Done == 0:
		r.worse(unmet, "%s", strings.Join(append(complaints(p.errs.String()), failedChecks(p.out.String())...), "; "))
	case interrupts && (r.Status != 130 && r.Status != 0 || p.errs.String() != ""): // it may have been over
		r.worse(wrong, "status %d", r.Status)
	case !interrupts && r.Status != 128+int(s) && r.Status != 0:
		r.worse(wrong, "status %d", r.Status)
	default:
		r.worse(complains, "")
	}
}
