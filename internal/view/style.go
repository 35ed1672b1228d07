package view

import (
	"strings"

	"github.com/fatih/color"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
)

// style is how a glyph looks where there is colour. Nothing depends on it: what is dim or green also says so in words.
type style uint8

const (
	plain style = iota
	dim
	strong
	good
	bad
	clientHue
	clientStrong
	serverHue
	serverStrong
	firstTag // of sockets that share a lane
	lastTag  = firstTag + tagHues - 1
	styles   = lastTag + 1
)

// tagHues is how many there are of them: of a terminal's eight plain colours those that say nothing else and are seen
// on any background.
const tagHues = 4

// Each side has a hue that is readable on a light and on a dark background.
var attributes = [styles][]color.Attribute{
	dim:          {color.Faint},
	strong:       {color.Bold},
	good:         {color.FgGreen},
	bad:          {color.FgRed, color.Bold},
	clientHue:    {color.FgCyan},
	clientStrong: {color.FgCyan, color.Bold},
	serverHue:    {color.FgMagenta},
	serverStrong: {color.FgMagenta, color.Bold},
	firstTag:     {color.FgYellow},
	firstTag + 1: {color.FgBlue},
	firstTag + 2: {color.FgMagenta},
	lastTag:      {color.FgCyan},
}

// hue is the colour of a side.
func hue(s timeline.Side) style {
	switch s {
	case timeline.Client:
		return clientHue
	case timeline.Server:
		return serverHue
	}
	return plain
}

// strongHue is the same, bold: for what the eye shall find.
func strongHue(s timeline.Side) style {
	if h := hue(s); h != plain {
		return h + 1
	}
	return strong
}

// palette turns styles into escape sequences; the zero palette has none.
type palette [styles]*color.Color

func newPalette(on bool) (p palette) {
	if !on {
		return p
	}
	for st, a := range attributes {
		if len(a) > 0 {
			p[st] = color.New(a...)
			p[st].EnableColor() // the decision was made for this stream: see UseColor
		}
	}
	return p
}

// paint writes a line as it goes to the terminal, without the spaces at its end.
func (p *palette) paint(t text) string {
	var b strings.Builder
	for len(t) > 0 && t[len(t)-1].r == ' ' {
		t = t[:len(t)-1]
	}
	for len(t) > 0 {
		n := 1
		for n < len(t) && t[n].s == t[0].s {
			n++
		}
		var run strings.Builder
		for _, g := range t[:n] {
			switch g.r {
			case zwsp:
			case nbsp:
				run.WriteByte(' ')
			default:
				run.WriteRune(g.r)
			}
		}
		if c := p[t[0].s]; c != nil {
			b.WriteString(c.Sprint(run.String()))
		} else {
			b.WriteString(run.String())
		}
		t = t[n:]
	}
	return b.String()
}

// symbols are the characters beyond letters, for terminals that have them and for those that do not.
type symbols struct {
	ascii                                bool
	arrow                                string // of a transition
	yes, no, absent                      string // of checks, and of what was not seen
	dash, tail, tailLeft, head, headLeft string // of a segment's arrow
	lost, stopped                        string // its end on the way
	dashed, open, openLeft               string // of one that is inferred: its shaft, and its head if nothing shows that it came
	dashedSays                           string // of the first one
	more                                 string // of what is left out
}

func newSymbols(ascii bool) symbols {
	if ascii {
		return symbols{ascii: true, arrow: "->", yes: "ok", no: "FAIL", absent: "--",
			dash: "-", tail: "|", tailLeft: "|", head: ">", headLeft: "<", lost: "x", stopped: "|",
			dashed: ".", open: ")", openLeft: "(", dashedSays: strings.Replace(ladder.Dashed, "dashed", "dotted", 1), more: "..."}
	}
	return symbols{arrow: "→", yes: "✓", no: "✗", absent: "–",
		dash: "─", tail: "├", tailLeft: "┤", head: "▶", headLeft: "◀", lost: "✗", stopped: "┃",
		dashed: "╌", open: "▷", openLeft: "◁", dashedSays: ladder.Dashed, more: "⋮"}
}
