package figure

import (
	"fmt"
	"strings"

	"socklife/internal/timeline"
)

// headLong is how long an arrow's head is.
const headLong = 10

// arrow draws a segment from one end's line to the other's, with what it says above, and below what there is more. It
// ends on the way where it was lost or is held, or where nothing shows that it came.
func (p *page) arrow(r row) {
	from, to, sign := clientLine+6, serverLine-6, 1
	if r.side == timeline.Server {
		from, to, sign = to, from, -1
	}
	if !r.arrow.Inferred {
		p.time(r.at)
	}
	class := "a"
	if r.arrow.Inferred {
		class += " dash"
	}
	says, way := r.says, 100
	switch fate := r.arrow.Fate; {
	case fate == "dropped", fate == "held":
		says, way = says+" ("+fate+")", 72
	case fate == "duplicated":
		says += " (duplicated)"
	case r.arrow.Open:
		way = 72
	}
	mid, room := (clientLine+serverLine)/2, serverLine-clientLine-24
	n := p.lines(mid, p.y+13, "mid s", room, smallSize, says)
	y := p.y + n*line + 3
	end := from + (to-from)*way/100
	fmt.Fprintf(&p.b, `<path class="%s" d="M%d %d H%d"/>`+"\n", class, from, y, end-sign*headLong/2)
	p.headAt(r, end, y, sign)
	if p.y = y + 9; r.arrow.Fate == "dropped" {
		p.y += 4 // the cross is higher than a head
	}
	if len(r.more) > 0 {
		p.y += p.lines(mid, p.y+6, "mid s", room, smallSize, strings.Join(r.more, ", "))*line + 2
	}
}

// headAt is the end of an arrow.
func (p *page) headAt(r row, x, y, sign int) {
	head := func(x int) {
		fmt.Fprintf(&p.b, `<path class="ah" d="M%d %d l%d -5 v10 z"/>`+"\n", x, y, -sign*headLong)
	}
	switch {
	case r.arrow.Fate == "dropped":
		fmt.Fprintf(&p.b, `<path class="lost" d="M%d %d l12 12 m0 -12 l-12 12"/>`+"\n", x-6, y-6)
	case r.arrow.Fate == "held":
		fmt.Fprintf(&p.b, `<path class="a" d="M%d %d v12"/>`+"\n", x, y-6)
	case r.arrow.Open:
		fmt.Fprintf(&p.b, `<path class="a" d="M%d %d l%d 5 l%d 5"/>`+"\n", x-sign*headLong, y-5, sign*headLong, -sign*headLong)
	case r.arrow.Fate == "duplicated":
		head(x - sign*headLong)
		head(x)
	default:
		head(x)
	}
}
