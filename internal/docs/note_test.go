package docs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// noted is what a block's comment says behind the #.
type noted struct {
	root  bool // an ordinary user is shown less
	exit  int  // the status it ends with
	lanes bool // what happened, without the words before and after
	parts []part
	only  *regexp.Regexp
	marks []string // the texts that have a number beside them
}

// part is the lines from the first that has a text to the next that has another; "" is the beginning, or the end.
type part struct{ from, to string }

const quoted = `"([^"]*)"`

var (
	exits  = regexp.MustCompile(`^exit (\d+)`)
	partly = regexp.MustCompile(`^(?:from ` + quoted + `)?(?: ?to ` + quoted + `)?`)
	lines  = regexp.MustCompile(`^only ` + quoted)
	number = regexp.MustCompile(`^(?:mark|,) ` + quoted)
)

// readNote reads a note: as root, exit N, lanes, from "…" to "…" and from "…" to "…", only "…", mark "…", "…", with
// "; " in between. Of from and to, one alone will do.
func readNote(note string) (n noted, err error) {
	for rest := note; rest != ""; {
		part := partly.FindStringSubmatch(rest)
		if m := exits.FindStringSubmatch(rest); m != nil {
			n.exit, err = strconv.Atoi(m[1])
			rest = rest[len(m[0]):]
		} else if m := lines.FindStringSubmatch(rest); m != nil {
			n.only, err = regexp.Compile(m[1])
			rest = rest[len(m[0]):]
		} else if after, ok := strings.CutPrefix(rest, "as root"); ok {
			n.root, rest = true, after
		} else if after, ok := strings.CutPrefix(rest, "lanes"); ok {
			n.lanes, rest = true, after
		} else if strings.HasPrefix(rest, "mark ") {
			for m := number.FindStringSubmatch(rest); m != nil; m = number.FindStringSubmatch(rest) {
				n.marks, rest = append(n.marks, m[1]), rest[len(m[0]):]
			}
		} else if part[0] != "" {
			rest = " and " + rest
			for m := part; strings.HasPrefix(rest, " and ") && m[0] != ""; m = partly.FindStringSubmatch(strings.TrimPrefix(rest, " and ")) {
				n.add(m)
				rest = rest[len(" and "+m[0]):]
			}
		}
		if after, ok := strings.CutPrefix(rest, "; "); ok && after != "" {
			rest = after
		} else if rest != "" {
			return n, fmt.Errorf("%s: what is that?", rest)
		}
		if err != nil {
			return n, err
		}
	}
	if len(n.marks) > len([]rune(circled)) {
		return n, fmt.Errorf("%d marks: there are no more than %d numbers", len(n.marks), len([]rune(circled)))
	}
	return n, nil
}

func (n *noted) add(m []string) { n.parts = append(n.parts, part{m[1], m[2]}) }

func (n noted) String() string {
	pattern := ""
	if n.only != nil {
		pattern = n.only.String()
	}
	return fmt.Sprintf("{%t %d %t %v %q %v}", n.root, n.exit, n.lanes, n.parts, pattern, n.marks)
}

func TestNotesAreRead(t *testing.T) {
	for note, want := range map[string]string{
		``:                                     `{false 0 false [] "" []}`,
		`exit 3`:                               `{false 3 false [] "" []}`,
		`as root`:                              `{true 0 false [] "" []}`,
		`from "a(" to "b c"`:                   `{false 0 false [{a( b c}] "" []}`,
		`to "b"`:                               `{false 0 false [{ b}] "" []}`,
		`from "a"; exit 1`:                     `{false 1 false [{a }] "" []}`,
		`from "a" to "b" and from "c" to "d"`:  `{false 0 false [{a b} {c d}] "" []}`,
		`to "b" and from "c"; mark "x"`:        `{false 0 false [{ b} {c }] "" [x]}`,
		`lanes; mark "x", "y; z"`:              `{false 0 true [] "" [x y; z]}`,
		`as root; only "a|b"; mark "a"`:        `{true 0 false [] "a|b" [a]}`,
		`as root; from "a" to "b"; mark "b"`:   `{true 0 false [{a b}] "" [b]}`,
		`as root; exit 2; lanes; mark "shut("`: `{true 2 true [] "" [shut(]}`,
	} {
		if n, err := readNote(note); err != nil || n.String() != want {
			t.Errorf("%s: %v, %v, want %s", note, n, err, want)
		}
	}
	for _, note := range []string{`exit`, `lane`, `lanesx`, `from "a`, `mark x`, `mark "x",`, `lanes;`, `only "("`, `from "a" and`} {
		if n, err := readNote(note); err == nil {
			t.Errorf("%s: %v is no error", note, n)
		}
	}
}
