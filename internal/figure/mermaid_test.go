package figure

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

const parserDir = "testdata/mermaid"

// parse has mermaid's own parser read all diagrams of some texts. Without node, or without its modules where this is
// not the gate, there is no parser.
func parse(t *testing.T, texts map[string]string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("mermaid's parser takes node, which is not installed")
	}
	if _, err := os.Stat(filepath.Join(parserDir, "node_modules", "mermaid")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("mermaid's parser is not there: npm ci --prefix internal/figure/%s", parserDir)
		}
		t.Skipf("mermaid's parser is not there: npm ci --prefix internal/figure/%s", parserDir)
	}
	var names, diagrams []string
	for name, text := range texts {
		for _, d := range diagramsOf(text) {
			names, diagrams = append(names, name), append(diagrams, d)
		}
	}
	in, _ := json.Marshal(diagrams)
	cmd := exec.CommandContext(t.Context(), node, "parse.mjs")
	cmd.Dir, cmd.Stdin = parserDir, bytes.NewReader(in)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	var said []string
	if err := json.Unmarshal(out, &said); err != nil || len(said) != len(diagrams) {
		t.Fatalf("%v: %d answers to %d diagrams: %s", err, len(said), len(diagrams), out)
	}
	for i, s := range said {
		if s != "" {
			t.Errorf("%s: %s", names[i], s)
		}
	}
}

var fenced = regexp.MustCompile("(?s)```mermaid\n(.*?)```")

func diagramsOf(md string) (list []string) {
	for _, m := range fenced.FindAllStringSubmatch(md, -1) {
		list = append(list, m[1])
	}
	return list
}

// Mermaid takes each sample, and each attack in each place.
func TestMermaidParses(t *testing.T) {
	texts := map[string]string{}
	for _, name := range samples {
		texts[name] = asMermaid(t, sample(t, name))
	}
	for _, s := range attacks {
		texts["hostile "+s] = asMermaid(t, hostile(s))
	}
	parse(t, texts)
}

// echoc has it built once.
var echoc = sync.OnceValues(func() (string, error) {
	path := filepath.Join(bin, "echoc")
	out, err := exec.Command("go", "build", "-o", path, "socklife/cmd/echoc").CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
	}
	return path, err
})

var bin string

// What is worth a note is known by its numbers, and not by what the lesson calls the socket.
func TestAListenerThatIsCalledFullIsNot(t *testing.T) {
	at := netip.MustParseAddrPort
	state := func(client string) timeline.Event {
		return timeline.Event{Side: timeline.Client, Body: &timeline.State{Local: at(client), Remote: at("127.0.0.1:7"), To: tcpinfo.Established}}
	}
	queue := func(name string, n uint32) timeline.Event {
		return timeline.Event{Side: timeline.Server, Body: &timeline.Queue{AcceptQueue: n, Label: timeline.Label{Name: name}}}
	}
	got := asMermaid(t, ladder.Of(ladder.Head{}, []timeline.Event{state("127.0.0.1:1"), state("127.0.0.1:2"), queue("full", 0), queue("other", 1)}))
	if strings.Contains(got, "accept queue 0/0") || !strings.Contains(got, "accept queue 1/0 (full)") {
		t.Error(got)
	}
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "socklife-figure-")
	if err != nil {
		panic(err)
	}
	bin = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// Every scenario: what --mermaid prints is two diagrams that Mermaid takes, and --svg makes a figure that is XML.
func TestEveryScenarioIsDrawn(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every scenario")
	}
	echoc, err := echoc()
	if err != nil {
		t.Fatal(err)
	}
	list, err := exec.Command(echoc, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	texts := map[string]string{}
	t.Run("play", func(t *testing.T) {
		for line := range strings.Lines(string(list)) {
			if !strings.HasPrefix(line, "  ") {
				continue
			}
			name := strings.Fields(line)[0]
			forms := [][]string{{name}, {"--wire", name}}
			if strings.HasSuffix(line, "(--wire)\n") {
				forms = forms[1:]
			}
			for _, args := range forms {
				name := strings.Join(args, " ")
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					md := drawnRun(t, echoc, args)
					mu.Lock()
					defer mu.Unlock()
					texts[name] = md
				})
			}
		}
	})
	parse(t, texts)
}

// drawnRun plays a scenario and returns what --mermaid printed.
func drawnRun(t *testing.T, echoc string, args []string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "run.svg")
	cmd := exec.CommandContext(t.Context(), echoc, append([]string{"--mermaid", "--svg", file}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	switch status := cmd.ProcessState.ExitCode(); {
	case status == 3:
		t.Skip(errs.String())
	case err != nil && status != 1: // a check that is not met is drawn, and other tests' matter
		t.Fatalf("%v\n%s", err, errs.String())
	}
	svg, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, string(svg))
	onlyOurs(t, string(out))
	for _, d := range diagramsOf(string(out)) {
		if len(d) > 50_000 {
			t.Errorf("%d characters: Mermaid draws no more than 50,000", len(d))
		}
	}
	return string(out)
}
