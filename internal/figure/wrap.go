package figure

import "strings"

// wrapped are the lines of a text, none with more than so many characters. A word that is longer ends a line where it
// may be broken, after | or , or else anywhere.
func wrapped(s string, most int) (lines []string) {
	now := ""
	for _, word := range strings.Fields(s) {
		for len([]rune(word)) > most {
			if now != "" {
				lines, now = append(lines, now), ""
			}
			head, rest := broken(word, most)
			lines, word = append(lines, head), rest
		}
		switch {
		case now == "":
			now = word
		case len([]rune(now))+1+len([]rune(word)) <= most:
			now += " " + word
		default:
			lines, now = append(lines, now), word
		}
	}
	return append(lines, now)
}

// broken is as much of a word as fits, and the rest.
func broken(word string, most int) (head, rest string) {
	r := []rune(word)
	for i := most; i > most/2; i-- {
		if r[i-1] == '|' || r[i-1] == ',' {
			return string(r[:i]), string(r[i:])
		}
	}
	return string(r[:most]), string(r[most:])
}
