package e2e

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var (
	wholeMatrix = flag.Bool("settings", false, "play each scenario in each form with each setting of the host; otherwise a sample")
	writeTable  = flag.Bool("table", false, "with -settings: write what came out into docs/reliability.md")
)

// settingForms are the ways to play; on the wire there are more scenarios.
var settingForms = []struct {
	name string
	wire bool
	play func(t *testing.T, s setup, scenario string) (status int, says string)
}{
	{"embedded", false, func(t *testing.T, s setup, name string) (int, string) { return playAlone(t, s, false, "", name) }},
	{"two processes", false, playTwo},
	{"on the wire", true, func(t *testing.T, s setup, name string) (int, string) { return playAlone(t, s, true, "", name) }},
	{"on the wire, the client's host", true, func(t *testing.T, s setup, name string) (int, string) { return playAlone(t, s, true, "client:", name) }},
	{"on the wire, the server's host", true, func(t *testing.T, s setup, name string) (int, string) { return playAlone(t, s, true, "server:", name) }},
}

// The first of those on the wire has both hosts set up so.
const (
	twoForm    = 1 // of which a third is played
	onWireForm = 2
)

// as is a command on a host that is set up so.
func as(s setup, name string, args ...string) (shell string, all []string) {
	return "/bin/sh", append([]string{"-c", s.script(), "sh", filepath.Join(bin, name)}, args...)
}

// playAlone plays both sides in one process.
func playAlone(t *testing.T, s setup, wire bool, side, name string) (status int, says string) {
	if args := append(s.flags(wire, side), "--quiet", name); wire && s.shell == "" {
		status, _, says = run(t, "echoc", args...)
	} else {
		shell, all := as(s, "echoc", args...)
		status, _, says = run(t, shell, all...)
	}
	return status, says
}

// playTwo plays the sides in two processes on this host. Where one of them says that the lesson does not hold here, it
// is of no interest what the other makes of being left alone.
func playTwo(t *testing.T, s setup, name string) (status int, says string) {
	shell, args := as(s, "echod", append(s.flags(false, ""), "--json", "--runs", "1", "--listen", loopback(s), name)...)
	addr, ended := serveOn(t, command(t, shell, args...))
	if addr != "" {
		shell, args = as(s, "echoc", append(s.flags(false, ""), "--quiet", name, addr)...)
		status, _, says = run(t, shell, args...)
	}
	switch serverStatus, serverSays := ended(); {
	case serverStatus == 3 || serverStatus == notTaken || status == 0:
		return serverStatus, serverSays
	default:
		return status, says + serverSays
	}
}

// serveOn starts a server and waits until it listens, or has ended: then addr is "". ended waits for its end, and ends
// it if nobody came to it, or stayed.
func serveOn(t *testing.T, server *exec.Cmd) (addr string, ended func() (status int, says string)) {
	t.Helper()
	pipe, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var says strings.Builder
	lines := bufio.NewReader(pipe)
	for listens := false; !listens && err == nil; {
		var line string
		line, err = lines.ReadString('\n')
		says.WriteString(line)
		if addr, listens = strings.CutPrefix(strings.TrimSpace(line), "echod: listening on "); !listens {
			addr = ""
		}
	}
	rest := make(chan struct{})
	go func() { io.Copy(&says, lines); close(rest) }()
	return addr, func() (int, string) {
		select {
		case <-rest:
		case <-time.After(unvisited):
			server.Process.Signal(unix.SIGTERM)
			<-rest
		}
		return statusOf(t, server.Wait()), says.String()
	}
}

// unvisited is how long a server may go on whose client has ended.
const unvisited = 5 * time.Second

func loopback(s setup) string {
	if slices.Contains(strings.Fields(s.args), "-6") {
		return "[::1]:0"
	}
	return "127.0.0.1:0"
}

// The kernel that a lesson is played on may be set up in any way: the lesson holds, or it says that it does not, with
// status 3, and names what is set so. It never fails. (This is about settings: what fails on a busy machine is played
// once more by itself.)
func TestSettingsOfTheHost(t *testing.T) {
	t.Parallel()
	if unix.Geteuid() != 0 {
		t.Skip("needs root, for a network namespace of its own")
	}
	results := matrix{ended: map[cell]int{}}
	results.play(t, matrixCells(t))
	results.play(t, results.oneHost())
	if *wholeMatrix {
		fmt.Print(results.table())
	}
	if *wholeMatrix && *writeTable && !t.Failed() {
		results.write(t)
	}
}

// cell is a scenario in a form with a setup, by their numbers.
type cell struct {
	setup, form int
	scenario    string
}

// matrixCells are all of the matrix that are to be played.
func matrixCells(t *testing.T) (cells []cell) {
	only, names := flag.Args(), map[bool][]string{false: scenarios(t), true: everything(t)}
	for i, s := range setups() {
		if len(only) > 0 && !slices.Contains(only, s.name) {
			continue
		}
		for f, form := range settingForms {
			if form.wire && s.onlyHere() || f > onWireForm {
				continue
			}
			for j, name := range names[form.wire] {
				if *wholeMatrix && (f != twoForm || (i+j)%3 == 0) || inSample(i, f, j) {
					cells = append(cells, cell{i, f, name})
				}
			}
		}
	}
	return cells
}

func (c cell) String() string {
	return strings.ReplaceAll(setups()[c.setup].name+", "+settingForms[c.form].name+", "+c.scenario, "/", "|")
}

func (c cell) play(t *testing.T) (status int, says string) {
	t.Helper()
	status, says = settingForms[c.form].play(t, setups()[c.setup], c.scenario)
	for _, refused := range []string{"this kernel takes no such value", "there is no sysctl", "is not for every network namespace", "this kernel has no congestion control"} {
		if status == 3 && strings.Contains(says, refused) {
			return notTaken, says
		}
	}
	if status == 3 && settingForms[c.form].wire && strings.Contains(says, "/dev/net/tun") {
		t.Skip(says)
	}
	return status, says
}

// right tells whether a run ended as it may.
func (c cell) right(status int, says string) bool {
	return status == 0 || status == notTaken || status == 3 && setups()[c.setup].named(says)
}

// inSample picks so many runs as the gate has time for: every setting in some form, every form, every scenario.
func inSample(setup, form, scenario int) bool {
	every := 29
	if testing.Short() {
		every = 173
	}
	return (setup*7+form*11+scenario)%every == 0
}

// matrix has how each run ended.
type matrix struct {
	mu    sync.Mutex
	ended map[cell]int
}

func (m *matrix) add(c cell, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended[c] = status
}

// play plays them, beside each other; and then, each by itself, those that failed.
func (m *matrix) play(t *testing.T, cells []cell) {
	t.Run("beside others", func(t *testing.T) {
		for _, c := range cells {
			t.Run(c.String(), func(t *testing.T) {
				beside(t)
				status, says := c.play(t)
				switch {
				case c.right(status, says):
					m.add(c, status)
				case *wholeMatrix:
					fmt.Printf("%s: status %d: %s", t.Name(), status, says)
				}
			})
		}
	})
	for _, c := range cells {
		if _, played := m.ended[c]; played {
			continue
		}
		t.Run(c.String(), func(t *testing.T) {
			inOwn(t)
			status, says := c.play(t)
			if !c.right(status, says) {
				t.Fatalf("status %d: %s", status, says)
			}
			m.add(c, status)
		})
	}
}

// oneHost are those of the wire that do not hold where both hosts are set up so, with one of the two.
func (m *matrix) oneHost() (cells []cell) {
	for c, status := range m.ended {
		if c.form == onWireForm && status == 3 && len(setups()[c.setup].sets) > 0 {
			cells = append(cells, cell{c.setup, onWireForm + 1, c.scenario}, cell{c.setup, onWireForm + 2, c.scenario})
		}
	}
	return cells
}

// of are the scenarios that were played with a setup in these forms, and those that said, in one of them, that they do
// not hold; absent is true where this kernel has no such setting.
func (m *matrix) of(setup int, forms ...int) (played, not []string, absent bool) {
	for c, status := range m.ended {
		if c.setup != setup || !slices.Contains(forms, c.form) {
			continue
		}
		absent = absent || status == notTaken
		if !slices.Contains(played, c.scenario) {
			played = append(played, c.scenario)
		}
		if status == 3 && !slices.Contains(not, c.scenario) {
			not = append(not, c.scenario)
		}
	}
	slices.Sort(played)
	slices.Sort(not)
	return played, not, absent
}

// table has the setups with which not every scenario holds, and below it the others.
func (m *matrix) table() string {
	var b strings.Builder
	var all, absent []string
	fmt.Fprintf(&b, "| setting | does not hold on such a host, and says so | nor where a wire's hosts are such |\n|---|---|---|\n")
	for i, s := range setups() {
		here, notHere, none := m.of(i, 0, 1)
		wire, notWire, noneWire := m.of(i, onWireForm)
		switch {
		case len(here)+len(wire) == 0: // not played
		case none && noneWire || none && len(wire) == 0:
			absent = append(absent, "`"+s.name+"`")
		case len(notHere)+len(notWire) == 0:
			all = append(all, "`"+s.name+"`")
		default:
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.name, namesOf(here, notHere, none), namesOf(wire, notWire, noneWire))
		}
	}
	fmt.Fprintf(&b, "\nEvery scenario holds with: %s.\n", strings.Join(all, ", "))
	if len(absent) > 0 {
		fmt.Fprintf(&b, "\nThis kernel does not take: %s.\n", strings.Join(absent, ", "))
	}
	return b.String()
}

// namesOf lists those that do not hold, or those that do, whichever are fewer.
func namesOf(played, not []string, absent bool) string {
	holds := slices.DeleteFunc(slices.Clone(played), func(name string) bool { return slices.Contains(not, name) })
	switch {
	case absent || len(played) == 0:
		return "cannot be so"
	case len(not) == 0:
		return "all hold"
	case len(holds) == 0:
		return "all"
	case len(holds) < len(not):
		return "all but " + strings.Join(holds, ", ")
	}
	return strings.Join(not, ", ")
}

// made is what stands in docs/reliability.md between the command that makes it and the end.
var made = regexp.MustCompile(`(?s)(<!-- made by \.ci/settings -table -->\n).*?(<!-- end -->)`)

// write puts the table into the page.
func (m *matrix) write(t *testing.T) {
	const page = "../../docs/reliability.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !made.Match(text) {
		t.Fatalf("%s has no place for the table", page)
	}
	table := "${1}\n" + strings.ReplaceAll(m.table(), "$", "$$") + "\n${2}"
	if err := os.WriteFile(page, made.ReplaceAll(text, []byte(table)), 0o644); err != nil {
		t.Fatal(err)
	}
}
