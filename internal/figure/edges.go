package figure

import (
	"fmt"
	"math"
	"strings"

	"socklife/tcpinfo"
)

// edges are those of a state diagram, and their texts, which lie above the states.
type edges struct {
	lines, labels strings.Builder
	taken         map[lane]int // how many there are
}

// lane is one side of the line between two states.
type lane struct {
	a, b tcpinfo.State // the lesser first
	left bool          // of the line from a to b
}

// point is one in the drawing.
type point struct{ x, y float64 }

// bend is how far a curve keeps from the straight line, and each further one on the same side from the one before.
const bend = 26.0

// draw draws an edge in the colour of an end. Those of the client keep to one side and those of the server to the
// other.
func (d *edges) draw(e *Edge, own string) {
	at := Places[e.To.State]
	if e.From == nil {
		x, y := float64(at.X-StateWide/2), float64(at.Y)+8
		if own == "v" {
			y = float64(at.Y) - 8
		}
		d.curve(own, point{x - 34, y}, point{x - 17, y}, point{x, y})
		d.label(own, point{x - 38, y + 4}, "end", e.Says())
		return
	}
	in := lane{e.From.State, e.To.State, own == "c"}
	if in.a > in.b {
		in = lane{in.b, in.a, !in.left}
	}
	off := bend * float64(1+d.taken[in])
	if d.taken[in]++; own == "v" {
		off = -off
	}
	from := Places[e.From.State]
	if e.To.State == tcpinfo.Closed && from.Y > Places[tcpinfo.Established].Y {
		d.around(e, from, own)
		return
	}
	a, b := point{float64(from.X), float64(from.Y)}, point{float64(at.X), float64(at.Y)}
	long := math.Hypot(b.x-a.x, b.y-a.y)
	mid := point{(a.x+b.x)/2 - (b.y-a.y)/long*off, (a.y+b.y)/2 + (b.x-a.x)/long*off}
	a, b = border(a, mid), border(b, mid)
	d.curve(own, a, mid, b)
	along := 0.38 // where the text stands: those of the two ends beside each other
	if own == "v" {
		along = 0.62
	}
	d.label(own, on(a, mid, b, along+0.16*float64(d.taken[in]-1)), "middle", e.Says())
}

// around goes back to CLOSED outside of the others.
func (d *edges) around(e *Edge, from Place, own string) {
	to := Places[tcpinfo.Closed]
	side, out := 1, StatesWidth-40
	if from.X < to.X {
		side, out = -1, 24
	}
	if own == "v" {
		out -= side * 12
	}
	y := to.Y - 4
	if own == "v" {
		y += 8
	}
	end := to.X + side*(StateWide/2)
	fmt.Fprintf(&d.lines, `<path class="p%s" d="M%d %d H%d V%d H%d"/>`+"\n", own, from.X+side*StateWide/2, from.Y, out, y, end+side*8)
	d.head(own, point{float64(end), float64(y)}, point{float64(end + side*8), float64(y)})
	above := -8
	if own == "v" {
		above = 18
	}
	d.label(own, point{float64(from.X + side*(StateWide/2+8)), float64(from.Y + above)}, map[int]string{1: "start", -1: "end"}[side], e.Says())
}

// curve is a line with an arrow's head.
func (d *edges) curve(own string, a, mid, b point) {
	fmt.Fprintf(&d.lines, `<path class="p%s" d="M%.1f %.1f Q%.1f %.1f %.1f %.1f"/>`+"\n", own, a.x, a.y, mid.x, mid.y, b.x, b.y)
	d.head(own, b, mid)
}

// head is an arrow's head at a point, that comes from another.
func (d *edges) head(own string, at, from point) {
	angle := math.Atan2(at.y-from.y, at.x-from.x) * 180 / math.Pi
	fmt.Fprintf(&d.lines, `<path class="h%s" transform="translate(%.1f %.1f) rotate(%.1f)" d="M0 0 l-11 -5 v10 z"/>`+"\n", own, at.x, at.y, angle)
}

// label is a text above all lines, with room around it.
func (d *edges) label(own string, at point, anchor, s string) {
	if s == "" {
		return
	}
	s = cut(s, 34)
	wide := float64(len([]rune(s))) * textSize * 0.62
	left := at.x - map[string]float64{"middle": wide / 2, "end": wide}[anchor]
	fmt.Fprintf(&d.labels, `<rect class="bg" x="%.1f" y="%.1f" width="%.1f" height="15"/><text class="t %s" style="text-anchor:%s" x="%.1f" y="%.1f">%s</text>`+"\n",
		left-2, at.y-12, wide+4, own, anchor, at.x, at.y, escaped(s))
}

// on is a point of a curve.
func on(a, mid, b point, t float64) point {
	of := func(a, mid, b float64) float64 { return (1-t)*(1-t)*a + 2*t*(1-t)*mid + t*t*b }
	return point{of(a.x, mid.x, b.x), of(a.y, mid.y, b.y) + 4}
}

// border is where the line from a state's middle to a point leaves its box.
func border(middle, to point) point {
	dx, dy := to.x-middle.x, to.y-middle.y
	f := math.Min(StateWide/2/math.Max(math.Abs(dx), 1e-9), StateHigh/2/math.Max(math.Abs(dy), 1e-9))
	return point{middle.x + dx*f, middle.y + dy*f}
}
