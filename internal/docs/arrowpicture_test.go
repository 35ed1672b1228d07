package docs

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"socklife/internal/figure"
	"socklife/internal/rfc9293"
	"socklife/internal/scenario"
)

// The eleven states in docs/pictures: the drawing of docs/states.svg, which is a run (states_test.go), larger and
// without its list. The list becomes a table, since links do not work in a picture on GitHub.

var (
	svgLine = regexp.MustCompile(`<text [^>]*>([^<]*)</text>`)
	causes  = regexp.MustCompile(`([^,;]*?) ?\(([a-z0-9-]+)( --wire)?\)`)
	seenAt  = regexp.MustCompile(`^seen in ([a-z0-9-]+)( --wire)?`)
)

// listed are the numbered lines below the drawing: what each transition says.
func listed(t *testing.T) (list []string) {
	t.Helper()
	_, below, _ := strings.Cut(read(t, "docs/states.svg"), "</g>")
	skip := 0
	for _, m := range svgLine.FindAllStringSubmatch(below, -1) {
		switch s := html.UnescapeString(m[1]); {
		case strings.TrimSpace(s) == fmt.Sprint(len(list)+1):
			list, skip = append(list, ""), 1
		case skip > 0: // its two states
			skip--
		case len(list) > 0 && s != "":
			list[len(list)-1] = strings.TrimSpace(list[len(list)-1] + " " + s)
		}
	}
	if len(list) != len(rfc9293.Transitions) {
		t.Fatalf("%d transitions in docs/states.svg, want %d", len(list), len(rfc9293.Transitions))
	}
	return list
}

// arrowsTable has the numbers of the drawing, each with what brought the transition about, linked to the scenarios that
// showed it.
func arrowsTable(t *testing.T) string {
	var rows [][]string
	for i, says := range listed(t) {
		tr := rfc9293.Transitions[i]
		way := fmt.Sprintf("%s → %s", tr.From, tr.To)
		rows = append(rows, []string{fmt.Sprint(i + 1), way, tr.When, seenLinks(t, says)})
	}
	return markdown([]string{"", "from → to", "when", "seen here"}, rows)
}

func seenLinks(t *testing.T, says string) string {
	if strings.HasPrefix(says, "not seen") {
		return "not on Linux"
	}
	to := func(name, wire string) string {
		if scenario.Find(name) == nil {
			t.Errorf("docs/states.svg names %s, which is no scenario", name)
		}
		return fmt.Sprintf("[%s](scenarios/%s.md)", name+wire, name)
	}
	if m := seenAt.FindStringSubmatch(says); m != nil {
		return to(m[1], m[2])
	}
	var links []string
	for _, m := range causes.FindAllStringSubmatch(says, -1) {
		links = append(links, to(m[2], m[3])+": "+strings.TrimSpace(m[1]))
	}
	return strings.Join(links, ", ")
}

// eleven is the drawing.
func eleven(t *testing.T) string {
	t.Helper()
	_, drawing, _ := strings.Cut(read(t, "docs/states.svg"), `<g id="states"`)
	_, drawing, _ = strings.Cut(drawing, "\n")
	drawing, _, _ = strings.Cut(drawing, "</g>")
	style, _, _ := strings.Cut(cutAfter(read(t, "docs/states.svg"), `<style type="text/css">`), "</style>")
	style += ".t{font:600 15px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}.s{font-size:14px}\n"
	const top, left = -12, -4
	wide, high := figure.StatesWidth+8, figure.StatesHeight
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="%d %d %d %d" width="%[3]d" height="%[4]d" role="img" aria-labelledby="title desc">
<title id="title">The eleven states of a connection</title>
<desc id="desc">RFC 9293's state diagram as measured: each transition has a number, and the table below the picture says which it is.</desc>
<style>%[5]s</style>
<rect class="bg" x="%[1]d" y="%[2]d" width="%[3]d" height="%[4]d"/>
%[6]s</svg>
`, left, top, wide, high, style, drawing)
}

func cutAfter(s, sep string) string {
	_, after, _ := strings.Cut(s, sep)
	return after
}

// isFile compares a picture with its file, or writes it.
func isFile(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join(root, "docs/pictures", name)
	switch old, err := os.ReadFile(path); {
	case err == nil && string(old) == want:
	case *update:
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("docs/pictures/%s is not what is drawn from here (%v)\ngo test ./internal/docs -update draws it anew", name, err)
	}
}

// docs/pictures/states.svg has the transitions and numbers of docs/states.svg.
func TestTheElevenStatesAreTheMeasuredOnes(t *testing.T) {
	isFile(t, "states.svg", eleven(t))
}
