package docs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// numbered is what one end sent, in its own sequence space.
type numbered struct {
	syn, first, last, fin, acked uint32
	data                         bool
}

// numbersOf reads the sequence numbers of a half-close off a run.
func numbersOf(events []event) map[string]*numbered {
	all := map[string]*numbered{"client": {}, "server": {}}
	for _, e := range events {
		if e.Kind != "segment" || e.Fate == "held" {
			continue
		}
		n, other := all[e.Sender], all[map[string]string{"client": "server", "server": "client"}[e.Sender]]
		if slices.Contains(e.Flags, "SYN") {
			n.syn = e.Seq
		}
		if e.Len > 0 && !n.data {
			n.first, n.data = e.Seq, true
		}
		if e.Len > 0 {
			n.last = max(n.last, e.Seq+e.Len-1)
		}
		if slices.Contains(e.Flags, "FIN") {
			n.fin = e.Seq + e.Len
		}
		if slices.Contains(e.Flags, "ACK") {
			other.acked = max(other.acked, e.Ack)
		}
	}
	return all
}

// The ruler has the numbers of a run.
func TestTheRulerIsARun(t *testing.T) {
	beside(t)
	for range attempts { // of one that ends before the last ACK is delivered, another run tells
		n := numbersOf(eventsOf(t, onTheWire(t, "--wire half-close")))
		if n["server"].acked == n["server"].fin+1 {
			isFile(t, "sequence-numbers.svg", ruler(n))
			return
		}
	}
	t.Error("no run was seen to its end")
}

func ruler(all map[string]*numbered) string {
	p := &pen{}
	p.text(14, 26, "h", "Two sequence spaces, one for each direction")
	p.text(786, 26, "end", "echoc --wire half-close")
	var says []string
	y := 60
	for _, side := range sideNames {
		n := all[side]
		class, head := "active", "the client sends"
		if side == "server" {
			class, head = "passive", "the server sends"
		}
		p.text(14, y, "b", head)
		wide := 400
		if side == "server" {
			wide = 536
		}
		box := func(x, w int, class, what, from, to string) {
			fmt.Fprintf(p, `<rect class="%s" x="%d" y="%d" width="%d" height="36" rx="3"/>`+"\n", class, x, y+14, w)
			p.text(x+w/2, y+37, "mid b", what)
			if to == "" {
				p.text(x+w/2, y+68, "mid", from)
			} else {
				p.text(x+6, y+68, "", from)
				p.text(x+w-6, y+68, "end", to)
			}
		}
		x := 14
		box(x, 56, "open", "SYN", fmt.Sprint(n.syn), "")
		bytes := fmt.Sprintf("%d bytes of data", n.last-n.first+1)
		box(x+60, wide-4, class, bytes, fmt.Sprint(n.first), fmt.Sprint(n.last))
		box(x+60+wide, 72, "wait", "FIN", fmt.Sprint(n.fin), "")
		end := x + 60 + wide + 72
		fmt.Fprintf(p, `<path class="tick" d="M%d %dv52"/>`+"\n", end+6, y+8)
		p.text(end+14, y+37, "", fmt.Sprintf("ack=%d", n.acked))
		says = append(says, fmt.Sprintf("The %s's numbers: SYN %d; data %d to %d; FIN %d; the last ACK for it says %d", side, n.syn, n.first, n.last, n.fin, n.acked))
		y += 104
	}
	p.text(14, y-6, "p", fmt.Sprintf("Not to scale. Each direction counts for itself, from a number of its own: %d and %d cannot be compared.", all["client"].fin, all["server"].fin))
	return svgFile(800, y+12, "Sequence numbers of a half-close", strings.Join(says, ". ")+".", p.String())
}
