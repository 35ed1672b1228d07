package docs

import (
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ladders are the pictures of whole runs in docs/pictures, each with what is played for it.
var ladders = []struct {
	file, title, args, until string
}{
	{"close", "A whole connection", "--wire --delay 100ms close", ""},
	{"half-close", "The half-close", "--wire --delay 100ms half-close", ""},
	{"simultaneous-open", "Simultaneous open", "--wire --delay 100ms simultaneous-open", "ESTABLISHED"},
	{"simultaneous-close", "Simultaneous close", "--wire --delay 100ms simultaneous-close", ""},
}

// Each ladder is a run: one that is played now has the same calls, states and segments, lane by lane. A run may come
// out differently within what is right, so a ladder is true if one of several is as it shows.
func TestTheLaddersAreRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("plays what is drawn")
	}
	for _, l := range ladders {
		t.Run(l.file, func(t *testing.T) {
			beside(t)
			file := filepath.Join("docs/pictures", l.file+".svg")
			old, err := os.ReadFile(filepath.Join(root, file))
			if err != nil && !*update {
				t.Fatal(err)
			}
			seen := map[string]int{}
			for range attempts {
				if *update && *renew {
					break
				}
				now := laddered(t, onTheWire(t, l.args), l.until).order()
				if len(old) > 0 && now == orderIn(t, old) {
					return
				}
				if seen[now]++; *update && len(seen) == 3 {
					break
				}
			}
			if *update {
				svg := mostSeen(t, l.args, l.until).ladder(l.title, "echoc "+l.args)
				if err := os.WriteFile(filepath.Join(root, file), []byte(svg), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for now, n := range seen {
				t.Errorf("%s and %d runs differ:\n%s\n%s", file, n, orderIn(t, old), now)
			}
			t.Error("go test ./internal/docs -run TestTheLadders -update draws it anew")
		})
	}
}

// mostSeen is a run that is worth drawing: of those that came twice, the one in which most was seen.
func mostSeen(t *testing.T, args, until string) (best *aRun) {
	t.Helper()
	seen := map[string]int{}
	for n := 0; n < attempts && (n < 8 || best == nil); n++ {
		r := laddered(t, onTheWire(t, args), until)
		if seen[r.order()]++; seen[r.order()] > 1 && (best == nil || r.count("state") > best.count("state")) {
			best = r
		}
	}
	if best == nil {
		t.Fatalf("echoc %s: no two runs were alike", args)
	}
	return best
}

// count is how many happenings of a lane there are.
func (r *aRun) count(lane string) (n int) {
	for _, h := range r.list {
		if h.lane == lane {
			n++
		}
	}
	return n
}

// onTheWire plays a scenario and returns what --json printed.
func onTheWire(t *testing.T, args string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "echoc"), append([]string{"--json"}, strings.Fields(args)...)...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 3 {
		t.Skip(errs.String())
	}
	if err != nil {
		t.Fatalf("echoc %s: %v\n%s", args, err, errs.String())
	}
	return out
}

// orderIn is what a picture says of itself.
func orderIn(t *testing.T, svg []byte) string {
	t.Helper()
	var file struct {
		Desc string `xml:"desc"`
	}
	if err := xml.Unmarshal(svg, &file); err != nil {
		t.Fatal(err)
	}
	return file.Desc
}
