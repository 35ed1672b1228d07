package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	comment    = regexp.MustCompile(`(?s)<!--.*?-->`)
	ourCommand = regexp.MustCompile("`[^`]*(?:echoc|echod|--)[^`]*`")
	linkTarget = regexp.MustCompile(`\]\([^)\s]*\)`)
	newItem    = regexp.MustCompile(`^\s*(?:[-*|#]|\d+\. |$)`)
	nextOne    = regexp.MustCompile("[.!?:;] (?:[A-Z`*\\[(])")
	oneTime    = regexp.MustCompile(`(\d+(?:\.\d+)?) ?-?(ms|milliseconds?|s|seconds?|min|minutes?|hours?)\b|\b(a|an|one|two|three|four|five|ten|fifteen|sixty) (milliseconds|seconds|minutes?|hours?)\b|\b(one) (second)\b`)
)

// fractions are times that oneTime would take for others.
var fractions = strings.NewReplacer("a quarter of an hour", "15 minutes", "half an hour", "30 minutes", "half a minute", "30 s")

// sentences are a page's, without code blocks, commands and the targets of links; in a table each cell has its own.
func sentences(text string) (list []string) {
	text = comment.ReplaceAllString(prose(text), "")
	var paragraphs []string
	for line := range strings.Lines(text) {
		if n := len(paragraphs); n == 0 || newItem.MatchString(line) || strings.HasPrefix(paragraphs[n-1], "|") {
			paragraphs = append(paragraphs, "")
		}
		paragraphs[len(paragraphs)-1] += line
	}
	for _, p := range paragraphs {
		p = ourCommand.ReplaceAllString(linkTarget.ReplaceAllString(p, "]"), "")
		p = strings.Join(strings.Fields(p), " ")
		cells := []string{p}
		if strings.HasPrefix(p, "|") {
			cells = strings.Split(p, "|")
		}
		for _, cell := range cells {
			for at := nextOne.FindStringIndex(cell); at != nil; at = nextOne.FindStringIndex(cell) {
				list = append(list, cell[:at[0]+1])
				cell = cell[at[0]+2:]
			}
			list = append(list, cell)
		}
	}
	return slices.DeleteFunc(list, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// mentions are the places of a text that state a fact: how many of each there are, and which have another value.
func mentions(text string) (found map[string]int, wrong []string) {
	found = map[string]int{}
	check := func(what, said, sentence string, right bool) {
		found[what]++
		if !right {
			wrong = append(wrong, fmt.Sprintf("%s: %q in: %s", what, said, sentence))
		}
	}
	for _, s := range sentences(text) {
		for _, f := range timedFacts {
			if !f.about.MatchString(s) {
				continue
			}
			rest := fractions.Replace(s)
			if f.unless != nil {
				rest = f.unless.ReplaceAllString(rest, "…")
			}
			for _, m := range oneTime.FindAllStringSubmatch(rest, -1) {
				check(f.what, m[0], s, slices.Contains(f.is, lasting(m[1]+m[3]+m[5], m[2]+m[4]+m[6])))
			}
		}
		for _, f := range countedFacts {
			for _, m := range f.says.FindAllStringSubmatch(s, -1) {
				check(f.what, m[1], s, m[1] == f.is)
			}
		}
		for _, f := range sysctlFacts {
			for _, said := range f.defaultsIn(s) {
				check(f.name, said, s, f.isDefault(said))
			}
		}
	}
	for _, row := range defaultColumns(text) {
		for _, f := range sysctlFacts {
			if (f.name == row[0] || f.short() == row[0]) && row[1] != "" {
				check(f.name, row[1], strings.Join(row[:], " | "), f.isDefault(row[1]))
			}
		}
	}
	return found, wrong
}

// lasting is a time in words.
func lasting(n, unit string) time.Duration {
	words := map[string]string{"a": "1", "an": "1", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "ten": "10", "fifteen": "15", "sixty": "60"}
	if w := words[n]; w != "" {
		n = w
	}
	if unit != "ms" && unit != "us" {
		unit = strings.TrimSuffix(unit, "s")
	}
	units := map[string]string{"millisecond": "ms", "": "s", "second": "s", "min": "m", "minute": "m", "hour": "h"}
	if u, ok := units[unit]; ok {
		unit = u
	}
	d, err := time.ParseDuration(n + unit)
	if err != nil {
		return -1 // no time
	}
	return d
}

// forms are how a sentence gives a sysctl's default: "tcp_x (5)", "tcp_x, 60 s", "tcp_x at 1", "the default tcp_x=2",
// "the default of tcp_x, 6", "tcp_x … 4096 by default", "tcp_x=0, the default".
var forms = func() map[string][]*regexp.Regexp {
	all := map[string][]*regexp.Regexp{}
	const number = `(\d+(?:(?:,| to| and|–| ) ?\d{5})?(?: ?(?:ms|s|seconds|minutes))?)\b`
	for _, f := range sysctlFacts {
		name := `(?:\b(?:net\.\w+\.)?` + f.short() + "\\b`?)"
		for _, form := range []string{
			name + `(?:,| at(?: its| the)?(?: default)?(?: of)?)? ?\((?:[a-z()0-9]*; )?` + number + `[),:;]`,
			name + `(?:,| at| has)(?: its| the| a)?(?: default)?(?: of)? ` + number,
			`default (?:of )?` + "`?" + name + `(?:=|, )` + number,
			name + `[^.]*? ` + number + ` (?:by default|since Linux)`,
			name + `=` + number + "`?, the default",
		} {
			all[f.name] = append(all[f.name], regexp.MustCompile(form))
		}
	}
	return all
}()

// short is the name without what is before it in /proc/sys.
func (f sysctl) short() string { return f.name[strings.LastIndexByte(f.name, '.')+1:] }

// defaultsIn are the values that a sentence gives as the sysctl's default.
func (f sysctl) defaultsIn(s string) (said []string) {
	if !strings.Contains(s, f.short()) {
		return nil
	}
	for _, form := range forms[f.name] {
		for _, m := range form.FindAllStringSubmatch(s, -1) {
			said = append(said, m[1])
		}
	}
	return said
}

// isDefault says whether it is: "4096", "60 s", "32768 to 60999".
func (f sysctl) isDefault(said string) bool {
	if m := oneTime.FindStringSubmatch(said); m != nil && m[1] != "" {
		return lasting(m[1], m[2]) == lasting(f.value, strings.Replace(f.unit, "µs", "us", 1))
	}
	return strings.Join(regexp.MustCompile(`\d+`).FindAllString(said, -1), " ") == f.value
}

// defaultColumns are the rows of tables that have a column "default": what stands in the first column, and there.
func defaultColumns(text string) (rows [][2]string) {
	column := -1
	for line := range strings.Lines(prose(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			column = -1
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		if i := slices.Index(cells, "default"); i > 0 {
			column = i
		} else if column > 0 && column < len(cells) {
			value, _, _ := strings.Cut(cells[column], ";") // "4; since 6.5"
			rows = append(rows, [2]string{cells[0], strings.Trim(value, "` ")})
		}
	}
	return rows
}

// No page says of a fact what another does not.
func TestEveryMentionOfAFactIsTrue(t *testing.T) {
	t.Parallel()
	total, on := map[string]int{}, map[string]int{}
	for _, page := range pages(t) {
		text := read(t, page)
		if original(page) != "" {
			text = inEnglish(text)
		}
		found, wrong := mentions(text)
		for _, w := range wrong {
			t.Errorf("%s: %s\nThe value is in docs/facts.md (internal/docs/facts_test.go). If another time is meant, name it there under unless.", page, w)
		}
		for what, n := range found {
			total[what] += n
			on[what]++
		}
	}
	for _, f := range timedFacts {
		if testing.Verbose() {
			t.Logf("%s: %d mentions on %d pages", f.what, total[f.what], on[f.what])
		}
		if total[f.what] == 0 {
			t.Errorf("%s: no page is found to mention it: is its expression right?", f.what)
		}
	}
	for _, f := range countedFacts {
		if total[f.what] == 0 {
			t.Errorf("%s: no page is found to mention it", f.what)
		}
	}
}

// A wrong number on a page is found, however the sentence goes; a right one, and another number beside it, is not.
func TestAWrongMentionIsFound(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		"TIME-WAIT lasts 120 s.",
		"The port is free again after four minutes of TIME-WAIT.",
		"| the side that closed first | TIME-WAIT for 2 minutes |",
		"TIME-WAIT (`TCP_TIMEWAIT_LEN`) is\n30 seconds, whatever the MSL.",
		"After close() FIN-WAIT-2 lasts 180 s.",
		"The default of tcp_fin_timeout, 30 s, is for orphans.",
		"`net.ipv4.tcp_fin_timeout` (30) is for orphans.",
		"Linux delays the ACK of a FIN by up to 500 ms.",
		"The delayed ACK comes after 100 ms.",
		"The first retransmission timeout is three seconds.",
		"Later ones begin at 300 ms (`TCP_RTO_MIN`).",
		"It waits twice as long each time, up to 60 s.",
		"`tcp_synack_retries` has a default of 5, which makes 31 s.",
		"`net.ipv4.tcp_synack_retries` (3: that is 15 s) is for the server.",
		"No SYN was answered, for 75 s by default.",
		"`tcp_syn_retries` (5) is how often.",
		"With `net.ipv4.tcp_syn_retries` at 5 it takes longer.",
		"Data is retransmitted `tcp_retries2` times, which takes 2 hours.",
		"The queue takes backlog + 2 connections.",
		"By default there are 64,512 ports to choose from.",
		"It passes net.core.somaxconn to listen, 128 by default.",
		"From net.ipv4.ip_local_port_range, 1024 to 65535 by default.",
		"a port of `net.ipv4.ip_local_port_range` (ip(7); 49152 to 65535)",
		"The default `tcp_tw_reuse=1` means always.",
		"It must be older than `tcp_tw_reuse_delay` (2 s).",
		"`sysctl net.ipv4.tcp_abort_on_overflow=1`, the default.",
		"| sysctl | default | unit |\n|---|---|---|\n| `net.ipv4.tcp_keepalive_time` | 3600 | s |\n",
		"| sysctl | unit | default |\n|---|---|---|\n| `tcp_retries2` | times | 8 |\n",
		"| sysctl | default |\n|---|---|\n| `net.ipv4.tcp_tw_reuse` | `0`; before 4.19: `2` |\n",
		"Data is retransmitted `tcp_retries2` times, which takes half an hour.",
	} {
		if _, found := mentions(wrong); len(found) == 0 {
			t.Errorf("not found: %s", wrong)
		}
	}
	for _, right := range []string{
		"TIME-WAIT lasts a minute, and not 2 MSL of 2 minutes.",
		"TIME-WAIT keeps the port for sixty seconds.",
		"`SO_LINGER` with 0 s: close() sends RST, no TIME-WAIT.",
		"It must be older than `tcp_tw_reuse_delay` (1 s).",
		"With `tcp_synack_retries=1` it is over after 3 s.",
		"net.ipv4.ip_local_port_range, 32768 to 60999 by default",
		"| sysctl | default | unit |\n|---|---|---|\n| `net.ipv4.tcp_keepalive_time` | 7200 | s |\n| `tcp_fin_timeout` | 60 s | s |\n",
		"| sysctl | default |\n|---|---|\n| `net.ipv4.tcp_tw_reuse` | `2`; before 4.19: `0` |\n",
		"Data is retransmitted `tcp_retries2` times, which takes a quarter of an hour.",
		"```text\nTIME-WAIT lasts 120 s.\n```\n",
	} {
		if _, found := mentions(right); len(found) > 0 {
			t.Errorf("found, and true: %s: %v", right, found)
		}
	}
}

// So it is on the pages as they are, when a number there is changed.
func TestANumberChangedOnAPageIsFound(t *testing.T) {
	t.Parallel()
	places := [][3]string{
		{"docs/scenarios/time-wait.md", "only a timer of 60 s", "only a timer of 240 s"},
		{"docs/questions.md", "for 60 s", "for 120 s"},
		{"docs/states.md", "tcp_fin_timeout (60 s)", "tcp_fin_timeout (30 s)"},
		{"docs/scenarios/half-close.md", "up to 40 ms", "up to 100 ms"},
		{"docs/scenarios/syn-loss.md", "begin at 200 ms", "begin at 300 ms"},
		{"docs/scenarios/connect-timeout.md", "at 6 the attempt", "at 5 the attempt"},
		{"docs/scenarios/self-connect.md", "32768 to 60999", "1024 to 60999"},
		{"docs/scenarios/port-exhaustion.md", "28,232 ports", "28,231 ports"},
		{"docs/textbook.md", "makes 63 s", "makes 31 s"},
		{"docs/reference.md", "tcp_keepalive_time (7200 s)", "tcp_keepalive_time (720 s)"},
	}
	there := 0
	for _, c := range places {
		text := read(t, c[0])
		changed := strings.ReplaceAll(text, c[1], c[2])
		if changed == text { // the page was written anew
			continue
		}
		there++
		if _, wrong := mentions(changed); len(wrong) == 0 {
			t.Errorf("%s: %s is not found", c[0], c[2])
		}
	}
	if there < len(places)/2 {
		t.Errorf("the pages have only %d of these %d sentences: take others", there, len(places))
	}
}
