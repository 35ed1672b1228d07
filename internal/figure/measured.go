package figure

import (
	"fmt"
	"io"
	"strings"

	"socklife/internal/timeline"
	"socklife/internal/view"
)

// Measured writes the state diagram as a tour saw it on this kernel: each transition that was seen with a number, and
// below it what brought it about, and in which scenario; those of RFC 9293 that were not seen are faint.
func Measured(w io.Writer, head string, table []*timeline.Coverage) error {
	p := &page{y: 40}
	p.text(24, p.y, "h1", "TCP's states, as measured")
	p.y += 28
	p.y += p.lines(24, p.y, "h2", width-48, 15, view.Clean(head)) * line
	p.text(24, p.y, "s", "The list below says what brought each transition about and, in parentheses, the scenario that showed it. Faint: in RFC 9293, and not seen here.")
	p.y += 18
	fmt.Fprintf(&p.b, `<g id="states" transform="translate(%d %d)">`+"\n", (width-StatesWidth)/2, p.y)
	p.b.WriteString(measuredStates(table))
	p.b.WriteString("</g>\n")
	p.y += StatesHeight + 30
	p.measuredList(table)
	_, err := io.WriteString(w, p.standalone("TCP's states, as measured", "The state diagram of TCP, RFC 9293, with the transitions that were seen. "+head))
	return err
}

// steps are the rows of the table that are transitions.
func steps(table []*timeline.Coverage) (list []*timeline.Coverage) {
	for _, c := range table {
		if c.State == 0 {
			list = append(list, c)
		}
	}
	return list
}

// measuredStates are the transitions and the eleven states.
func measuredStates(table []*timeline.Coverage) string {
	var lines, labels, boxes strings.Builder
	d := &edges{taken: map[lane]int{}}
	for _, seen := range []bool{false, true} { // those that were seen lie above the others
		for i, c := range steps(table) {
			if c.Seen == seen {
				d.measured(i+1, c)
			}
		}
	}
	lines.WriteString(d.lines.String())
	labels.WriteString(d.labels.String())
	for _, c := range table {
		if c.State == 0 {
			continue
		}
		at, class, text := Places[c.State], "n", "mid faint"
		if c.Seen {
			class, text = "n on", "mid b"
		}
		fmt.Fprintf(&boxes, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="8"/><text x="%d" y="%d" class="t %s">%s</text>`+"\n",
			class, at.X-StateWide/2, at.Y-StateHigh/2, StateWide, StateHigh, at.X, at.Y+5, text, c.State)
	}
	return lines.String() + boxes.String() + labels.String()
}

// measuredList says of each transition what brought it about and where it was seen, or why not.
func (p *page) measuredList(table []*timeline.Coverage) {
	for i, c := range steps(table) {
		class := "s"
		if c.Seen {
			class = ""
		}
		p.text(24, p.y, "m", "")
		p.text(28, p.y, class+" b", fmt.Sprintf("%2d", i+1))
		p.text(64, p.y, class, fmt.Sprintf("%s → %s", c.From, c.To))
		p.y += p.lines(330, p.y, class, width-330-24, textSize, measuredSays(c)) * line
		p.y += 4
	}
}

// measuredSays is what was seen of a transition, in words.
func measuredSays(c *timeline.Coverage) string {
	if !c.Seen {
		return "not seen: " + view.Clean(c.WhyNot)
	}
	if len(c.Causes) == 0 {
		return fmt.Sprintf("seen in %s (%s); what brought it about was not", view.Clean(c.Scenario), view.Clean(c.Source))
	}
	return view.Clean(strings.Join(CausesOf(c), ", ")) + "; " + view.Clean(c.Source)
}

// CausesOf are what brought a transition about, each with a scenario in which that was seen: "close() (half-close)".
func CausesOf(c *timeline.Coverage) (list []string) {
	for _, by := range c.Causes {
		list = append(list, by.By+" ("+by.Scenario+")")
	}
	return list
}

// Says is what is known of a transition: what brought it about, or where it was seen, or why it was not.
func Says(c *timeline.Coverage) string {
	switch by := strings.Join(CausesOf(c), ", "); {
	case !c.Seen:
		return "not seen: " + c.WhyNot
	case by != "":
		return by
	}
	return "seen in " + c.Scenario + ", but not what brought it about"
}

// MeasuredMermaid writes the same as a stateDiagram-v2.
func MeasuredMermaid(w io.Writer, table []*timeline.Coverage) error {
	var b, classes strings.Builder
	b.WriteString("stateDiagram-v2\n")
	id := func(s fmt.Stringer) string { return "s_" + strings.ReplaceAll(s.String(), "-", "_") }
	for _, c := range table {
		if c.State == 0 {
			continue
		}
		fmt.Fprintf(&b, "    state \"%s\" as %s\n", c.State, id(c.State))
		if !c.Seen {
			fmt.Fprintf(&classes, "    class %s faint\n", id(c.State))
		}
	}
	for _, c := range steps(table) {
		says := "not seen"
		if c.Seen {
			if says = strings.Join(CausesOf(c), ", "); says == "" {
				says = "seen in " + c.Scenario
			}
		}
		fmt.Fprintf(&b, "    %s --> %s : %s\n", id(c.From), id(c.To), mermaidText(says, mostText))
	}
	if classes.Len() > 0 {
		b.WriteString("    classDef faint opacity: 0.4\n" + classes.String())
	}
	_, err := fmt.Fprintf(w, "```mermaid\n%s```\n", b.String())
	return err
}
