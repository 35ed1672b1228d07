package view

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"socklife/internal/timeline"
)

var update = flag.Bool("update", false, "write testdata/*.golden from what is drawn now")

var samples = []struct {
	name    string
	options Options
	script  func() *script
}{
	{"half-close", halfCloseOptions, halfClose},
	{"wire", Options{Title: "handshake", Ref: "RFC 9293 3.5", ClientLabel: "client 198.51.100.1", ServerLabel: "server 198.51.100.2"}, wire},
	{"trouble", Options{Title: "linger-reset", Lesson: "a close that resets", ServerLabel: "server (seen through sock_diag)", ServerSource: "sock_diag"}, trouble},
	{"many", Options{Title: "backlog", ManyConns: true}, many},
	{"tour", Options{Title: "tour"}, tour},
}

// newTerminal is a Terminal whose rows depend on the events alone, however slow the machine is.
func newTerminal(b *bytes.Buffer, o Options) *Terminal {
	t := New(b, o)
	t.wait = time.Hour
	return t
}

// drawn is all samples with the given options on top of their own.
func drawn(o Options) string {
	var b bytes.Buffer
	for _, s := range samples {
		with := s.options
		with.Width, with.Lanes, with.Color, with.ASCII = o.Width, o.Lanes, o.Color, o.ASCII
		s.script().show(newTerminal(&b, with))
		b.WriteString("\n")
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s, line %d is not as in the file (go test -update writes it anew)\ngot  %q\nwant %q", path, i+1, at(g, i), at(w, i))
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "the end"
}

func TestGolden(t *testing.T) {
	for name, o := range map[string]Options{
		"60":       {Width: 60},
		"80":       {Width: 80},
		"100":      {Width: 100},
		"120":      {Width: 120},
		"80-color": {Width: 80, Color: true},
		"80-ascii": {Width: 80, ASCII: true},
		"60-ascii": {Width: 60, ASCII: true},
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, drawn(o)) })
	}
}

func TestGoldenNarration(t *testing.T) {
	for name, o := range map[string]Options{"narrator": {}, "narrator-color": {Color: true}, "narrator-ascii": {ASCII: true}} {
		var b bytes.Buffer
		o.Own = timeline.Server
		serving().show(NewNarrator(&b, o))
		b.WriteString("\n")
		o.Own = timeline.Client
		echoing().show(NewNarrator(&b, o))
		golden(t, name, b.String())
	}
}

func TestGoldenJSONLines(t *testing.T) {
	var b bytes.Buffer
	for _, s := range samples {
		s.script().show(NewJSONLines(&b))
	}
	golden(t, "jsonl", b.String())
}
