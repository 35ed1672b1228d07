package explain

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const root = "../.."

// sources are the texts of the files that match.
func sources(t *testing.T, patterns ...string) (all map[string]string) {
	t.Helper()
	all = map[string]string{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all[f] = string(text)
		}
	}
	return all
}

// numbers has the kernel's errors by their names.
func numbers() map[string]unix.Errno {
	m := map[string]unix.Errno{"EOPNOTSUPP": unix.EOPNOTSUPP} // which has another name too
	for n := unix.Errno(1); n < 134; n++ {
		m[unix.ErrnoName(n)] = n
	}
	return m
}

// Errors that are named where no call of the sockets API gives them.
var otherErrors = []string{"EIO", "ENOENT", "ENOMEM", "ENOSPC", "EISDIR", "ECHILD", "ENODEV", "ENETDOWN", "ENXIO", "ESRCH", "EDESTADDRREQ"}

// What a lesson, or a page, names is explained.
func TestEveryWordThatIsNamedIsExplained(t *testing.T) {
	t.Parallel()
	word, number := regexp.MustCompile(`\b(E[A-Z]{3,}|(?:SO|TCP|IP|IPV6)_[A-Z][A-Z0-9_]+)\b`), numbers()
	foreign := []string{"SO_EXCLUSIVEADDRUSE"} // another system's
	for file, text := range sources(t, "internal/scenario/*.go", "docs/*.md", "docs/scenarios/*.md", "README.md") {
		for _, name := range word.FindAllString(text, -1) {
			switch {
			case strings.HasPrefix(name, "E"):
				if number[name] != 0 && !slices.Contains(otherErrors, name) && FindErrno(name) == nil {
					t.Errorf("%s: %s is not explained", file, name)
				}
			case slices.Contains(foreign, name) || isConstant(name):
			case FindOption(name) == nil && len(FindTimers(name)) == 0:
				t.Errorf("%s: %s is not explained", file, name)
			}
		}
	}
}

// isConstant tells the names that are the kernel's own and no option's: of states, of reasons for a reset, and of
// numbers in its source.
func isConstant(name string) bool {
	return slices.Contains([]string{"TCP_RTO_MIN", "TCP_TIMEOUT_INIT", "TCP_TW_RST", "TCP_BOUND_INACTIVE", "TCP_ESTABLISHED", "TCP_SYN_SENT", "TCP_SYN_RECV", "TCP_NEW_SYN_RECV",
		"TCP_FIN_WAIT1", "TCP_FIN_WAIT2", "TCP_TIME_WAIT", "TCP_CLOSE", "TCP_CLOSE_WAIT", "TCP_LAST_ACK", "TCP_LISTEN", "TCP_CLOSING", "TCP_STATE", "TCP_ABORT_ON_CLOSE", "TCP_TIMEWAIT_SOCKET"}, name)
}

// Every option that the wrapper has is explained, and every flag leads to one.
func TestEveryOptionOfTheWrapperIsExplained(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`(?m)^\t([A-Z0-9_]+) += \w+Option\(`)
	for _, text := range sources(t, "sockapi/options.go") {
		found := name.FindAllStringSubmatch(text, -1)
		if len(found) < 25 {
			t.Errorf("only %d options found", len(found))
		}
		for _, m := range found {
			if FindOption(m[1]) == nil {
				t.Errorf("%s is not explained", m[1])
			}
		}
	}
	flag := regexp.MustCompile(`f\.(?:boolean|number|buffer|duration)\("([a-z0-9-]+)"`)
	for _, text := range sources(t, "internal/cli/sockflags.go") {
		for _, m := range flag.FindAllStringSubmatch(text, -1) {
			if FindOption("--"+m[1]) == nil {
				t.Errorf("--%s is not explained", m[1])
			}
		}
	}
}

// seenIn tells whether a scenario's page, or its code, has the word.
func seenIn(t *testing.T, scenario, word string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "scenarios", scenario+".md"))
	if err != nil {
		t.Error(err)
	}
	return strings.Contains(string(text), word)
}

func TestErrnos(t *testing.T) {
	t.Parallel()
	number := numbers()
	for _, e := range Errnos() {
		if number[e.Name] == 0 || !strings.EqualFold(number[e.Name].Error(), strings.Split(e.Means, " (")[0]) {
			t.Errorf("%s: %q, and the system says %q", e.Name, e.Means, number[e.Name].Error())
		}
		for _, why := range e.Calls {
			if !oneSentence(why.Why) {
				t.Errorf("%s: %s: %q is not one sentence", e.Name, why.Calls, why.Why)
			}
			for _, call := range strings.Split(why.Calls, ", ") {
				if FindCall(call) == nil && call != "SO_ERROR" && call != "sock_diag" {
					t.Errorf("%s: %s is no call that is explained", e.Name, call)
				}
			}
		}
		for _, scenario := range e.Seen {
			if !seenIn(t, scenario, e.Name) {
				t.Errorf("%s is not seen in %s", e.Name, scenario)
			}
		}
	}
	if FindErrno("ewouldblock").Name != "EAGAIN" || FindErrno("EFISH") != nil || FindErrno("") != nil {
		t.Error("FindErrno")
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, o := range Options() {
		if !oneSentence(o.Does) || !oneSentence(o.When) || o.Man == "" {
			t.Errorf("%+v", o)
		}
		if o.Seen != "" && !seenIn(t, o.Seen, o.Name) {
			t.Errorf("%s is not seen in %s", o.Name, o.Seen)
		}
	}
	for word, want := range map[string]string{"linger": "SO_LINGER", "--linger2": "TCP_LINGER2", "so_error": "SO_ERROR", "local-port-range": "IP_LOCAL_PORT_RANGE"} {
		if o := FindOption(word); o == nil || o.Name != want {
			t.Errorf("%s: %+v, want %s", word, o, want)
		}
	}
	if FindOption("") != nil || FindOption("fish") != nil {
		t.Error("what is no option is found")
	}
}

func TestTimers(t *testing.T) {
	t.Parallel()
	for _, x := range Timers() {
		if !oneSentence(x.Does) || !oneSentence(x.Lasts) && !strings.HasPrefix(x.Lasts, "1 s") || len(x.Governs) == 0 {
			t.Errorf("%+v", x)
		}
	}
	for word, want := range map[string]int{"on": 3, "ON": 3, "timewait": 2, "tlp": 1, "persist": 1, "fish": 0, "": 0} {
		if got := FindTimers(word); len(got) != want {
			t.Errorf("%q: %d timers, want %d", word, len(got), want)
		}
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	for _, c := range Calls() {
		if c.Does == "" || c.Sends == "" || c.Returns == "" || !strings.Contains(c.Man, "(") {
			t.Errorf("%+v", c)
		}
		if c.Seen != "" && !seenIn(t, c.Seen, c.Name) {
			t.Errorf("%s is not seen in %s", c.Name, c.Seen)
		}
	}
	if errors := FindCall("connect()").Errors(); !slices.Contains(errors, "ECONNREFUSED") || slices.Contains(errors, "EPIPE") {
		t.Errorf("connect: %v", errors)
	}
	if FindCall("accept4").Name != "accept" || FindCall("fish") != nil || FindCall("") != nil {
		t.Error("FindCall")
	}
}
