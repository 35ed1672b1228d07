package docs

import (
	"fmt"
	"strings"
	"testing"
)

// A number in a page's text stands in the run before it or in the one after it.
func TestNumbersInTheTextAreInARun(t *testing.T) {
	for _, p := range pages(t) {
		text := read(t, p)
		list, err := blocks(p, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, why := range unmarked(text, list) {
			t.Errorf("%s:%s", p, why)
		}
	}
	b := []block{{line: 2, noted: noted{marks: []string{"a", "b"}}}, {line: 4, noted: noted{marks: []string{"a"}}}}
	if wrong := unmarked("①\n\n②\n\n①\n②\n", b); len(wrong) != 1 || !strings.HasPrefix(wrong[0], "6: ②") {
		t.Errorf("%q", wrong)
	}
}

// unmarked are the numbers in a text that stand in neither of the two runs.
func unmarked(text string, list []block) (wrong []string) {
	n := 0
	for line := range strings.Lines(prose(text)) {
		n++
		before, after := 0, 0
		for _, b := range list {
			if len(b.marks) == 0 {
				continue
			}
			if b.line >= n {
				after = len(b.marks)
				break
			}
			before = len(b.marks)
		}
		for i, r := range []rune(circled) {
			if strings.ContainsRune(line, r) && i >= max(before, after) {
				wrong = append(wrong, fmt.Sprintf("%d: %c is beside no line of the runs above and below", n, r))
			}
		}
	}
	return wrong
}
