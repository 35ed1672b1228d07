package docs

import (
	"fmt"
	"strings"
	"testing"
)

// circled are the numbers that stand beside the lines; a page's text refers to them.
const circled = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"

// place is where something begins: a line, and which lane. What is written across both is in lane 0.
type place struct{ line, lane int }

// places finds texts in lines, also those that go on in the next line of their lane.
type places [3]stream

// stream is a lane, or what is across both, without blanks; lines has the line of each byte.
type stream struct {
	text  string
	lines []int
}

func newPlaces(all []string, lanes bool) *places {
	var p places
	for i, s := range all {
		line := []rune(s)
		if !lanes || isArrow(line) || len(line) <= timeWide || !timeCell.MatchString(string(line[:timeWide-1])) || across(line) {
			p[2].add(i, s)
			continue
		}
		p[0].add(i, cell(line, timeWide, between))
		p[1].add(i, cell(line, right, len(line)))
	}
	return &p
}

func (s *stream) add(line int, text string) {
	text = blank.ReplaceAllString(text, "")
	s.text += text
	for range len(text) {
		s.lines = append(s.lines, line)
	}
}

// find is where a text begins first, not before a line.
func (p *places) find(text string, from int) (first place, ok bool) {
	text = blank.ReplaceAllString(text, "")
	for lane, s := range p {
		for at := 0; at < len(s.text); at++ {
			i := strings.Index(s.text[at:], text)
			if i < 0 {
				break
			}
			at += i
			if line := s.lines[at]; line >= from {
				if !ok || line < first.line {
					first, ok = place{line, lane % 2}, true
				}
				break
			}
		}
	}
	return first, ok
}

// number puts ①, ② … to the left of the first line of each text that the comment names, in this order from above: into
// the margin, or into the column between the lanes. What has no lanes gets a margin.
func (b block) number(text string) (string, error) {
	if len(b.marks) == 0 {
		return text, nil
	}
	head, rest := lanesHead(text)
	all := strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
	places := newPlaces(all, head != "")
	if head == "" {
		for i := range all {
			all[i] = strings.TrimRight("  "+all[i], " ")
		}
	}
	last := place{line: 0, lane: -1}
	for i, what := range b.marks {
		mark := []rune(circled)[i]
		at, ok := places.find(what, last.line)
		if ok && at == last { // the same text twice
			at, ok = places.find(what, last.line+1)
		}
		if !ok {
			return "", fmt.Errorf("%c is not in the run, or only above the one before: %q", mark, what)
		}
		line := []rune(all[at.line])
		column := 0
		switch {
		case at.lane == 1:
			column = between
		case line[0] != ' ' && head != "": // a time of many digits
			column = timeWide - 1
		}
		if line[column] != ' ' {
			return "", fmt.Errorf("%c: there is no room in %q", mark, all[at.line])
		}
		line[column] = mark
		all[at.line], last = string(line), at
	}
	return text[:len(text)-len(head)-len(rest)] + head + strings.Join(all, "\n") + "\n", nil
}

// plain is the body without the numbers.
func (b block) plain() string {
	if len(b.marks) == 0 {
		return b.body
	}
	if head, _ := lanesHead(b.body); head != "" {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(circled, r) {
				return ' '
			}
			return r
		}, b.body)
	}
	kept := ""
	for line := range strings.Lines(b.body) {
		r := []rune(strings.TrimSuffix(line, "\n"))
		kept += string(r[min(2, len(r)):]) + "\n"
	}
	return kept
}

// misnumbered says what is wrong with the numbers: they are not where the comment says, or what they stand beside is
// not in the run.
func (b block) misnumbered(run string) string {
	body, err := b.number(b.plain())
	if err != nil {
		return err.Error()
	}
	if body != b.body {
		return "the numbers are not beside the texts that the comment names"
	}
	head, rest := lanesHead(run)
	places := newPlaces(strings.Split(rest, "\n"), head != "")
	for _, what := range b.marks {
		if _, ok := places.find(what, 0); !ok {
			return fmt.Sprintf("marked, and not in the run: %q", what)
		}
	}
	return ""
}

func TestNumbersStandBesideTheirLines(t *testing.T) {
	b := block{what: "echoc echo", show: 1, noted: noted{lanes: true, marks: []string{"SOCK_STREAM|SOCK_CLOEXEC", "accept4(", "first seen", "both directions are open", "close("}}}
	body, err := b.cut(someRun)
	if err != nil {
		t.Fatal(err)
	}
	const want = `       ms client                              server
①   0.100 socket(AF_INET, SOCK_STREAM|
              SOCK_CLOEXEC, IPPROTO_IP) = 8
    0.200                                    ②accept4(8)
    0.300 connect(8, 127.0.0.1:7007) = 0
            CLOSED → ESTABLISHED             ③  first seen ESTABLISHED
              SYN-SENT passed unseen              (sock_diag)
④         ✓ connected; both directions are    ✓ nothing is known of the
            open                                client
⑤   0.400 close(8) = 0
    0.500                                     close(9) = 0
`
	if body != want {
		t.Fatalf("%s\nwant\n%s", body, want)
	}
	b.body = body
	if d := b.differs(played{shown: []string{someRun}, status: []int{0}}); d != "" {
		t.Errorf("the block differs from its own run: %s", d)
	}
	more, turned := b, b.with(strings.NewReplacer("①", " ", "③", " ", "④", " ", "⑤", "①").Replace(body))
	more.marks, turned.marks = append(more.marks, "shutdown("), []string{"close(", "accept4("}
	for what, wrong := range map[string]block{
		"a number is missing":            b.with(strings.Replace(body, "②", " ", 1)),
		"one is in another line":         b.with(strings.NewReplacer("⑤", " ", "    0.500", "⑤   0.500").Replace(body)),
		"two have changed places":        b.with(strings.NewReplacer("①", "②", "②", "①").Replace(body)),
		"a text is not in the run":       more,
		"they are not in their order":    turned,
		"what has a number is another's": b.with(strings.Replace(body, "③  first seen", "③       first", 1)),
	} {
		if wrong.differs(played{shown: []string{someRun}, status: []int{0}}) == "" {
			t.Errorf("%s, and no difference is found:\n%s", what, wrong.body)
		}
	}
	elsewhere := strings.Replace(someRun, "both directions are", "its directions are", 1)
	if d := b.differs(played{shown: []string{elsewhere}, status: []int{0}}); !strings.Contains(d, "marked") {
		t.Errorf("what is marked is not in the run: %q", d)
	}
}

func TestTheSameTextTwiceIsTwoLines(t *testing.T) {
	b := block{noted: noted{marks: []string{"FIN", "FIN"}}}
	if body, err := b.cut("SYN\nFIN\nACK\nFIN\n"); err != nil || body != "  SYN\n① FIN\n  ACK\n② FIN\n" {
		t.Errorf("%v\n%s", err, body)
	}
}

func (b block) with(body string) block { b.body = body; return b }

func TestNumbersOfWhatHasNoLanes(t *testing.T) {
	const text = "State  Recv-Q\nLISTEN 0\n\nTIME-WAIT 0\n"
	b := block{what: "ss -tan", noted: noted{marks: []string{"TIME-WAIT"}}}
	body, err := b.cut(text)
	if want := "  State  Recv-Q\n  LISTEN 0\n\n① TIME-WAIT 0\n"; err != nil || body != want {
		t.Fatalf("%v\n%s", err, body)
	}
	if b = b.with(body); b.plain() != text {
		t.Errorf("%q", b.plain())
	}
	n := noted{marks: []string{"SYN-SENT"}}
	if _, err := (block{noted: n}).cut(text); err == nil {
		t.Error("a text that is not there has a number")
	}
}
