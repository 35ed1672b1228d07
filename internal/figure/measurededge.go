package figure

import (
	"fmt"
	"math"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// How the transitions lie in the drawing. Most are curves from one state to the other; a curve bows further where
// another state would be in its way.
const bow = 34

var bows = map[[2]tcpinfo.State]float64{
	{tcpinfo.SynReceived, tcpinfo.FinWait1}: -150, // below ESTABLISHED
	{tcpinfo.Listen, tcpinfo.SynSent}:       -20,
}

// stubs are the aborts: a short arrow that says where it goes, since as lines they would cover all others. It leaves
// the state in this direction.
var stubs = map[tcpinfo.State]point{
	tcpinfo.Established: {1, 0}, tcpinfo.FinWait1: {-1, 0}, tcpinfo.FinWait2: {0, 1}, tcpinfo.CloseWait: {1, 0}, tcpinfo.Closing: {1, 0},
}

// around are those that go outside of the others: out to the X and from there to the height of where they go.
var around = map[[2]tcpinfo.State]int{
	{tcpinfo.LastAck, tcpinfo.Closed}:       1075,
	{tcpinfo.TimeWait, tcpinfo.Closed}:      22,
	{tcpinfo.TimeWait, tcpinfo.SynReceived}: 1036,
}

// measured draws a transition with its number.
func (d *edges) measured(n int, c *timeline.Coverage) {
	own := "f"
	if c.Seen {
		own = "c"
	}
	from, to := Places[c.From], Places[c.To]
	way := [2]tcpinfo.State{c.From, c.To}
	if dir, is := stubs[c.From]; is && c.To == tcpinfo.Closed {
		d.stub(n, c, own, from, dir)
		return
	}
	if x, is := around[way]; is {
		d.outside(n, c, own, from, to, x)
		return
	}
	off, is := bows[way]
	if !is {
		off = bow
	}
	a, b := point{float64(from.X), float64(from.Y)}, point{float64(to.X), float64(to.Y)}
	long := math.Hypot(b.x-a.x, b.y-a.y)
	mid := point{(a.x+b.x)/2 - (b.y-a.y)/long*off, (a.y+b.y)/2 + (b.x-a.x)/long*off}
	d.curve(own, border(a, mid), mid, border(b, mid))
	d.number(n, c, point{(a.x + b.x + 2*mid.x) / 4, (a.y + b.y + 2*mid.y) / 4})
}

// stub is a short arrow out of a state, with the number and the name of where it goes.
func (d *edges) stub(n int, c *timeline.Coverage, own string, from Place, dir point) {
	a := point{float64(from.X) + dir.x*StateWide/2, float64(from.Y) + dir.y*StateHigh/2}
	b := point{a.x + dir.x*44, a.y + dir.y*44}
	mid := point{(a.x + b.x) / 2, (a.y + b.y) / 2}
	d.curve(own, a, mid, b)
	d.number(n, c, point{mid.x - dir.x*4, mid.y - dir.y*4})
	at, anchor := point{b.x + dir.x*5, b.y + 4}, "start"
	switch {
	case dir.x < 0:
		anchor = "end"
	case dir.y < 0:
		at, anchor = point{b.x, b.y - 6}, "middle"
	case dir.y > 0:
		at, anchor = point{b.x, b.y + 14}, "middle"
	}
	fmt.Fprintf(&d.labels, `<text class="t s" style="text-anchor:%s" x="%.1f" y="%.1f">%s</text>`+"\n", anchor, at.x, at.y, c.To)
}

// outside goes out to the side, and back at the height of where it leads.
func (d *edges) outside(n int, c *timeline.Coverage, own string, from, to Place, x int) {
	side := 1
	if x < from.X {
		side = -1
	}
	end := to.X + side*StateWide/2
	y := to.Y
	if to.Y < 60 {
		y -= 6 // CLOSED has others at its side
	}
	fmt.Fprintf(&d.lines, `<path class="p%s" d="M%d %d H%d V%d H%d"/>`+"\n", own, from.X+side*StateWide/2, from.Y, x, y, end+side*8)
	d.head(own, point{float64(end), float64(y)}, point{float64(end + side*8), float64(y)})
	d.number(n, c, point{float64(x), float64(from.Y+y) / 2})
}

// number is a transition's, above all lines.
func (d *edges) number(n int, c *timeline.Coverage, at point) {
	class := "nf"
	if c.Seen {
		class = "nb"
	}
	fmt.Fprintf(&d.labels, `<circle class="%s" cx="%.1f" cy="%.1f" r="11"/><text class="t s mid" x="%[2]f" y="%.1[4]f">%d</text>`+"\n", class, at.x, at.y, at.y+4, n)
}
