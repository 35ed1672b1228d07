package view

import (
	"slices"

	"socklife/internal/timeline"
)

// differing is what stands before an event that another run does not have.
const differing = '*'

// mark has the event that is shown next marked, if it is to be: on that line of what stands in its lane.
func (t *Terminal) mark(e timeline.Event, line int) {
	if t.o.Differs == nil || !t.o.Differs(e) {
		return
	}
	t.differs[lane(e.Side)] = append(t.differs[lane(e.Side)], line)
}

// marked puts the marks into the column before a lane.
func (l layout) marked(lines []text, differs [2][]int) []text {
	for i, at := range differs {
		for _, n := range at {
			if n < len(lines) {
				line := slices.Clone(lines[n]).pad(l.x[i])
				line[line.at(l.x[i]-1)] = glyph{differing, bad}
				lines[n] = line
			}
		}
	}
	return lines
}

// at is where a column's glyph is.
func (t text) at(column int) int {
	for i, g := range t {
		if g.r == zwsp {
			continue
		}
		if column == 0 {
			return i
		}
		column--
	}
	return len(t) - 1
}

// TableLines are a table as lines of a stream that o describes.
func TableLines(b *timeline.Table, o Options) (lines []string) {
	s, p := newSymbols(o.ASCII), newPalette(o.Color)
	for _, line := range append([]text{text(nil).add(strong, s.clean(b.Title))}, s.tableBlock(b, max(minWidth, min(o.Width, maxWidth)))...) {
		lines = append(lines, p.paint(line))
	}
	return lines
}
