package view

import (
	"bytes"
	"strings"
	"testing"

	"socklife/internal/timeline"
)

var someTable = &timeline.Table{
	Title: "what was told",
	Head:  []string{"RST came in", "read()", "SO_ERROR then", "write()"},
	Rows: [][]string{
		{"SYN-RECEIVED", "no application has the connection yet", "", ""},
		{"ESTABLISHED", "ECONNRESET", "nothing: told already", "EPIPE"},
		{"CLOSE-WAIT", "0, the end of the stream", "EPIPE", "EPIPE"},
	},
}

func drawnTable(o Options) string {
	var b bytes.Buffer
	term := newTerminal(&b, o)
	term.Event(timeline.Event{Seq: 1, Side: timeline.Client, Body: &timeline.Note{Text: "RST in CLOSE-WAIT", Heading: true}})
	term.Event(timeline.Event{Seq: 2, Side: timeline.Server, Body: someTable})
	term.Flush()
	return b.String()
}

// A table fits whatever terminal it is drawn on, in columns where there is room for them, and nothing of it is lost.
func TestTable(t *testing.T) {
	t.Parallel()
	for width := minWidth; width <= 130; width++ {
		for _, o := range []Options{{Width: width}, {Width: width, Color: true}, {Width: width, ASCII: true}} {
			out := drawnTable(o)
			wellFormed(t, out, o)
			for _, word := range []string{"RST in CLOSE-WAIT", "what was told", "SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT"} {
				if !strings.Contains(sgr.ReplaceAllString(out, ""), word) {
					t.Errorf("width %d: %q is missing in\n%s", width, word, out)
				}
			}
		}
	}
	rows := drawnTable(Options{Width: 80})
	for _, row := range []string{
		"   read()                    SO_ERROR then          write()",
		"ESTABLISHED   ECONNRESET                nothing: told already  EPIPE",
	} {
		if !strings.Contains(rows, row) {
			t.Errorf("no %q in\n%s", row, rows)
		}
	}
	if out := drawnTable(Options{Width: 32}); !strings.Contains(out, "ESTABLISHED: read()") {
		t.Errorf("no list where there is no room for columns:\n%s", out)
	}
}

// Of an expectation with more than one right answer the reader is shown the one that came.
func TestACheckSaysWhatCame(t *testing.T) {
	t.Parallel()
	c := &timeline.Check{Expect: "FIN-WAIT-1 or FIN-WAIT-2: closed first", Got: "FIN-WAIT-2 (tcp_info)", OK: true, Met: "FIN-WAIT-2: closed first"}
	s, p := newSymbols(false), newPalette(false)
	if out := p.paint(s.checkBlock(c, 80)[0]); out != "✓ FIN-WAIT-2: closed first" {
		t.Errorf("%q", out)
	}
	c.OK, c.Met = false, ""
	if out := p.paint(s.checkBlock(c, 80)[0]); !strings.Contains(out, "FIN-WAIT-1 or FIN-WAIT-2") {
		t.Errorf("%q", out)
	}
}
