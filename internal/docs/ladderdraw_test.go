package docs

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// Where the columns of a ladder are: the calls, the states at each end's line, the segments between.
const (
	ladderWide  = 800
	callWide    = 158
	stateWide   = 112
	clientLife  = callWide + stateWide + 6
	serverLife  = ladderWide - clientLife
	rowHigh     = 30
	ladderAbove = 66
)

// pictureStyle has the colours of GitHub's pages, light and dark.
const pictureStyle = `
.bg{fill:#fff}text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}
.h{font:600 16px -apple-system,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif}.p,.q{font:13px -apple-system,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif;fill:#59636e}
.mid{text-anchor:middle}.end{text-anchor:end}.b{font-weight:600}.halo{paint-order:stroke;stroke:#fff;stroke-width:5px;stroke-linejoin:round}
.life{stroke:#1f2328;stroke-width:2}.rule{stroke:#d1d9e0}.arrow{stroke:#1f2328;stroke-width:1.5;fill:none}.head{fill:#1f2328}.tick{stroke:#59636e;stroke-width:1.5;fill:none}
.data{fill:#818b98;opacity:.22}.box{fill:none;stroke:#59636e;stroke-width:1.5}.bad{fill:#d1242f}.badline{stroke:#d1242f;stroke-width:1.5;fill:none}
.void{fill:none;stroke:#d1d9e0}.none{fill:#f6f8fa;stroke:#d1d9e0}.open{fill:#fff8c5;stroke:#d4a72c}.up{fill:#dafbe1;stroke:#4ac26b}.active{fill:#ddf4ff;stroke:#54aeff}
.passive{fill:#fff1e5;stroke:#fb8f44}.wait{fill:#fbefff;stroke:#c297ff}
@media (prefers-color-scheme:dark){.bg{fill:#0d1117}text{fill:#f0f6fc}.p,.q{fill:#9198a1}.halo{stroke:#0d1117}.life,.arrow{stroke:#f0f6fc}.head{fill:#f0f6fc}
.rule{stroke:#3d444d}.tick,.box{stroke:#9198a1}.data{fill:#9198a1;opacity:.28}.bad{fill:#f85149}.badline{stroke:#f85149}
.void{stroke:#3d444d}.none{fill:#151b23;stroke:#3d444d}.open{fill:#3b2e04;stroke:#9e6a03}.up{fill:#0f2d1a;stroke:#2ea043}.active{fill:#0c2d4d;stroke:#1f6feb}
.passive{fill:#3d2204;stroke:#bd561d}.wait{fill:#2b1a4a;stroke:#8957e5}}
@media print{.bg{fill:#fff}}
`

// stateColours go by what a state is part of.
var stateColours = map[string]string{
	"CLOSED": "none", "LISTEN": "none", "SYN-SENT": "open", "SYN-RECEIVED": "open", "ESTABLISHED": "up",
	"FIN-WAIT-1": "active", "FIN-WAIT-2": "active", "CLOSING": "active", "CLOSE-WAIT": "passive", "LAST-ACK": "passive", "TIME-WAIT": "wait",
}

// svgFile is a whole picture.
func svgFile(wide, high int, title, says, body string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-labelledby="title desc">
<title id="title">%[3]s</title>
<desc id="desc">%[4]s</desc>
<style>%[5]s</style>
<rect class="bg" width="%[1]d" height="%[2]d"/>
%[6]s</svg>
`, wide, high, xmlText(title), xmlText(says), pictureStyle, body)
}

func xmlText(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s))
	return b.String()
}

// pen writes a picture's parts.
type pen struct{ strings.Builder }

func (p *pen) text(x, y int, class, s string) {
	fmt.Fprintf(p, `<text x="%d" y="%d" class="%s">%s</text>`+"\n", x, y, class, xmlText(s))
}

// ladder draws a run as Stevens does: the calls outside, the states at the margins, the segments between, each from
// when it leaves to when it comes.
func (r *aRun) ladder(title, command string) string {
	p := &pen{}
	high := ladderAbove + r.rows*rowHigh + 42
	p.text(14, 26, "h", title)
	fmt.Fprintf(p, `<text x="%d" y="26" class="end">%s</text>`+"\n", ladderWide-14, xmlText(command))
	p.text(14, 52, "b", "client calls")
	p.text(ladderWide-14, 52, "b end", "server calls")
	p.text(ladderWide/2, 52, "b mid", "segments")
	fmt.Fprintf(p, `<path class="rule" d="M14 60H%d"/>`+"\n", ladderWide-14)
	r.states(p, "client", high-16)
	r.states(p, "server", high-16)
	for _, x := range []int{clientLife, serverLife} {
		fmt.Fprintf(p, `<path class="life" d="M%d %dV%d"/>`+"\n", x, ladderAbove, high-16)
	}
	for _, part := range []func(*pen, *happening){stretchOf, arrowOf, r.labelOf, callOf} {
		for _, h := range r.list {
			part(p, h)
		}
	}
	return svgFile(ladderWide, high, title, r.order(), p.String())
}

func rowAt(row int) int { return ladderAbove + row*rowHigh + 40 }

// states are an end's, each a band beside its line for as long as it lasts.
func (r *aRun) states(p *pen, side string, bottom int) {
	now, top := "CLOSED", ladderAbove
	x := callWide + 4
	if side == "server" {
		x = serverLife + 2
	}
	band := func(to int) {
		if to-top < 4 {
			return
		}
		fmt.Fprintf(p, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="4"/>`+"\n", stateColours[now], x, top+1, stateWide, to-top-2)
		if to-top >= 16 {
			p.text(x+stateWide/2, min(top+19, (top+to)/2+5), "mid b", now)
		}
	}
	for _, h := range r.list {
		if h.lane == "state" && h.side == side {
			y := rowAt(h.row) - 12
			band(y)
			now, top = h.says, y
		}
	}
	band(bottom)
}

// ends of a segment: where it leaves and where it comes.
func (h *happening) ends() (x1, y1, x2, y2 int) {
	x1, x2 = clientLife+3, serverLife-3
	if h.side == "server" {
		x1, x2 = x2, x1
	}
	y1, y2 = rowAt(h.row), rowAt(h.last)
	if y2 == y1 {
		y2 += 10
	}
	return x1, y1, x2, y2
}

func stretchOf(p *pen, h *happening) {
	if h.many {
		x1, y1, x2, y2 := h.ends()
		fmt.Fprintf(p, `<path class="data" d="M%d %dL%d %dV%dL%d %dz"/>`+"\n", x1, y1, x2, y1+10, y2, x1, max(y1+4, y2-10))
	}
}

func arrowOf(p *pen, h *happening) {
	if h.lane != "segment" || h.many {
		return
	}
	x1, y1, x2, y2 := h.ends()
	turn := math.Atan2(float64(y2-y1), float64(x2-x1)) * 180 / math.Pi
	fmt.Fprintf(p, `<path class="arrow" d="M%d %dL%d %d"/>`+"\n", x1, y1, x2, y2)
	fmt.Fprintf(p, `<path class="head" transform="translate(%d %d) rotate(%.1f)" d="M0 0l-10 -4.5v9z"/>`+"\n", x2, y2, turn)
}

// labelOf writes on an arrow, from the sender's end; where another crosses, what the numbers are stands below the line.
func (r *aRun) labelOf(p *pen, h *happening) {
	if h.lane != "segment" {
		return
	}
	x1, y1, x2, y2 := h.ends()
	if h.many {
		p.text((x1+x2)/2, (y1+y2)/2, "mid halo", h.says)
		p.text((x1+x2)/2, (y1+y2)/2+18, "mid halo", "and its ACKs")
		return
	}
	turn := math.Atan(float64(y2-y1)/float64(x2-x1)) * 180 / math.Pi
	x, class := 12, "halo"
	if x2 < x1 {
		x, class = -12, "halo end"
	}
	write := func(y int, s string) {
		fmt.Fprintf(p, `<text class="%s" transform="translate(%d %d) rotate(%.1f)" x="%d" y="%d">%s</text>`+"\n", class, x1, y1, turn, x, y, xmlText(s))
	}
	if flags, numbers, _ := strings.Cut(h.says, " seq="); r.crossed(h) {
		write(-6, flags)
		write(16, "seq="+numbers)
		return
	}
	write(-6, h.says)
}

// crossed tells whether an arrow of the other side crosses this one.
func (r *aRun) crossed(h *happening) bool {
	_, y1, _, y2 := h.ends()
	for _, o := range r.list {
		if o.lane != "segment" || o.many || o.side == h.side {
			continue
		}
		if _, o1, _, o2 := o.ends(); y1 < o2 && o1 < y2 {
			return true
		}
	}
	return false
}

func callOf(p *pen, h *happening) {
	if h.lane != "call" {
		return
	}
	x, edge, class, out := 14, callWide-2, "", 1
	if h.side == "server" {
		x, edge, class, out = ladderWide-14, ladderWide-callWide+2, "end", -1
	}
	y := rowAt(h.row)
	p.text(x, y+5, class, h.says)
	if h.long && h.last > h.row { // how long it was in the kernel
		fmt.Fprintf(p, `<path class="tick" d="M%d %dh%dV%dh%d"/>`+"\n", edge-6*out, y, 4*out, rowAt(h.last), -4*out)
	}
}
