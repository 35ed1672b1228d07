package view

import "socklife/internal/timeline"

// headingBlock is the first line of another part of the lesson, across both lanes.
func (s symbols) headingBlock(heading string, width int) (lines []text) {
	lead := s.shaft(2).add(plain, string(nbsp))
	lines = wrap(lead.join("", text(nil).add(strong, s.clean(heading))), width, 0, 3)
	if rule := width - lines[0].width() - 1; len(lines) == 1 && rule > 0 {
		lines[0] = lines[0].add(plain, " ").join("", s.shaft(rule))
	}
	return lines
}

// cellGap is what stands between two columns of a table.
const cellGap = 2

// tableBlock is a table as wide as its cells; what does not fit in a column goes on below. Where there is no room for
// columns, each row is a list.
func (s symbols) tableBlock(b *timeline.Table, width int) (lines []text) {
	columns := s.columns(b, width)
	if columns == nil {
		return s.tableList(b, width)
	}
	lines = s.tableRow(b.Head, columns, dim)
	for _, row := range b.Rows {
		lines = append(lines, s.tableRow(row, columns, plain)...)
	}
	return lines
}

// columns are the widths: the widest gives way until all fit, but no word is cut. nil: they cannot.
func (s symbols) columns(b *timeline.Table, width int) []int {
	wide, least := make([]int, len(b.Head)), make([]int, len(b.Head))
	for _, row := range append([][]string{b.Head}, b.Rows...) {
		for i, cell := range row[:min(len(row), len(wide))] {
			whole := text(nil).add(plain, s.clean(cell))
			wide[i] = max(wide[i], whole.width())
			for _, w := range words(whole) {
				least[i] = max(least[i], len(w.glyphs))
			}
		}
	}
	all := cellGap * (len(wide) - 1)
	for _, w := range wide {
		all += w
	}
	for ; all > width; all-- {
		widest := -1
		for i := range wide {
			if wide[i] > least[i] && (widest < 0 || wide[i] > wide[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return nil
		}
		wide[widest]--
	}
	return wide
}

// tableRow is one row; its first cell is what it is about.
func (s symbols) tableRow(row []string, columns []int, st style) (lines []text) {
	x := 0
	for i, cell := range row[:min(len(row), len(columns))] {
		own := st
		if i == 0 && st == plain {
			own = strong
		}
		for j, part := range wrap(text(nil).add(own, s.clean(cell)), columns[i], 0, 0) {
			if j == len(lines) {
				lines = append(lines, nil)
			}
			if len(part) > 0 {
				lines[j] = append(lines[j].pad(x), part...)
			}
		}
		x += columns[i] + cellGap
	}
	return lines
}

// tableList has a row in one paragraph: its first cell, and each of the others after its column's head.
func (s symbols) tableList(b *timeline.Table, width int) (lines []text) {
	for _, row := range b.Rows {
		cells := text(nil)
		for i, cell := range row[:min(len(row), len(b.Head))] {
			switch {
			case i == 0:
				cells = cells.add(strong, s.clean(cell)).add(plain, ":")
			case cell != "":
				cells = cells.add(plain, " ").add(dim, glued(s.clean(b.Head[i]))).add(plain, " "+s.clean(cell)+";")
			}
		}
		if n := len(cells); n > 0 {
			lines = append(lines, wrap(cells[:n-1], width, 0, 2)...)
		}
	}
	return lines
}
