package docs

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a run may take.
const patience = 3 * time.Minute

// played is one run: what each terminal showed, and why it could not be, if it could not.
type played struct {
	shown  []string
	status []int
	cannot string
}

var (
	listening = regexp.MustCompile(`(?m)\blistening on (\S+)\s*$`)
	held      = regexp.MustCompile(`(?m) held for |server: .* → CLOSE-WAIT`)
	ended     = regexp.MustCompile(`(?m)^([a-z0-9-]+): (?:\d+ (?:of \d+ )?checks?|FAILED|done).*\n`)
)

// play runs what a block says. On a port that is free, unless exactly: then as it is written, for a transcript to be
// shown.
func play(t *testing.T, what string, exactly bool) (p played) {
	t.Helper()
	timeout := time.AfterFunc(patience, func() { panic(what + ": no end") })
	defer timeout.Stop()
	lines, inTurn := commandsOf(what)
	if inTurn {
		return playInTurn(t, lines)
	}
	dir := clone(t)
	var open []*terminal
	addr := "127.0.0.1:7007"
	for i, line := range lines {
		if !exactly {
			line = elsewhere(line, addr, i == 0 && len(lines) > 1)
		}
		if why := missingProgram(t, line); why != "" {
			return played{cannot: why}
		}
		tm := inTerminal(t, dir, line)
		open = append(open, tm)
		switch {
		case i == len(lines)-1 && i > 1:
			open[i] = settled(t, dir, line, tm)
		case i == len(lines)-1:
			<-tm.gone
		case i == 0:
			if addr = tm.shows(listening); addr == "" {
				t.Fatalf("%s: it does not listen:\n%s", line, tm.text())
			}
		default:
			holds(t, open)
		}
	}
	for i := len(open) - 1; i >= 0; i-- {
		p.end(open[i], i == 0 && len(open) > 1)
	}
	return p
}

// holds waits until one of the terminals says that it holds a state, or a client that its server is in CLOSE-WAIT.
func holds(t *testing.T, open []*terminal) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, tm := range open {
			if held.MatchString(tm.text()) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-open[len(open)-1].gone:
			t.Fatalf("it holds nothing:\n%s", open[len(open)-1].text())
		}
	}
}

// settled is somebody who looks from outside, no quicker than a person: what is about to change has changed.
func settled(t *testing.T, dir, line string, tm *terminal) *terminal {
	t.Helper()
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for {
		<-tm.gone
		<-pause.C
		again := inTerminal(t, dir, line)
		<-again.gone
		if again.text() == tm.text() {
			return again
		}
		tm = again
	}
}

// end takes a terminal's output and status. A server is stopped after its first run: what it begins then is another
// one.
func (p *played) end(tm *terminal, server bool) {
	if server {
		if scenario := regexp.MustCompile(`echod( -\S+( [\d.:]+)?)* [a-z]`); scenario.MatchString(tm.cmd.Args[2]) {
			tm.shows(ended)
		}
		tm.cmd.Process.Signal(unix.SIGTERM)
	}
	<-tm.gone
	text := tm.text()
	if at := ended.FindStringIndex(text); at != nil && server {
		text = text[:at[1]]
	}
	p.shown = append([]string{text}, p.shown...)
	p.status = append([]int{tm.status}, p.status...)
	if tm.status == 3 && p.cannot == "" {
		p.cannot = strings.TrimSpace(text)
	}
}

// elsewhere has a server, also one of somebody's own, listen on a free port and the others use that one.
func elsewhere(line, addr string, server bool) string {
	if rest, ok := strings.CutPrefix(line, "echod"); ok && !strings.Contains(line, "--listen") {
		return "echod --listen 127.0.0.1:0" + rest
	}
	_, port, _ := strings.Cut(addr, ":")
	if server {
		port = "0"
	}
	return strings.ReplaceAll(line, "7007", port)
}

// missingProgram says which program in a pipe is not here. Where all should be, that is an error.
func missingProgram(t *testing.T, line string) string {
	t.Helper()
	for part := range strings.SplitSeq(line, " | ") {
		name := strings.Fields(part)[0]
		if name == "echoc" || name == "echod" {
			continue
		}
		if _, err := exec.LookPath(name); err != nil && os.Getenv("CI") != "" {
			t.Fatal(err)
		} else if err != nil {
			return "needs " + name + ", which is not installed"
		}
	}
	return ""
}

// transcript reads what was shown, by what showed it.
func (b block) transcript(text string) *transcript {
	commands, _ := commandsOf(b.what)
	line := commands[b.show-1]
	switch {
	case strings.HasPrefix(line, "tcpdump ") || strings.HasPrefix(line, "tshark "):
		return parseDump(text)
	case strings.HasPrefix(line, "ss "):
		return parseSS(text)
	case strings.HasPrefix(line, "echoc") && strings.HasSuffix(line, "tour"):
		return parseTour(text)
	}
	return parse(text)
}
