package docs

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"socklife/internal/timeline"
)

// bodies are the kinds of events, in the order of docs/events.md.
var bodies = []timeline.Body{
	&timeline.Begin{}, &timeline.Enter{}, &timeline.Call{}, &timeline.State{}, &timeline.Queue{}, &timeline.Segment{}, &timeline.Counter{}, &timeline.Note{},
	&timeline.Check{}, &timeline.Table{}, &timeline.Coverage{}, &timeline.Summary{}, &timeline.Record{}, &timeline.Watched{}, &timeline.Look{}, &timeline.Tally{},
}

var header = []string{"seq", "at_us", "time", "late_us?", "side", "kind"}

// fields are the JSON fields of a kind in their order; a question mark says that one may be absent.
func fields(b timeline.Body) (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeOf(b).Elem()) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || name == "" {
			continue
		}
		if strings.Contains(options, "omit") {
			name += "?"
		}
		names = append(names, name)
	}
	return names
}

// rowOf is a row of a table of fields: | `name` | type | …; a type that begins with "optional" may be absent.
var rowOf = regexp.MustCompile("^\\| `([a-z_]+)` \\| ([^|]*) \\|")

// documented are the fields that docs/events.md has in the section of a heading.
func documented(text, heading string) (names []string) {
	_, section, _ := strings.Cut(text, "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if m := rowOf.FindStringSubmatch(line); m != nil {
			name := m[1]
			if strings.HasPrefix(m[2], "optional") {
				name += "?"
			}
			names = append(names, name)
		}
	}
	return names
}

func TestEventsPageIsTheContract(t *testing.T) {
	text := read(t, "docs/events.md")
	if got := documented(text, "Every event"); !slices.Equal(got, header) {
		t.Errorf("every event: the page has %v, the program %v", got, header)
	}
	for _, b := range bodies {
		heading := fmt.Sprintf("`%s`", b.Kind())
		if got, want := documented(text, heading), fields(b); !slices.Equal(got, want) {
			t.Errorf("%s: the page has %v, the program %v", heading, got, want)
		}
	}
	for i, found := range regexp.MustCompile("(?m)^## `([a-z]+)`$").FindAllStringSubmatch(text, -1) {
		if i >= len(bodies) || found[1] != string(bodies[i].Kind()) {
			t.Errorf("%s: not a kind, or not in its place", found[1])
		}
	}
}

// An example is the first event of its kind that a run gave: <!-- example: call of echoc --json half-close -->.
func TestEveryExampleIsAnEvent(t *testing.T) {
	for _, b := range all(t, "example") {
		kind, command, ok := strings.Cut(b.what, " of ")
		if !ok {
			t.Errorf("%s: want KIND of COMMAND", b)
			continue
		}
		why := keepsContract(strings.TrimSpace(b.body), kind)
		if why == "" {
			continue
		}
		if !*update {
			t.Errorf("%s: %s\ngo test ./internal/docs -update rewrites it", b, why)
			continue
		}
		args := strings.Fields(command)
		out, err := exec.Command(filepath.Join(bin, args[0]), args[1:]...).Output()
		if err != nil {
			t.Errorf("%s: %v", b, err)
			continue
		}
		if line := bestOf(string(out), kind); line != "" {
			b.rewrite(t, line+"\n")
		} else {
			t.Errorf("%s: no such event in that run", b)
		}
	}
}

// bestOf is the event of a kind that has the most fields.
func bestOf(out, kind string) (best string) {
	most := 0
	for line := range strings.Lines(out) {
		var e map[string]any
		if json.Unmarshal([]byte(line), &e) == nil && e["kind"] == kind && len(e) > most {
			best, most = strings.TrimSpace(line), len(e)
		}
	}
	return best
}

// keepsContract says what is wrong with a line of JSON.
func keepsContract(line, kind string) string {
	var e map[string]any
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		return err.Error()
	}
	if e["kind"] != kind {
		return fmt.Sprintf("it is a %v", e["kind"])
	}
	known := slices.Clone(header)
	for _, b := range bodies {
		if string(b.Kind()) != kind {
			continue
		}
		for _, f := range fields(b) {
			name, optional := strings.CutSuffix(f, "?")
			if _, has := e[name]; !has && !optional {
				return "it has no " + name
			}
			known = append(known, name)
		}
	}
	for _, name := range sortedKeys(e) {
		if !slices.Contains(known, name) {
			return "it has a field " + name
		}
	}
	return ""
}
