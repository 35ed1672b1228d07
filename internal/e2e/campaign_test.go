package e2e

import (
	"flag"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var times = flag.Int("times", 0, "how often the campaign plays each scenario in each form; 0: not at all")

// A form is a way to play a scenario; it returns what went wrong, "" if nothing did.
type form struct {
	name string
	of   func(*testing.T) []string
	play func(t *testing.T, scenario string) string
}

var forms = []form{
	{"embedded", scenarios, func(t *testing.T, name string) string { return alone(t, name) }},
	{"on the wire", everything, func(t *testing.T, name string) string { return alone(t, "--wire", name) }},
	{"two processes", scenarios, inTwo},
}

func everything(t *testing.T) []string { return append(scenarios(t), listed(t, true)...) }

// TestCampaign plays everything so often, with every CPU kept busy, and holds each timeline to the contract and to the
// order of cause and effect. Any failure is one too many. `.ci/campaign` runs it.
func TestCampaign(t *testing.T) {
	if *times == 0 {
		t.Skip("-times says how often: .ci/campaign")
	}
	for range runtime.NumCPU() {
		busy := exec.Command("nice", "-n", "10", "sh", "-c", "while :; do :; done")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { busy.Process.Kill(); busy.Wait() }()
	}
	only := flag.Args()
	for _, f := range forms {
		for _, name := range f.of(t) {
			if len(only) > 0 && !slices.Contains(only, name) {
				continue
			}
			bad, unable := 0, false
			for i := 0; i < *times && !unable; i++ {
				switch wrong := f.play(t, name); {
				case wrong == "unable":
					unable = true
				case wrong != "":
					bad++
					t.Fail()
					fmt.Printf("%s, %s, run %d:\n%s\n", name, f.name, i+1, wrong) // at once, and not at the end of it all
				}
			}
			says := fmt.Sprintf("%d of %d failed", bad, *times)
			if unable {
				says = "cannot be played here"
			}
			fmt.Printf("%-22s %-14s %s\n", name, f.name, says)
		}
	}
}

// alone plays both sides in one process.
func alone(t *testing.T, args ...string) string {
	status, out, errs := run(t, "echoc", append([]string{"--json"}, args...)...)
	return wrongWith(status, out, errs)
}

// inTwo plays the sides in two.
func inTwo(t *testing.T, name string) (wrong string) {
	s := start(t, "--json", "--runs", "1", name)
	status, out, errs := run(t, "echoc", "--json", name, s.addr)
	if status == 3 || strings.Contains(s.stderr(), "CAP_NET_ADMIN") {
		return "unable"
	}
	wrong = wrongWith(status, out, errs)
	if w := wrongWith(s.wait(t), s.out.String(), s.stderr()); w != "" {
		wrong += "the server: " + w
	}
	return wrong
}

// wrongWith is what is wrong with a run, in words, and in its timeline.
func wrongWith(status int, out, errs string) string {
	if status == 3 {
		return "unable"
	}
	var wrong []string
	if status != 0 {
		wrong = append(wrong, fmt.Sprintf("status %d: %s", status, errs))
	}
	all, err := parsed(out)
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	for _, e := range all {
		if e.text("kind") == "check" && e["ok"] != true {
			wrong = append(wrong, fmt.Sprintf("%s: expected %s: got %s", e.text("side"), e.text("expect"), e.text("got")))
		}
	}
	if wrong = append(wrong, disorder(all)...); len(wrong) == 0 {
		return ""
	}
	return strings.Join(wrong, "\n") + "\n" + out
}
