package docs

import (
	"regexp"
	"strings"
)

// Where the lanes are at 80 columns.
const (
	timeWide = 10
	between  = 45
	right    = 46
)

var (
	timeCell = regexp.MustCompile(`^ *(\d+\.\d+)?$`)
	summary  = regexp.MustCompile(`^[a-z0-9-]+: (\d+ (of \d+ )?checks?|FAILED|done)`)

	names     = `CLOSED|LISTEN|SYN-SENT|SYN-RECEIVED|ESTABLISHED|FIN-WAIT-1|FIN-WAIT-2|CLOSE-WAIT|CLOSING|LAST-ACK|TIME-WAIT`
	stateLine = regexp.MustCompile(`^((?:<[^>]+>|:\d+) )?(?:first seen |(` + names + `) → )?(` + names + `)( \([a-z_]+\))?$`)
	// What a look found beside a state, or instead of one.
	aside = regexp.MustCompile(`^((?:<[^>]+>|:\d+) accept queue \d|accept queue \d|SYN queue \d|[A-Z][A-Za-z0-9]+ [+-]\d)`)
)

// parseLanes reads what follows the lanes' head.
func parseLanes(lines []string) *transcript {
	tr := newTranscript()
	var cells [2][]string
	for i := 0; i < len(lines); i++ {
		line := []rune(lines[i])
		whole := string(line)
		switch {
		case summary.MatchString(whole):
			tr.end = normal(whole)
			cells[0], cells[1] = append(cells[0], ""), append(cells[1], "")
			for i+1 < len(lines) && lines[i+1] != "" { // what the run has shown, in sentences and paths: made from what was read
				i++
			}
		case isArrow(line):
			i += tr.arrow(lines[i:])
			cells[0], cells[1] = append(cells[0], ""), append(cells[1], "")
		case isInferred(line), len(line) <= timeWide || !timeCell.MatchString(string(line[:timeWide-1])) || across(line):
			cells[0], cells[1] = append(cells[0], ""), append(cells[1], "")
		default:
			cells[0] = append(cells[0], cell(line, timeWide, between))
			cells[1] = append(cells[1], cell(line, right, len(line)))
		}
	}
	for i, lane := range cells {
		tr.lane(sideNames[i], lane)
	}
	return tr
}

// across tells of a line that does not keep to the lanes.
func across(line []rune) bool { return len(line) > between && line[between] != ' ' }

// cell is what stands in a lane.
func cell(line []rune, from, to int) string {
	if from >= len(line) {
		return ""
	}
	return strings.TrimRight(string(line[from:min(to, len(line))]), " ")
}

func indent(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

// lane reads one side's cells. Calls and checks begin at the lane's edge and go on indented; states are indented.
func (tr *transcript) lane(side string, cells []string) {
	var item string
	var done func()
	begin := func(text string, then func()) {
		if done != nil {
			done()
		}
		item, done = text, then
	}
	cells = wholeTransitions(cells)
	for i, c := range cells {
		text := strings.TrimSpace(c)
		next := ""
		if i+1 < len(cells) {
			next = cells[i+1]
		}
		switch in := indent(c); {
		case text == "":
			begin("", nil)
		case in == 0 && (strings.HasPrefix(text, "✓ ") || strings.HasPrefix(text, "✗ ")):
			begin(strings.TrimPrefix(text, "✓ "), func() { tr.check(side, item) })
		case in == 0:
			begin(text, func() {
				switch {
				case callLine.MatchString(item):
					tr.call(side, tr.whole(side, item))
				case entryLine.MatchString(item):
					tr.enter(side, item)
				}
			})
		case in == 2 && tr.isState(side, text, next, done == nil):
			begin("", nil)
		case in == 2 && aside.MatchString(text):
			begin("", nil)
		default:
			item += " " + text
		}
	}
	begin("", nil)
}

// wholeTransitions puts a transition into one line that went on in the next: "SYN-RECEIVED →" and "ESTABLISHED".
func wholeTransitions(cells []string) (whole []string) {
	for _, c := range cells {
		n := len(whole) - 1
		if n >= 0 && c != "" && (strings.HasSuffix(whole[n], " →") || strings.HasSuffix(whole[n], " first seen")) {
			whole[n] += " " + strings.TrimSpace(c)
			continue
		}
		whole = append(whole, c)
	}
	return whole
}

// isState takes a state's line for what it is, and not for the words that a check ends with: it has an arrow, says what
// saw it, or has more below it.
func (tr *transcript) isState(side, text, next string, alone bool) bool {
	state, more, _ := strings.Cut(text, "  ")
	m := stateLine.FindStringSubmatch(state)
	if m == nil {
		return false
	}
	from, first := m[2], strings.Contains(state, "first seen ")
	if from != "" || first {
		tr.state(side, strings.TrimSpace(m[1]), from, m[3])
		return true
	}
	return m[4] != "" || more != "" || alone || indent(next) >= 4
}
