package cli

import "strings"

// Wrap breaks a line at spaces into lines of at most width columns. Those that follow the first are indented by hang.
func Wrap(line string, width, hang int) (lines []string) {
	hang = min(hang, width/2)
	for text := []rune(line); ; text = append([]rune(strings.Repeat(" ", hang)), text...) {
		n := len(text)
		if n > width {
			n = width
			for i := width; i > hang; i-- {
				if text[i] == ' ' {
					n = i
					break
				}
			}
		}
		lines = append(lines, strings.TrimRight(string(text[:n]), " "))
		if text = []rune(strings.TrimLeft(string(text[n:]), " ")); len(text) == 0 {
			return lines
		}
	}
}
