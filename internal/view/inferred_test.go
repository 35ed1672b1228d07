package view

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
)

// recorded is a run as --json wrote it.
func recorded(t *testing.T, name string) (s script) {
	t.Helper()
	lines, err := os.ReadFile(filepath.Join("..", "figure", "testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var joiner timeline.Joiner
	for line := range bytes.Lines(lines) {
		var e timeline.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		joiner.Join(e)
		s.events = append(s.events, e)
	}
	return s
}

// inferredRuns are runs that saw no segments, with those that are inferred.
func inferredRuns(t *testing.T, o Options) string {
	var b bytes.Buffer
	for _, name := range []string{"half-close", "backlog"} {
		o.Title, o.ManyConns, o.Infer = name, name == "backlog", true
		s := recorded(t, name)
		s.show(newTerminal(&b, o))
		b.WriteString("\n")
	}
	return b.String()
}

func TestGoldenInferred(t *testing.T) {
	for name, o := range map[string]Options{
		"inferred-60": {Width: 60}, "inferred-80": {Width: 80}, "inferred-80-ascii": {Width: 80, ASCII: true}, "inferred-80-color": {Width: 80, Color: true},
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, inferredRuns(t, o)) })
	}
}

// What is inferred is never drawn as what was seen, and that is said once.
func TestInferredIsSaidOnce(t *testing.T) {
	out := inferredRuns(t, Options{Width: 120})
	if n := strings.Count(out, ladder.Dashed); n != 2 {
		t.Errorf("said %d times in two runs", n)
	}
	if strings.ContainsAny(out, "─") || !strings.Contains(out, "╌") {
		t.Error("an arrow is drawn as one that was seen")
	}
	for _, o := range []Options{{Width: 80}, {Width: 80, Infer: true, Alone: C}} {
		var b bytes.Buffer
		s := recorded(t, "half-close")
		s.show(newTerminal(&b, o))
		if strings.Contains(b.String(), "╌") {
			t.Errorf("%+v: an arrow that nobody asked for, or to where nothing is seen", o)
		}
	}
}

func TestInferredIsWellFormedAtEveryWidth(t *testing.T) {
	for width := minWidth; width <= 130; width += 7 {
		for _, o := range []Options{{Width: width}, {Width: width, Color: true}, {Width: width, ASCII: true}, {Width: width, Lanes: 2}} {
			wellFormed(t, strings.NewReplacer("╌", "─", "▷", "▶", "◁", "◀").Replace(inferredRuns(t, o)), o)
		}
	}
}

// What waits for a segment that shows itself does not wait long: nobody may come after it.
func TestAnEventIsNotKeptBackForLong(t *testing.T) {
	var b bytes.Buffer
	term := New(&b, Options{Width: 80, Infer: true})
	term.wait = time.Millisecond
	connect := &timeline.Call{Call: "connect", Args: []string{"3", "127.0.0.1:7007"}, FD: 3, Socket: 2}
	term.Event(new(script).at(10, C, connect).events[0])
	shown := func() bool {
		term.mu.Lock()
		defer term.mu.Unlock()
		return strings.Contains(b.String(), "connect(")
	}
	if shown() {
		t.Fatal("connect() was shown at once: nothing was kept back")
	}
	for deadline := time.Now().Add(10 * time.Second); !shown(); {
		if time.Now().After(deadline) {
			t.Fatal("connect() was not shown in ten seconds")
		}
		time.Sleep(time.Millisecond)
	}
}
