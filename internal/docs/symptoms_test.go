package docs

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"socklife/internal/explain"
	"socklife/tcpinfo"
)

const symptoms = "docs/symptoms.md"

// rows are the cells of the tables below a heading, up to the next of its rank or above.
func rows(t *testing.T, page, heading string) (list [][]string) {
	t.Helper()
	rank, inside := strings.IndexByte(heading, ' '), false
	for line := range strings.Lines(prose(read(t, page))) {
		switch line = strings.TrimSpace(line); {
		case line == heading:
			inside = true
		case inside && strings.HasPrefix(line, "#") && strings.IndexByte(line, ' ') <= rank:
			return list
		case inside && strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "|--"):
			var cells []string
			for _, c := range strings.Split(strings.Trim(line, "|"), " | ") {
				cells = append(cells, strings.TrimSpace(c))
			}
			list = append(list, cells)
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s: no table below %s", page, heading)
	}
	return list
}

// The page has each error of each call that --explain has, no other, and a link leads where the error is spoken of.
func TestSymptomsHaveEveryErrno(t *testing.T) {
	t.Parallel()
	want := map[string]bool{}
	for _, e := range explain.Errnos() {
		for _, why := range e.Calls {
			want[e.Name+" of "+why.Calls] = true
		}
	}
	var name string
	linked, order := map[string]bool{}, []string{}
	for _, r := range rows(t, symptoms, "## An errno")[1:] {
		if r[0] != "" {
			name = strings.Trim(r[0], "`")
			order = append(order, name)
		}
		if len(r) < 5 || !want[name+" of "+r[1]] {
			t.Errorf("%s of %q: --explain does not have it, or the row is not whole: %q", name, r[1], r)
		}
		delete(want, name+" of "+r[1])
		for _, m := range link.FindAllStringSubmatch(strings.Join(r, " "), -1) {
			if page := "docs/" + m[1]; strings.HasPrefix(m[1], "scenarios/") {
				linked[name] = true
				if !strings.Contains(read(t, page), name) {
					t.Errorf("%s is not spoken of in %s", name, page)
				}
			}
		}
	}
	for missing := range want {
		t.Errorf("%s is missing", missing)
	}
	if !slices.IsSorted(order) {
		t.Errorf("not in the order of the alphabet: %v", order)
	}
	for _, e := range explain.Errnos() {
		if len(e.Seen) > 0 && !linked[e.Name] {
			t.Errorf("%s has a scenario, and no link: %v", e.Name, e.Seen)
		}
	}
}

// The page has each counter that is explained, with the name that nstat(8) has for it.
func TestSymptomsHaveEveryCounter(t *testing.T) {
	t.Parallel()
	snmp, err := os.ReadFile("/proc/net/snmp")
	if err != nil {
		t.Skip(err)
	}
	ofSNMP := regexp.MustCompile(`(?m)^Tcp: (Rto.*)$`).FindStringSubmatch(string(snmp))
	if ofSNMP == nil {
		t.Fatalf("no Tcp in /proc/net/snmp:\n%s", snmp)
	}
	want := map[string]bool{}
	for _, name := range explain.Counters() {
		prefix := "TcpExt"
		if slices.Contains(strings.Fields(ofSNMP[1]), name) {
			prefix = "Tcp"
		}
		want[prefix+name] = true
	}
	_, section, _ := strings.Cut(read(t, symptoms), "## A counter that rises")
	section, _, _ = strings.Cut(section, "\n## ")
	found := map[string]bool{}
	for _, m := range regexp.MustCompile("`(Tcp[A-Z]\\w+)`").FindAllStringSubmatch(section, -1) {
		if found[m[1]] = true; !want[m[1]] {
			t.Errorf("%s is not explained, or nstat calls it by another name", m[1])
		}
	}
	for name := range want {
		if !found[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// ssLine is what a line of ss(8) tells.
type ssLine struct {
	state          string
	recvQ, sendQ   int
	timer          string // on, persist, …; "" without one
	again          int    // how often it ran out in vain
	orphan, listed bool   // ino:0, and whether users were named
}

var (
	ssFields    = regexp.MustCompile(`^ *([A-Z][A-Z0-9-]+) +(\d+) +(\d+) +\S+:\S+ +\S+:\S+ *(.*)$`)
	ssTimer     = regexp.MustCompile(`timer:\((\w+),[^,]*,(\d+)\)`)
	countedLine = regexp.MustCompile(`^ *(\d+)  (.*)$`)
)

func readSS(line string) (l ssLine, ok bool) {
	m := ssFields.FindStringSubmatch(strings.TrimRight(line, "\n"))
	if m == nil {
		return l, false
	}
	l = ssLine{state: m[1], orphan: regexp.MustCompile(`\bino:0\b`).MatchString(m[4]), listed: strings.Contains(m[4], "users:")}
	l.recvQ, _ = strconv.Atoi(m[2])
	l.sendQ, _ = strconv.Atoi(m[3])
	if x := ssTimer.FindStringSubmatch(m[4]); x != nil {
		l.timer = x[1]
		l.again, _ = strconv.Atoi(x[2])
	}
	return l, true
}

// ssLines are those of the page, by their numbers.
func ssLines(t *testing.T) map[int]ssLine {
	t.Helper()
	list := map[int]ssLine{}
	for _, f := range fences(symptoms, read(t, symptoms)) {
		for line := range strings.Lines(f.text) {
			m := countedLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
			if f.language != "text" || m == nil {
				continue
			}
			n, _ := strconv.Atoi(m[1])
			l, ok := readSS(m[2])
			if _, twice := list[n]; !ok || twice {
				t.Errorf("line %d: it is none of ss, or comes twice: %s", n, m[2])
			}
			list[n] = l
		}
	}
	return list
}

// Each line of ss on the page has a row, and all states and timers are there that ss shows.
func TestSymptomsHaveEveryStateAndTimer(t *testing.T) {
	t.Parallel()
	list := ssLines(t)
	states, timers := map[string]bool{}, map[string]bool{}
	for n, l := range list {
		states[l.state], timers[l.timer] = true, true
		if l.orphan == l.listed {
			t.Errorf("line %d: want users or ino:0: %+v", n, l)
		}
	}
	for _, s := range tcpinfo.States() {
		if s != tcpinfo.Closed && !states[s.SS()] {
			t.Errorf("no line is in %s", s.SS())
		}
	}
	for _, x := range explain.Timers() {
		if !timers[x.Kernel] {
			t.Errorf("no line has the timer %s", x.Kernel)
		}
	}
	left := maps.Clone(list)
	for _, r := range rows(t, symptoms, "## A line of ss") {
		if n, err := strconv.Atoi(r[0]); err == nil {
			if _, ok := list[n]; !ok {
				t.Errorf("there is no line %d", n)
			}
			delete(left, n)
		}
	}
	for n := range left {
		t.Errorf("line %d has no row", n)
	}
}

// A long cell is prose in disguise.
func TestCellsOfSymptomsAreShort(t *testing.T) {
	t.Parallel()
	for page, heading := range map[string]string{symptoms: "# Symptoms", "docs/reference.md": "## Sysctls"} {
		for _, r := range rows(t, page, heading) {
			for _, c := range r {
				if n := len([]rune(link.ReplaceAllString(c, "]"))); n > 120 {
					t.Errorf("%s: %d letters: %s", page, n, c)
				}
			}
		}
	}
}
