package torture

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

var (
	ours    = regexp.MustCompile(`(?m)^(panic|unexpected fault address|SIG[A-Z]+: |fatal error): `)
	ofGo    = regexp.MustCompile(`(?m)^(runtime: |runtime/cgo: |futexwakeup addr=|fatal error: |failed to |signal arrived |fatal: morestack)`)
	aLine   = regexp.MustCompile(`(?m)^echo[cd]: .*$`)
	echodOK = regexp.MustCompile(`^echod: (listening on |\d+ connections?|\S+: (finished|reset|idle|drained|cut|failed))`)
)

// goCalls are made by Go's runtime, on its own account or for the program's: where one fails it aborts.
var goCalls = map[string]bool{
	"mmap": true, "munmap": true, "madvise": true, "clone": true, "futex": true, "rt_sigaction": true, "rt_sigprocmask": true, "sigaltstack": true,
	"arch_prctl": true, "sched_getaffinity": true, "sched_yield": true, "nanosleep": true, "epoll_create1": true, "epoll_pwait": true, "epoll_ctl": true,
	"eventfd2": true, "fcntl": true, "getpid": true, "gettid": true, "prctl": true, "exit": true, "timer_create": true, "timer_settime": true,
	"timer_delete": true, "write": true, "read": true, "openat": true, "open": true, "close": true,
}

// goOnly are made by nobody else.
var goOnly = map[string]bool{"mmap": true, "munmap": true, "madvise": true, "clone": true, "futex": true, "rt_sigaction": true, "rt_sigprocmask": true, "sigaltstack": true}

// crashed says so if a command did not end by itself, and whether that is Go's.
func (r *result) crashed(p *process, call string) bool {
	errs := p.errs.String()
	switch isGo := ofGo.MatchString(errs) && goCalls[call] && !strings.Contains(errs, "\npanic: ") && !strings.HasPrefix(errs, "panic: "); {
	case isGo && !strings.Contains(errs, "all goroutines are asleep"):
		r.worse(runtimes, "")
	case ours.MatchString(errs):
		r.worse(crash, "%s", firstLine(errs))
	case ofGo.MatchString(errs):
		r.worse(crash, "%s", firstLine(errs))
	default:
		return false
	}
	r.Said = head(errs, 600)
	return true
}

// ended judges how a command ended in which a call was made to fail with an errno; "" is none.
func (r *result) ended(p *process, call, errno string, wantOK bool) {
	r.Status, r.Said = p.status(), head(p.errs.String(), 400)
	if r.crashed(p, call) || r.straces {
		return
	}
	if left := p.leaves("run.pcapng", "run.jsonl", "run.html", "run.svg"); len(left) > 0 {
		r.worse(leak, "%s", strings.Join(left, ", "))
	}
	lines := complaints(p.errs.String())
	switch {
	case r.Status == 0:
		r.worse(survived, "")
	case wantOK:
		r.worse(unmet, "%s", strings.Join(append(lines, failedChecks(p.out.String())...), "; "))
	case call == "close": // which strace did not make: what is wrong then is something else
		r.worse(complains, "")
	case errno == "EPIPE" && (r.Status == 128+int(unix.SIGPIPE) || r.Status == 130 && strings.Contains(r.Target, "--pcap")):
		r.worse(complains, "") // as any filter; who reads a capture and goes ends the run
	case r.Status != 1 && r.Status != 3:
		if goCalls[call] && r.Status == 2 || goOnly[call] && r.Status > 128 {
			r.worse(runtimes, "")
			return
		}
		r.worse(wrong, "status %d", r.Status)
	case len(lines) != 1:
		if goCalls[call] && len(lines) == 0 && (call == "write" || call == "exit" || call == "openat") {
			r.worse(complains, "") // the line itself could not be written
			return
		}
		r.worse(mute, "%d lines on standard error", len(lines))
	case errno != "" && r.Status == 1 && !names(lines[0]+"\n"+p.out.String(), errno):
		r.worse(mute, "no word of %s: %s", errno, lines[0])
	default:
		r.worse(complains, "")
	}
}

// complaints are lines on standard error that are not what the plain server tells anyway.
func complaints(errs string) (lines []string) {
	for _, l := range aLine.FindAllString(errs, -1) {
		if !echodOK.MatchString(l) && !strings.HasSuffix(l, ": waiting until somebody reads it") {
			lines = append(lines, l)
		}
	}
	return lines
}

// names tells whether a text has an errno in it, by name or in words.
func names(text, errno string) bool {
	return strings.Contains(text, errno) || strings.Contains(strings.ToLower(text), strings.ToLower(errnos[errno].Error())) ||
		inOtherWords[errno] != "" && strings.Contains(text, inOtherWords[errno])
}

// inOtherWords is what some errnos mean where they come.
var inOtherWords = map[string]string{
	"EAGAIN": "timeout", // of a socket that waits
	"EEXIST": "there is such a file already",
	// os.Remove tries unlinkat(2) for a file and for a directory, and takes the second's ENOTDIR for a wrong guess.
	"ENOTDIR": "is a directory",
}

// errnos are the numbers by their names.
var errnos = func() map[string]unix.Errno {
	m := map[string]unix.Errno{"EOPNOTSUPP": unix.EOPNOTSUPP, "EWOULDBLOCK": unix.EWOULDBLOCK}
	for n := unix.Errno(1); n < 140; n++ {
		if name := unix.ErrnoName(n); name != "" {
			m[name] = n
		}
	}
	return m
}()

type event map[string]any

// parsed are the events of a timeline, which must be whole lines with numbers without a gap.
func parsed(out string) (all []event, ok bool) {
	for line := range strings.Lines(out) {
		var e event
		if !strings.HasSuffix(line, "\n") || json.Unmarshal([]byte(line), &e) != nil || e["seq"] != float64(len(all)+1) {
			return all, false
		}
		all = append(all, e)
	}
	return all, true
}

func failedChecks(out string) (list []string) {
	all, _ := parsed(out)
	for _, e := range all {
		if e["kind"] == "check" && e["ok"] != true {
			list = append(list, strings.TrimSpace(asText(e["expect"])+": got "+asText(e["got"])))
		}
		if e["kind"] == "summary" && e["ok"] != true {
			list = append(list, asText(e["why"]))
		}
	}
	return list
}

func asText(v any) string { s, _ := v.(string); return s }

// complete holds a run of a scenario that calls itself a success to having met as many checks as others do.
func (r *result) complete(p *process, checks int) {
	if p.status() != 0 {
		return
	}
	all, ok := parsed(p.out.String())
	if !ok || len(all) == 0 {
		r.worse(lying, "status 0, and the timeline is not whole after %d events", len(all))
		return
	}
	last, met := event{}, 0
	for _, e := range all {
		if e["kind"] == "summary" {
			last = e
		}
		if e["kind"] == "check" {
			if met++; e["ok"] != true {
				r.worse(lying, "status 0, and a check failed: %s", asText(e["expect"]))
			}
		}
	}
	if last["ok"] != true || met < checks {
		r.worse(lying, "status 0, and the summary is %v; %d checks of %d", last["ok"], met, checks)
	}
}

// files holds what was written to being whole.
func (r *result) files(p *process) {
	if p.status() != 0 {
		return
	}
	for _, name := range []string{"run.pcapng", "run.jsonl", "run.html", "run.svg"} {
		b, err := os.ReadFile(filepath.Join(p.dir, name))
		asked := strings.Contains(strings.Join(p.cmd.Args, " "), name)
		switch {
		case !asked:
		case err != nil:
			r.worse(lying, "status 0, and there is no %s", name)
		case name == "run.pcapng" && !wholeCapture(b), name == "run.jsonl" && !strings.Contains(string(b), `"kind":"summary"`) || len(b) == 0,
			name == "run.html" && !strings.HasSuffix(strings.TrimSpace(string(b)), "</html>"), name == "run.svg" && !strings.HasSuffix(strings.TrimSpace(string(b)), "</svg>"):
			r.worse(lying, "status 0, and %s is not whole: %d bytes", name, len(b))
		}
	}
}

func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if ours.MatchString(line) || ofGo.MatchString(line) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func head(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
