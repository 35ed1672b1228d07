package view

import (
	"slices"
	"testing"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		line  string
		width int
		hang  int
		want  []string
	}{
		{"short", 10, 2, []string{"short"}},
		{"", 10, 2, []string{""}},
		{"one two three", 8, 2, []string{"one two", "  three"}},
		{"  name  a lesson of words", 16, 8, []string{"  name  a lesson", "        of words"}},
		{"a-word-that-does-not-fit", 10, 2, []string{"a-word-tha", "  t-does-n", "  ot-fit"}},
		{"exactly ten", 11, 2, []string{"exactly ten"}},
	} {
		if got := Wrap(c.line, c.width, c.hang); !slices.Equal(got, c.want) {
			t.Errorf("%q in %d: %q, want %q", c.line, c.width, got, c.want)
		}
	}
}
