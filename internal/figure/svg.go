package figure

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// Where the columns are, in the figure's units: the times, what the client does, the arrows, what the server does.
const (
	width       = 1200
	timeRight   = 92
	clientLeft  = 108
	clientLine  = 440
	serverLine  = 840
	serverLeft  = 854
	serverRight = width - 16
	line        = 17 // from one line of text to the next
	textSize    = 13
	smallSize   = 12
)

// columns is how many characters of a size fit: a monospace font's are 0.6 of its size wide, or a little more.
func columns(room, size int) int { return room * 100 / (size * 64) }

// SVG writes a run as a figure: the ladder and below it the state diagram with the ways of both ends. It is one file
// without scripts and without anything from elsewhere.
func SVG(w io.Writer, l *ladder.Ladder, o Options) error {
	p := &page{y: 40}
	p.head(l)
	top := p.y
	p.rows(rowsOf(l, o))
	bottom := p.y
	p.lifelines(top, bottom)
	p.y += 30
	p.states(PathsOf(l, o))
	_, err := io.WriteString(w, p.whole(l))
	return err
}

// page is a figure that grows downward.
type page struct {
	y     int
	under strings.Builder // what lies under the rest
	b     strings.Builder
	busy  map[timeline.Side][]int // where calls entered that have not returned
	last  time.Duration           // the time that was written last
	timed bool
}

// style has the colours of the terminal's lanes, for light and dark. What is drawn has classes alone.
const style = `
.bg{fill:#fff}.t{font:13px monospace;fill:#1b1f24}.s{font-size:12px;fill:#57606a}.m{font-size:12px;fill:#57606a;text-anchor:end}
.h1{font:bold 24px sans-serif}.h2{font:15px sans-serif;fill:#57606a}.h3{font:bold 15px sans-serif}.i{font:italic 13px sans-serif;fill:#57606a}
.mid{text-anchor:middle}.b{font-weight:bold}.life{stroke:#d0d7de;stroke-width:2}.rule{stroke:#d0d7de}
.c{fill:#0550ae}.v{fill:#8a3b00}.bad{fill:#cf222e;font-weight:bold}.cb{fill:#ddf4ff}.vb{fill:#fff1e5}
.busyc{fill:#54aeff}.busyv{fill:#fb8f44}.a{stroke:#1b1f24;stroke-width:1.6;fill:none}.ah{fill:#1b1f24;stroke:none}.dash{stroke-dasharray:7 5}
.lost{stroke:#cf222e;stroke-width:2.4;fill:none}.n{fill:#fff;stroke:#d0d7de;stroke-width:1.5}.faint{fill:#8c959f}.on{stroke:#57606a;stroke-width:2}.pe{stroke-dasharray:5 4}
.pc{stroke:#0969da;stroke-width:2.4;fill:none}.pv{stroke:#bc4c00;stroke-width:2.4;fill:none}.hc{fill:#0969da}.hv{fill:#bc4c00}
.pf{stroke:#d0d7de;stroke-width:1.6;stroke-dasharray:4 4;fill:none}.hf{fill:#d0d7de}.nb{fill:#ddf4ff;stroke:#0969da}.nf{fill:#fff;stroke:#d0d7de}
@media (prefers-color-scheme:dark){.bg{fill:#0d1117}.t{fill:#e6edf3}.s,.m,.h2,.i{fill:#9198a1}.life,.rule{stroke:#3d444d}
.c{fill:#79c0ff}.v{fill:#ffa657}.bad{fill:#ff7b72}.cb{fill:#0c2d4d}.vb{fill:#3d2204}.busyc{fill:#1f6feb}.busyv{fill:#bd561d}.a{stroke:#e6edf3}.ah{fill:#e6edf3}
.lost{stroke:#ff7b72}.n{fill:#0d1117;stroke:#3d444d}.faint{fill:#6e7681}.on{stroke:#9198a1}.pc{stroke:#58a6ff}.pv{stroke:#f0883e}.hc{fill:#58a6ff}.hv{fill:#f0883e}
.pf{stroke:#3d444d}.hf{fill:#3d444d}.nb{fill:#0c2d4d;stroke:#58a6ff}.nf{fill:#0d1117;stroke:#3d444d}}
`

// whole is the file.
func (p *page) whole(l *ladder.Ladder) string {
	return p.standalone(cmp.Or(view.Clean(l.Title), "a run"), described(l))
}

// standalone is the file, with what it is called and what it shows.
func (p *page) standalone(title, says string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" version="1.1" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-labelledby="title desc">
<title id="title">%[3]s</title>
<desc id="desc">%[4]s</desc>
<style type="text/css">%[5]s</style>
<rect class="bg" width="%[1]d" height="%[2]d"/>
%[6]s%[7]s</svg>
`, width, p.y+20, escaped(title), escaped(says), style, p.under.String(), p.b.String())
}

// described is the figure in a sentence, for who does not see it.
func described(l *ladder.Ladder) string {
	s := "A ladder of a TCP connection: what the client does stands on the left, what the server does on the right, segments are arrows between them, time runs downward."
	if l.Lesson != "" {
		s = view.Clean(l.Lesson) + ". " + s
	}
	if l.Inferred {
		s += " Of the arrows, " + ladder.Dashed + "."
	}
	return s
}

func escaped(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // which cannot fail: a Builder takes all
	return b.String()
}

// text writes one line of text.
func (p *page) text(x, y int, class, s string) {
	fmt.Fprintf(&p.b, `<text x="%d" y="%d" class="t %s" xml:space="preserve">%s</text>`+"\n", x, y, class, escaped(s))
}

// lines writes a text in as many lines as it takes, and returns how many those are.
func (p *page) lines(x, y int, class string, room, size int, s string) int {
	wrapped := wrapped(s, columns(room, size))
	for i, l := range wrapped {
		p.text(x, y+i*line, class, l)
	}
	return len(wrapped)
}

// head is what stands above a run.
func (p *page) head(l *ladder.Ladder) {
	p.text(24, p.y, "h1", cut(cmp.Or(view.Clean(l.Title), "a run"), 70))
	p.y += 10
	for _, s := range []string{view.Clean(l.Lesson), view.Clean(l.Ref)} {
		if s != "" {
			p.y += 18
			p.y += (p.lines(24, p.y, "h2", width-48, 15, s) - 1) * line
		}
	}
	said := []string{"Times are in ms.", "States are from getsockopt(TCP_INFO), unless another source is named."}
	if l.Inferred {
		said = append(said, sentence(ladder.Dashed))
	}
	if l.IsBare() {
		said = append(said, sentence(ladder.Bare))
	}
	if l.HasOpen() {
		said = append(said, sentence(ladder.Unshown))
	}
	p.y += 22
	p.y += (p.lines(24, p.y, "s", width-48, smallSize, strings.Join(said, " ")) - 1) * line
	p.y += 34
	p.text(timeRight, p.y, "m", "ms")
	p.text(clientLeft, p.y, "b c", cut(cmp.Or(view.Clean(l.ClientLabel), "client"), columns(clientLine-clientLeft, textSize)))
	p.text(serverLeft, p.y, "b v", cut(cmp.Or(view.Clean(l.ServerLabel), "server"), columns(serverRight-serverLeft, textSize)))
	p.y += 10
	fmt.Fprintf(&p.b, `<path class="rule" d="M16 %d H%d"/>`+"\n", p.y, width-16)
	p.y += 8
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

// lifelines are the two ends, under all rows.
func (p *page) lifelines(top, bottom int) {
	for _, x := range []int{clientLine, serverLine} {
		fmt.Fprintf(&p.under, `<path class="life" d="M%d %d V%d"/>`+"\n", x, top, bottom)
	}
	for side, from := range p.busy {
		for _, y := range from {
			p.bar(side, y, bottom)
		}
	}
}

// bar is the time that a call was in the kernel.
func (p *page) bar(side timeline.Side, from, to int) {
	x, class := clientLine, "busyc"
	if side == timeline.Server {
		x, class = serverLine, "busyv"
	}
	fmt.Fprintf(&p.under, `<rect class="%s" x="%d" y="%d" width="6" height="%d" rx="3"/>`+"\n", class, x-3, from, max(6, to-from))
}

// rows draws all of them, what one look found of both ends side by side.
func (p *page) rows(rows []row) {
	p.busy = map[timeline.Side][]int{}
	for i := 0; i < len(rows); i++ {
		r := rows[i]
		if i+1 < len(rows) && beside(r, rows[i+1]) {
			p.time(r.at)
			p.y += max(p.inLane(r, p.y), p.inLane(rows[i+1], p.y))
			i++
			continue
		}
		p.row(r)
	}
}

// sameLook is how far apart two findings may be and still stand side by side.
const sameLook = 2 * time.Millisecond

func beside(a, b row) bool {
	return a.kind == state && b.kind == state && a.side == b.side.Other() && b.side != timeline.Wire && (b.at-a.at).Abs() <= sameLook
}

func (p *page) row(r row) {
	switch {
	case r.kind == arrow:
		p.arrow(r)
	case r.kind == heading:
		p.y += 14
		p.y += p.lines(clientLeft, p.y+14, "h3", serverRight-clientLeft, 15, r.says)*line + 8
	case r.kind == outcome, r.side == timeline.Wire:
		class := "b"
		if r.kind == note {
			class = "i"
		}
		p.time(r.at)
		p.y += p.lines(clientLeft, p.y+14, class, serverRight-clientLeft, textSize, r.says)*line + 8
	default:
		p.time(r.at)
		p.y += p.inLane(r, p.y)
	}
}

// time writes when a row was, unless that stands just above.
func (p *page) time(at time.Duration) {
	if p.timed && at == p.last {
		return
	}
	p.timed, p.last = true, at
	p.text(timeRight, p.y+14, "m", fmt.Sprintf("%.3f", float64(at.Microseconds())/1000))
}

// inLane draws a row in its side's lane, and returns how high it is.
func (p *page) inLane(r row, y int) int {
	x, room, box, own := clientLeft, clientLine-clientLeft-12, "cb", "c"
	if r.side == timeline.Server {
		x, room, box, own = serverLeft, serverRight-serverLeft, "vb", "v"
	}
	class := map[kind]string{state: "b " + own, check: "bad", note: "i", backlog: "s"}[r.kind]
	h := p.lines(x, y+14, class, room, textSize, r.says) * line
	if r.kind == state {
		fmt.Fprintf(&p.under, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="4"/>`+"\n", box, x-5, y-1, room+10, h+3)
	}
	if len(r.more) > 0 {
		h += p.lines(x+12, y+14+h, "s", room-12, textSize, strings.Join(r.more, ", ")) * line
	}
	switch open := p.busy[r.side]; {
	case r.kind == enters:
		p.busy[r.side] = append(open, y+8)
	case r.kind == returns && len(open) > 0:
		p.bar(r.side, open[len(open)-1], y+12)
		p.busy[r.side] = open[:len(open)-1]
	}
	return h + 8
}
