package view

import (
	"fmt"

	"socklife/internal/timeline"
)

const (
	minWidth  = 32  // nothing can be shown in less
	maxWidth  = 120 // wider lines are hard to read
	twoLanes  = 76  // from this width on there is room for two lanes
	clockWide = len("12345.678")
	wallWide  = len(wallClock)
	clockGap  = 1
	gap       = 2
	roomy     = 90 // from this width on there is more between the lanes
	sideWide  = len("client")
)

// layout is where things stand on a line: the time, then two lanes; or the time, the side and one lane.
type layout struct {
	width int
	lanes int
	clock int    // the time's width
	wall  bool   // it is the time of day
	lane  int    // a lane's width
	x     [2]int // a lane's first column
	alone timeline.Side
}

func newLayout(o Options) layout {
	l := layout{width: o.Width, lanes: o.Lanes}
	if l.width <= 0 {
		l.width = DefaultWidth
	}
	l.width = max(minWidth, min(l.width, maxWidth))
	if l.lanes == 0 && l.width >= twoLanes {
		l.lanes = 2
	}
	l.clock = clockWide
	if l.wall = o.Wall; l.wall {
		l.clock = wallWide
	}
	body := l.clock + clockGap
	if l.lanes == 2 && o.Alone != "" {
		l.alone, l.lane, l.x = o.Alone, l.width-body, [2]int{body, body}
		return l
	}
	if l.lanes == 2 && l.width >= 48 {
		between := 1
		if l.width >= roomy {
			between = 3
		}
		l.lane = (l.width - body - between) / 2
		l.x = [2]int{body, l.width - l.lane}
		return l
	}
	l.lanes = 1
	body += sideWide + gap
	l.lane = l.width - body
	l.x = [2]int{body, body}
	return l
}

const wallClock = "15:04:05.000000"

// when is an event's time: in ms since the run began, or of the day.
func (l layout) when(e timeline.Event) string {
	if l.wall {
		return e.Time.Format(wallClock)
	}
	ms := fmt.Sprintf("%*.3f", clockWide, float64(e.At.Microseconds())/1000)
	return ms[:min(len(ms), clockWide)] // after 100 s a figure less
}

// row puts blocks into the lanes, side by side or, with one lane, below each other. Before is the side of the line
// above, which need not be said again.
func (l layout) row(when string, before timeline.Side, sides [2]timeline.Side, blocks [2][]text) (lines []text) {
	if l.lanes == 2 && l.alone == "" {
		return l.sideBySide(when, blocks)
	}
	if l.alone != "" {
		return l.full(when, l.below(sides, blocks))
	}
	for i, block := range blocks {
		for j, b := range block {
			line := text(nil)
			if j == 0 && (when != "" || sides[i] != before) {
				line = line.add(dim, when).pad(l.clock+clockGap).add(hue(sides[i]), sideName(sides[i]))
				when, before = "", sides[i]
			}
			lines = append(lines, append(line.pad(l.x[0]), b...))
		}
	}
	return lines
}

// below puts both sides' blocks into the one lane; what is not of the side that has it says so.
func (l layout) below(sides [2]timeline.Side, blocks [2][]text) (block []text) {
	for i, b := range blocks {
		if len(b) > 0 && sides[i] != l.alone {
			block = append(block, text(nil).add(hue(sides[i]), sideName(sides[i])).add(plain, ":"))
		}
		block = append(block, b...)
	}
	return block
}

// sideName is what stands before a line where there is one lane.
func sideName(s timeline.Side) string {
	if sided(s) || s == timeline.Wire {
		return string(s)
	}
	return ""
}

func (l layout) sideBySide(when string, blocks [2][]text) (lines []text) {
	for i := range max(len(blocks[0]), len(blocks[1])) {
		line := text(nil)
		if i == 0 {
			line = line.add(dim, when)
		}
		for j, block := range blocks {
			if i < len(block) {
				line = append(line.pad(l.x[j]), block[i]...)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// full puts a block across both lanes.
func (l layout) full(when string, block []text) (lines []text) {
	for i, b := range block {
		line := text(nil)
		if i == 0 {
			line = line.add(dim, when)
		}
		lines = append(lines, append(line.pad(l.clock+clockGap), b...))
	}
	return lines
}

// fullWidth is the width of a block across both lanes.
func (l layout) fullWidth() int { return l.width - l.clock - clockGap }
