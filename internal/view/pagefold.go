package view

import (
	"regexp"
	"strings"
)

var summaryTag = regexp.MustCompile(`<summary>(.*?)</summary>`)

// folded begins what a browser shows after a click: <details> and its summary. A run in it is left out; what else there
// is, such as an answer, stands below the summary.
func (p *page) folded(lines []string) (n int) {
	p.fold = "the run"
	for n < len(lines) && !strings.HasPrefix(lines[n], "</details>") {
		m := summaryTag.FindStringSubmatch(lines[n])
		n++
		if m == nil {
			continue
		}
		p.fold = m[1]
		for n < len(lines) && lines[n] == "" {
			n++
		}
		if n == len(lines) || !runComment.MatchString(lines[n]) {
			p.space()
			p.lines(wrap(p.inline(m[1]+":"), p.l.width, bodyIndent, bodyIndent))
		}
		return n
	}
	return max(n, 1)
}

// leftOut stands for a run that is folded.
func (p *page) leftOut() {
	left := text(nil).add(dim, "(Left out here: "+p.clean(p.fold)+". To see it: ")
	for i, command := range strings.Split(p.run, " & ") {
		if i > 0 {
			left = left.add(dim, ", and in another terminal ")
		}
		left = left.add(strong, p.s.clean(command))
	}
	p.lines(wrap(left.add(dim, ")"), p.l.width, bodyIndent, bodyIndent))
}
