package explain

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestSysctls(t *testing.T) {
	t.Parallel()
	for _, s := range Sysctls() {
		if !strings.HasSuffix(s.Does, ".") || strings.ContainsAny(s.Does, "\n\t") || len(s.Does) > 100 {
			t.Errorf("%s: %q is not one short sentence", s.Name, s.Does)
		}
		if (s.Seen == "") == (s.Spoken == "") {
			t.Errorf("%s: want a scenario, or a page that speaks of it", s.Name)
		}
		if _, topic, _ := strings.Cut(s.Short(), "_"); s.Seen != "" && !seenIn(t, s.Seen, s.Short()) && !seenIn(t, s.Seen, strings.Split(topic, "_")[0]) {
			t.Errorf("%s is not seen in %s", s.Name, s.Seen)
		}
	}
	for word, want := range map[string]string{
		"TCP_FIN_TIMEOUT": "net.ipv4.tcp_fin_timeout", "/proc/sys/net/core/somaxconn": "net.core.somaxconn", "fs.file-max": "fs.file-max", "tcp_fin": "", "": "",
	} {
		if s := FindSysctl(word); (s == nil) != (want == "") || s != nil && s.Name != want {
			t.Errorf("%q: %+v, want %s", word, s, want)
		}
	}
}

// What a page, or the program, names is in the table: with its whole name, or with the last part of one that this
// kernel has.
func TestEverySysctlThatIsNamedIsExplained(t *testing.T) {
	t.Parallel()
	whole := regexp.MustCompile(`\b(?:net\.(?:ipv4|ipv6|core|netfilter)(?:\.[a-z0-9_]+)+|fs\.(?:file-max|nr_open))\b`)
	bare := regexp.MustCompile(`\b(?:(?:tcp|ip|udp|nf)_[a-z0-9_]+|somaxconn|bindv6only)\b`)
	inTheKernel := func(name string) bool {
		return slices.ContainsFunc([]string{"net/ipv4", "net/ipv6", "net/core", "net/netfilter"}, func(dir string) bool {
			_, err := os.Stat("/proc/sys/" + dir + "/" + name)
			return err == nil
		})
	}
	named := map[string]bool{}
	for file, text := range sources(t, "README.md", "docs/*.md", "docs/*/*.md", "internal/*/*.go", "cmd/*/*.go", "sockapi/*.go", "tcpinfo/*.go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, name := range append(whole.FindAllString(text, -1), bare.FindAllString(text, -1)...) {
			switch s := FindSysctl(name); {
			case s != nil:
				named[s.Name] = true
			case strings.Contains(name, ".") || inTheKernel(name):
				t.Errorf("%s: %s is not explained", file, name)
			}
		}
	}
	if len(named) < 35 {
		t.Errorf("only %d found", len(named))
	}
}

// A fresh network namespace has the defaults. What depends on memory is there, and has as many numbers.
func TestSysctlsAreTheKernels(t *testing.T) {
	t.Parallel()
	fresh := freshSysctls(t)
	for _, s := range Sysctls() {
		value, ok := fresh[pathOf(s)]
		if s.Host {
			text, err := os.ReadFile(pathOf(s))
			value, ok = strings.TrimSpace(string(text)), err == nil
		}
		switch got, want := strings.Fields(value), strings.Fields(s.Default); {
		case !ok && s.Since != "": // too new for this kernel, or gone
		case !ok:
			t.Errorf("%s: this kernel has none", s.Name)
		case s.Gone():
			t.Errorf("%s is not gone", s.Name)
		case s.Varies != "" && len(got) != len(want), s.Varies == "" && !s.Host && !slices.Equal(got, want):
			t.Errorf("%s: %q, want %q", s.Name, value, s.Default)
		}
	}
}

// freshSysctls are the files that a network namespace has when nobody has written to it. An ordinary user's needs a
// user namespace.
func freshSysctls(t *testing.T) map[string]string {
	t.Helper()
	args := []string{"-s", ""}
	for _, s := range Sysctls() {
		args = append(args, pathOf(s))
	}
	grep := exec.Command("grep", append(args, os.DevNull)...) // of several files it prints the names
	grep.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
	}
	out, err := grep.Output()
	if len(out) == 0 {
		t.Skipf("no namespace of one's own here, and no fresh defaults: %v", err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		found[path] = value
	}
	return found
}

// pathOf is the file that has a sysctl's value.
func pathOf(s Sysctl) string { return "/proc/sys/" + strings.ReplaceAll(s.Name, ".", "/") }
