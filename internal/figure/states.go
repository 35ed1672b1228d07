package figure

import (
	"fmt"
	"strings"

	"socklife/internal/rfc9293"
	"socklife/tcpinfo"
)

// Place is where a state stands in a drawing of the state diagram.
type Place struct{ X, Y int }

// Places are the middles of the eleven states, as in RFC 9293's figure 5: opening above, the end that closes first on
// the left, the other on the right. They are within StatesWidth and StatesHeight.
var Places = map[tcpinfo.State]Place{
	tcpinfo.Closed:      {560, 40},
	tcpinfo.Listen:      {860, 120},
	tcpinfo.SynSent:     {260, 170},
	tcpinfo.SynReceived: {860, 230},
	tcpinfo.Established: {560, 290},
	tcpinfo.FinWait1:    {260, 380},
	tcpinfo.CloseWait:   {860, 380},
	tcpinfo.FinWait2:    {190, 520},
	tcpinfo.Closing:     {500, 450},
	tcpinfo.LastAck:     {860, 510},
	tcpinfo.TimeWait:    {330, 620},
}

// The size of that drawing, and of a state in it.
const (
	StatesWidth, StatesHeight = 1120, 670
	StateWide, StateHigh      = 132, 34
)

// states draws the diagram below what there is.
func (p *page) states(paths *Paths) {
	p.text(24, p.y+16, "h3", "The way of each end through the states")
	p.text(24, p.y+36, "c", "client")
	p.text(90, p.y+36, "v", "server")
	p.text(24, p.y+56, "s", "A dashed box was passed between two looks, unseen; a faint one was not passed.")
	p.y += 66
	fmt.Fprintf(&p.b, `<g id="states" transform="translate(%d %d)">`+"\n", (width-StatesWidth)/2, p.y)
	p.b.WriteString(states(paths))
	p.b.WriteString("</g>\n")
	p.y += StatesHeight
}

// states are the edges that were walked, and the eleven states.
func states(paths *Paths) string {
	var b strings.Builder
	nodes := map[tcpinfo.State]*Node{}
	d := &edges{taken: map[lane]int{}}
	for i, way := range []*Way{&paths.Client, &paths.Server} {
		for _, n := range way.Nodes {
			if old := nodes[n.State]; old == nil || old.Unseen {
				nodes[n.State] = n
			}
		}
		for _, e := range way.Edges {
			d.draw(e, [2]string{"c", "v"}[i])
		}
	}
	b.WriteString(d.lines.String())
	for _, state := range rfc9293.States {
		at, class, text := Places[state], "n", "mid faint"
		switch n := nodes[state]; {
		case n == nil:
		case n.Unseen:
			class, text = "n on pe", "mid"
		default:
			class, text = "n on", "mid b"
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="8"/><text x="%d" y="%d" class="t %s">%s</text>`+"\n",
			class, at.X-StateWide/2, at.Y-StateHigh/2, StateWide, StateHigh, at.X, at.Y+5, text, state)
	}
	b.WriteString(d.labels.String())
	return b.String()
}
