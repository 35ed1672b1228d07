package docs

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"socklife/internal/course"
	"socklife/internal/explain"
	"socklife/internal/rfc9293"
	"socklife/internal/scenario"
	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// tables are made from the code; each is the whole text of its block.
var tables = map[string]func(*testing.T) string{
	"rooms":       roomsTable,
	"states":      statesTable,
	"waits":       waitsTable,
	"transitions": transitionsTable,
	"tcp_info":    fieldsTable,
	"counters":    countersTable,
	"errnos":      errnosTable,
	"timers":      timersTable,
	"options":     optionsTable,
	"calls":       callsTable,
	"sysctls":     sysctlsTable,
	"scenarios":   scenariosTable,
	"arrows":      arrowsTable,
	"flags":       flagsTable,
	"closings":    closingsTable,
	"queues":      queuesTable,
	"facts":       factsTable,
	"defaults":    defaultsTable,
	"findings":    findingsTable,
}

func TestEveryTableIsTheCodes(t *testing.T) {
	for _, b := range all(t, "table") {
		table := tables[b.what]
		if table == nil {
			t.Errorf("%s: there is no such table", b)
			continue
		}
		want := table(t)
		if original(b.page) != "" {
			want = inChinese(t, b.page, want)
		}
		switch {
		case b.body == want:
		case *update:
			b.rewrite(t, want)
		default:
			t.Errorf("%s: it is not what the code says\ngo test ./internal/docs -update rewrites it", b)
		}
	}
}

// markdown makes a table.
func markdown(head []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, r := range rows {
		for i := range r {
			r[i] = strings.ReplaceAll(r[i], "|", `\|`)
		}
		line(r)
	}
	return b.String()
}

func code(s string) string { return "`" + s + "`" }

// statesTable has the names of each state in the three vocabularies.
func statesTable(*testing.T) string {
	var rows [][]string
	for _, s := range tcpinfo.States() {
		rows = append(rows, []string{s.String(), code(s.SS()), code(s.Kernel()), fmt.Sprint(uint8(s))})
	}
	return markdown([]string{"RFC 9293", "ss(8)", "kernel", "number"}, rows)
}

// waitsTable says what each state waits for, as --explain does, and which scenario has it.
func waitsTable(t *testing.T) string {
	var b strings.Builder
	for i, s := range tcpinfo.States() {
		e := explain.State(s)
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", s, e.Waits)
		fmt.Fprintf(&b, "- Who must act: %s. %s\n- How long: %s\n", e.Who, e.Act, e.Lasts)
		fmt.Fprintf(&b, "- Governed by: %s.\n", strings.Join(e.Governs, "; "))
		fmt.Fprintf(&b, "- Seen in: %s\n", seenIn(t, s))
	}
	return b.String()
}

var seeIt = regexp.MustCompile(`see it +echoc (.*)`)

// seenIn is the command that --explain gives.
func seenIn(t *testing.T, s tcpinfo.State) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(bin, "echoc"), "--explain", s.String()).Output()
	m := seeIt.FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("--explain %s: %v\n%s", s, err, out)
	}
	command := strings.TrimSpace(string(m[1]))
	name := command[strings.LastIndexByte(command, ' ')+1:]
	return fmt.Sprintf("[%s](scenarios/%s.md): %s", name, name, code("echoc "+command))
}

// transitionsTable is RFC 9293's figure 5 as Linux has it.
func transitionsTable(*testing.T) string {
	var rows [][]string
	for _, tr := range rfc9293.Transitions {
		when := tr.When
		if tr.Via != 0 {
			when += "; Linux passes " + tr.Via.String() + " on the way"
		}
		rows = append(rows, []string{tr.From.String(), tr.To.String(), when})
	}
	return markdown([]string{"from", "to", "when"}, rows)
}

// fieldsTable is struct tcp_info.
func fieldsTable(*testing.T) string {
	var rows [][]string
	for _, f := range tcpinfo.Fields() {
		size := fmt.Sprintf("%d", f.Size)
		if f.Bits > 0 {
			size = fmt.Sprintf("%d bits", f.Bits)
		}
		rows = append(rows, []string{code(f.Name), fmt.Sprint(f.Offset), size, string(f.Unit), f.Since, f.Doc})
	}
	return markdown([]string{"field", "offset", "bytes", "unit", "Linux", "what it says"}, rows)
}

// countersTable says what makes each counter rise.
func countersTable(*testing.T) string {
	var rows [][]string
	for _, name := range explain.Counters() {
		_, says := explain.Counter(name)
		rows = append(rows, []string{code(name), says})
	}
	return markdown([]string{"counter", "rises when"}, rows)
}

// scenariosTable is the catalogue, by group, each with its page.
func scenariosTable(*testing.T) string {
	var b strings.Builder
	for i, g := range stage.Groups {
		var rows [][]string
		for _, sc := range scenario.All() {
			if sc.Group == g {
				page := strings.TrimSpace(fmt.Sprintf("%c [%s](%[2]s.md)", course.Mark(sc.Name), sc.Name))
				rows = append(rows, []string{page, sc.Lesson, takes(sc), needs(sc), sc.Source})
			}
		}
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "## %s\n\n%s", g, markdown([]string{"scenario", "lesson", "takes", "needs", "source"}, rows))
	}
	return b.String()
}

// takes is how long a run is. internal/scenario's tests measure it.
func takes(sc *stage.Scenario) string {
	if sc.Seconds == 0 {
		return "< 1 s"
	}
	return fmt.Sprintf("%d s", sc.Seconds)
}

// needs is what an ordinary user may not have; "" is nothing.
func needs(sc *stage.Scenario) string {
	switch {
	case sc.OnlyWire:
		return "`--wire`"
	case sc.NeedsRoot:
		return "root, or `--wire`"
	case sc.MoreAsRoot:
		return "(root is shown more)"
	}
	return ""
}
