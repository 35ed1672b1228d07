package view

import (
	"fmt"
	"time"

	"socklife/internal/timeline"
)

const (
	minWidth  = 32  // nothing can be shown in less
	maxWidth  = 120 // wider lines are hard to read
	twoLanes  = 76  // from this width on there is room for two lanes
	clockWide = 5
	gap       = 2
	roomy     = 90 // from this width on there is more between the lanes
	sideWide  = len("client")
)

// layout is where things stand on a line: the time, then two lanes; or the time, the side and one lane.
type layout struct {
	width int
	lanes int
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
	body := clockWide + gap
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

// clock is a time in ms, in clockWide columns: 0.31, 12.40, 203.1, 1203; beyond that in seconds or hours, and says so.
func clock(at time.Duration) string {
	at = max(0, at)
	ms := float64(at) / float64(time.Millisecond)
	switch {
	case ms < 99.995:
		return fmt.Sprintf("%5.2f", ms)
	case ms < 999.95:
		return fmt.Sprintf("%5.1f", ms)
	case ms < 99999.5:
		return fmt.Sprintf("%5.0f", ms)
	case at.Seconds() < 9999.5:
		return fmt.Sprintf("%4.0fs", at.Seconds())
	}
	return fmt.Sprintf("%4.0fh", min(at.Hours(), 9999))
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
				line = line.add(dim, when).pad(clockWide+gap).add(hue(sides[i]), sideName(sides[i]))
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
		lines = append(lines, append(line.pad(clockWide+gap), b...))
	}
	return lines
}

// fullWidth is the width of a block across both lanes.
func (l layout) fullWidth() int { return l.width - clockWide - gap }
