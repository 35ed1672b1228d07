package view

// Tone is how a part of a line looks where there is colour.
type Tone uint8

// The tones.
const (
	Plain  = Tone(plain)
	Dim    = Tone(dim)
	Strong = Tone(strong)
	Good   = Tone(good)
	Bad    = Tone(bad)
	Client = Tone(clientHue)
	Server = Tone(serverHue)
)

// Part is some words of a line. They may be anybody's: nothing in them does something to the terminal.
type Part struct {
	Tone Tone
	Text string
}

// Line is one that is shown, on as many lines as it takes. Right is the other lane, if there are two.
type Line struct {
	Indent, Hang int
	Parts        []Part
	Right        []Part
}

// Lines are lines as they go to the terminal.
func Lines(lines []Line, o Options) (out []string) {
	s, p, width := newSymbols(o.ASCII), newPalette(o.Color), o.Width
	if width <= 0 {
		width = DefaultWidth
	}
	for _, l := range lines {
		for _, t := range s.lines(l, width) {
			out = append(out, p.paint(t))
		}
	}
	return out
}

const laneGap = 3 // between two lanes

func (s symbols) lines(l Line, width int) []text {
	left := s.parts(l.Parts)
	if len(left) == 0 && len(l.Right) == 0 {
		return nil
	}
	if len(l.Right) == 0 {
		return wrap(left, width, l.Indent, l.Hang)
	}
	lane := (width - l.Indent - laneGap) / 2
	if lane < 24 {
		return append(wrap(left, width, l.Indent, l.Hang), wrap(s.parts(l.Right), width, l.Indent, l.Hang)...)
	}
	a, b := wrap(left, lane, 0, l.Hang-l.Indent), wrap(s.parts(l.Right), lane, 0, l.Hang-l.Indent)
	divider := " │ "
	if s.ascii {
		divider = " | "
	}
	var out []text
	for i := range max(len(a), len(b)) {
		line := text(nil).pad(l.Indent)
		if i < len(a) {
			line = append(line, a[i]...)
		}
		line = line.pad(l.Indent+lane).add(dim, divider)
		if i < len(b) {
			line = append(line, b[i]...)
		}
		out = append(out, line)
	}
	return out
}

func (s symbols) parts(parts []Part) (t text) {
	for _, p := range parts {
		if p.Text == "" {
			continue
		}
		t = t.join(" ", text(nil).add(style(p.Tone), s.clean(p.Text)))
	}
	return t
}
