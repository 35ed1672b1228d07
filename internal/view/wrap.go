package view

import "regexp"

// columns are the spaces that set a column apart: more than one, or those at the beginning.
var columns = regexp.MustCompile(`^ +|  +`)

// Wrap breaks a line at single spaces into lines of at most width columns. Those that follow the first are indented by hang.
func Wrap(line string, width, hang int) (lines []string) {
	kept := text(nil).add(plain, columns.ReplaceAllStringFunc(line, glued))
	for _, l := range wrap(kept, width, 0, hang) {
		r := make([]rune, len(l))
		for i, g := range l {
			r[i] = g.r
		}
		lines = append(lines, string(r))
	}
	return lines
}
