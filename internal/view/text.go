package view

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// glyph is one character and how it looks. Every rune that gets this far is one column wide: clean sees to it.
type glyph struct {
	r rune
	s style
}

// text is a run of glyphs: a line, or what is still to be wrapped into lines.
type text []glyph

// Two marks for wrap, neither of which clean lets in from outside.
const (
	nbsp = '\u00a0' // a space where no line may end
	zwsp = '\u200b' // not shown; a line may end here
)

// add appends s, which is clean, in a style.
func (t text) add(st style, s string) text {
	for _, r := range s {
		t = append(t, glyph{r, st})
	}
	return t
}

// join appends other texts, with sep between those that are not empty.
func (t text) join(sep string, others ...text) text {
	for _, o := range others {
		if len(o) == 0 {
			continue
		}
		if len(t) > 0 {
			t = t.add(plain, sep)
		}
		t = append(t, o...)
	}
	return t
}

// width is how many columns the text takes on one line.
func (t text) width() (n int) {
	for _, g := range t {
		if g.r != zwsp {
			n++
		}
	}
	return n
}

// pad appends spaces up to a width.
func (t text) pad(width int) text {
	for n := t.width(); n < width; n++ {
		t = append(t, glyph{' ', plain})
	}
	return t
}

// glued is s with spaces where no line ends.
func glued(s string) string { return strings.ReplaceAll(s, " ", string(nbsp)) }

// word is what wrap keeps together; joined says that no space stands before it.
type word struct {
	glyphs text
	joined bool
}

// words cuts a text where a line may end.
func words(t text) (out []word) {
	w := word{}
	end := func(joined bool) {
		if len(w.glyphs) > 0 {
			out = append(out, w)
			w = word{joined: joined}
		}
	}
	for _, g := range t {
		switch g.r {
		case ' ':
			end(false)
			w.joined = false
		case zwsp:
			end(true)
		case nbsp:
			w.glyphs = append(w.glyphs, glyph{' ', g.s})
		default:
			w.glyphs = append(w.glyphs, g)
		}
	}
	end(false)
	return out
}

// wrap breaks a text into lines of at most width columns. The first begins after indent columns, the others after hang.
// A word that is wider than a line is cut.
func wrap(t text, width, indent, hang int) (lines []text) {
	hang = min(hang, width/2)
	indent = min(indent, width/2)
	line, empty := text(nil).pad(indent), true
	for _, w := range words(t) {
		space := 1
		if empty || w.joined {
			space = 0
		}
		if !empty && len(line)+space+len(w.glyphs) > width {
			lines = append(lines, line)
			line, empty, space = text(nil).pad(hang), true, 0
		}
		if space == 1 {
			line = append(line, glyph{' ', between(line[len(line)-1], w.glyphs[0])})
		}
		for len(line)+len(w.glyphs) > width {
			n := width - len(line)
			lines = append(lines, append(line, w.glyphs[:n]...))
			line, w.glyphs = text(nil).pad(hang), w.glyphs[n:]
		}
		line, empty = append(line, w.glyphs...), false
	}
	return append(lines, line)
}

// between is the style of a space: its neighbours' if they have the same.
func between(a, b glyph) style {
	if a.s == b.s {
		return a.s
	}
	return plain
}

// clean makes a string harmless and one column a rune: white space becomes single spaces, and control characters,
// broken UTF-8 and whatever has another width, or none, becomes an escape. Every string from outside this package goes
// through it.
func (s symbols) clean(in string) string {
	return s.escape(strings.Join(strings.Fields(in), " "))
}

// escape is clean for what may not lose its spaces.
func (s symbols) escape(in string) string {
	var b strings.Builder
	for len(in) > 0 {
		r, n := utf8.DecodeRuneInString(in)
		switch {
		case r == utf8.RuneError && n <= 1:
			fmt.Fprintf(&b, `\x%02x`, in[0])
		case r >= ' ' && r < 0x7f:
			b.WriteByte(byte(r))
		case r < 0x100 && !narrow(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case s.ascii && r >= '①' && r <= '⑳':
			fmt.Fprintf(&b, "(%d)", r-'①'+1)
		case s.ascii && asciiFor[r] != "":
			b.WriteString(asciiFor[r])
		case !s.ascii && narrow(r):
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		in = in[n:]
	}
	return b.String()
}

// verbatim is for what is in ASCII anyway, like system calls and their arguments.
func verbatim(in string) string { return symbols{ascii: true}.escape(in) }

// narrow says whether a rune beyond ASCII is one that prose here is written with, and one column wide on every
// terminal.
func narrow(r rune) bool {
	switch {
	case r == 0xad: // soft hyphen: no width
		return false
	case r >= 0xa1 && r <= 0x17f: // Latin
		return true
	case r >= 0x391 && r <= 0x3c9: // Greek
		return r != 0x3a2
	case r >= 0x2010 && r <= 0x2027: // dashes, quotation marks, ellipsis
		return true
	case r >= '①' && r <= '⑳': // beside the lines of a transcript
		return true
	}
	return strings.ContainsRune("←↑→↓↔⇒−≈≠≤≥∞✓✗", r)
}

// asciiFor has ASCII for what prose here is written with.
var asciiFor = map[rune]string{
	'→': "->", '←': "<-", '↔': "<->", '⇒': "=>", '–': "-", '—': "-", '−': "-", '…': "...", '“': `"`, '”': `"`, '„': `"`, '‘': "'", '’': "'",
	'×': "x", '·': "-", '•': "-", '≈': "~", '≠': "!=", '≤': "<=", '≥': ">=", 'µ': "u", 'μ': "u", '✓': "ok", '✗': "FAIL",
}
