package figure

import (
	"strings"

	"socklife/internal/view"
)

// wrapped are the lines of a text, none with more than so many characters. A word that is longer is broken after | or ,
// or else anywhere.
func wrapped(s string, most int) []string {
	var words []string
	for _, word := range strings.Fields(s) {
		for r := []rune(word); len(r) > most; r = []rune(word) {
			n := most
			for i := most / 2; i < most; i++ {
				if r[i] == '|' || r[i] == ',' {
					n = i + 1
				}
			}
			words, word = append(words, string(r[:n])), string(r[n:])
		}
		words = append(words, word)
	}
	return view.Wrap(strings.Join(words, " "), most, 0)
}
