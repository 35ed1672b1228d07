package view

import (
	"regexp"
	"slices"
	"strings"
)

// Page lays out a page of Markdown, as docs/ has it, for a terminal: headings, paragraphs and lists wrapped to the
// width, code indented, tables, and of a link its text. A transcript stays as it is; where it does not fit, a line says
// which run it is of. Of what is folded, a run is left out, and a line says what to type to see it.
func Page(markdown string, o Options) string {
	p := &page{l: newLayout(o), s: newSymbols(o.ASCII), p: newPalette(o.Color), blank: true}
	lines := strings.Split(markdown, "\n")
	for len(lines) > 0 {
		lines = lines[p.block(lines):]
	}
	return strings.TrimRight(p.out.String(), "\n") + "\n"
}

// page is what has been laid out so far.
type page struct {
	l     layout
	s     symbols
	p     palette
	run   string // of the transcript that comes next
	fold  string // the summary of what is folded and not yet closed
	out   strings.Builder
	blank bool // the last line is empty
	item  bool // it is a list's
}

const bodyIndent = 2 // of what stands below a heading

var (
	runComment = regexp.MustCompile(`^<!-- run(?: \d of)?: (.*?)(?:  #.*)? -->$`)
	mdLink     = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	emphasis   = regexp.MustCompile(`(^|[ (])\*([^*]+)\*`)
)

// block lays out the block that begins here, and returns of how many lines it is.
func (p *page) block(lines []string) (n int) {
	first := lines[0]
	switch {
	case strings.TrimSpace(first) == "":
		return 1
	case strings.HasPrefix(first, "<details>"):
		return p.folded(lines)
	case strings.HasPrefix(first, "</details>"):
		p.fold = ""
		return 1
	case strings.HasPrefix(first, "<!--"):
		if m := runComment.FindStringSubmatch(first); m != nil {
			p.run = m[1]
		}
		return 1
	case strings.HasPrefix(first, "#"):
		p.space()
		p.lines(wrap(text(nil).add(strong, p.clean(strings.TrimLeft(first, "# "))), p.l.width, 0, bodyIndent))
		return 1
	case strings.HasPrefix(first, "```"):
		return p.code(lines)
	case strings.HasPrefix(first, "|"):
		return p.table(lines)
	case strings.HasPrefix(first, "- "):
		if !p.item {
			p.space()
		}
		n = 1 + p.goesOn(lines[1:])
		p.lines(wrap(p.inline(strings.Join(lines[:n], " ")), p.l.width, bodyIndent, bodyIndent+2))
		p.item = true
		return n
	}
	n = 1 + p.goesOn(lines[1:])
	p.space()
	p.lines(wrap(p.inline(strings.Join(lines[:n], " ")), p.l.width, bodyIndent, bodyIndent))
	return n
}

// goesOn is how many lines belong to the paragraph, or to the item of a list, above them.
func (p *page) goesOn(lines []string) (n int) {
	for _, line := range lines {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "```") || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "#") ||
			strings.HasPrefix(line, "<!--") || strings.HasPrefix(line, "<details>") || strings.HasPrefix(line, "</details>") {
			break
		}
		n++
	}
	return n
}

// inline is a paragraph: code in the style of what one types, the rest without its marks.
func (p *page) inline(s string) (t text) {
	for i, part := range strings.Split(p.s.clean(mdLink.ReplaceAllString(s, "$1")), "`") {
		if i%2 == 1 {
			t = t.add(strong, part)
		} else {
			t = t.add(plain, emphasis.ReplaceAllString(part, "$1$2"))
		}
	}
	return t
}

func (p *page) clean(s string) string {
	return p.s.clean(mdLink.ReplaceAllString(strings.ReplaceAll(s, "`", ""), "$1"))
}

// code is a block between fences.
func (p *page) code(lines []string) (n int) {
	n = 1
	for n < len(lines) && !strings.HasPrefix(lines[n], "```") {
		n++
	}
	p.space()
	body := lines[1:n]
	switch {
	case p.run == "":
		for _, line := range body {
			p.line(text(nil).add(plain, glued(strings.Repeat(" ", bodyIndent+2)+p.s.escape(line))))
		}
	case p.fold != "":
		p.leftOut()
	case p.fits(body):
		for _, line := range body {
			p.line(text(nil).add(plain, line))
		}
	default:
		left := text(nil).add(dim, "(a transcript that does not fit here: ").add(strong, p.s.clean(p.run)).add(dim, ")")
		p.lines(wrap(left, p.l.width, bodyIndent, bodyIndent))
	}
	p.run = ""
	return min(n+1, len(lines))
}

// fits tells whether a transcript can be shown as it is.
func (p *page) fits(body []string) bool {
	for _, line := range body {
		if p.s.ascii || text(nil).add(plain, line).width() > p.l.width {
			return false
		}
	}
	return true
}

// table is rows and columns where there is room, and else a list.
func (p *page) table(lines []string) (n int) {
	var rows [][]text
	for n < len(lines) && strings.HasPrefix(lines[n], "|") {
		if !strings.HasPrefix(lines[n], "|--") {
			var cells []text
			for _, c := range strings.Split(strings.Trim(strings.ReplaceAll(lines[n], `\|`, "\x00"), "| "), "|") {
				cells = append(cells, p.inline(strings.TrimSpace(strings.ReplaceAll(c, "\x00", "|"))))
			}
			rows = append(rows, cells)
		}
		n++
	}
	p.space()
	wide, fits := columns(rows, p.l.width-bodyIndent)
	for i, cells := range rows {
		switch {
		case fits:
			p.lines(inColumns(cells, wide))
		case i > 0:
			p.lines(wrap(record(rows[0], cells), p.l.width, bodyIndent, bodyIndent+2))
		}
	}
	return n
}

// narrowest is how narrow a table's column may be made.
const narrowest = 12

// columns are how wide a table's columns are: as their cells, or, where there is less room, the widest made narrower.
// It tells whether that was enough.
func columns(rows [][]text, room int) (wide []int, fits bool) {
	wide = make([]int, len(rows[0]))
	all := -gap
	for i := range wide {
		for _, cells := range rows {
			if i < len(cells) {
				wide[i] = max(wide[i], cells[i].width())
			}
		}
		all += wide[i] + gap
	}
	for ; all > room; all-- {
		i := slices.Index(wide, slices.Max(wide))
		if wide[i]--; wide[i] < narrowest {
			return wide, false
		}
	}
	return wide, true
}

// inColumns is a row, of as many lines as its longest cell takes.
func inColumns(cells []text, wide []int) (lines []text) {
	x := bodyIndent
	for i, w := range wide {
		if i == len(cells) {
			break
		}
		for j, part := range wrap(cells[i], w, 0, 2) {
			if j == len(lines) {
				lines = append(lines, nil)
			}
			lines[j] = append(lines[j].pad(x), part...)
		}
		x += w + gap
	}
	return lines
}

// record is a row in words: the first cell, then what each column says.
func record(head, cells []text) text {
	t, sep := text(nil).add(plain, "- "), ": "
	for i, c := range cells {
		switch {
		case c.width() == 0:
			continue
		case i > 0:
			t = t.add(plain, sep)
			sep = "; "
		}
		if i > 0 && i < len(head) {
			t = append(t, head[i]...).add(plain, " ")
		}
		t = append(t, c...)
	}
	return t
}

func (p *page) lines(lines []text) {
	for _, l := range lines {
		p.line(l)
	}
}

func (p *page) line(l text) {
	s := p.p.paint(l)
	p.out.WriteString(s + "\n")
	p.blank, p.item = s == "", false
}

// space leaves one line empty.
func (p *page) space() {
	if !p.blank {
		p.line(nil)
	}
}
