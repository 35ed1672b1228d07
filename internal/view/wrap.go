package view

import (
	"regexp"
	"strings"
)

// columnGap is what sets a column apart: more than one space.
var columnGap = regexp.MustCompile(`  +`)

// Wrap breaks a line at spaces into lines of at most width columns. Those that follow the first are indented by hang.
// Spaces at its beginning, and more than one in a row, stay as they are unless a line ends there.
func Wrap(line string, width, hang int) (lines []string) {
	words := strings.TrimLeft(line, " ")
	indent := len(line) - len(words)
	words = columnGap.ReplaceAllStringFunc(words, func(s string) string { return glued(s) + string(zwsp) })
	for _, l := range wrap(text(nil).add(plain, words), width, indent, hang) {
		lines = append(lines, new(palette).paint(l))
	}
	return lines
}
