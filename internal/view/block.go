package view

import (
	"fmt"
	"strings"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Blocks are the lines that an event takes in a lane (or across both), wrapped to width.

// callBlock is a call; what it continues with is indented more than the states below it.
func callBlock(says text, width int) []text { return wrap(says, width, 0, 4) }

// found is what a look found, in the order it is shown.
type found struct {
	state   text   // ESTABLISHED → FIN-WAIT-2
	source  text   // (sock_diag)
	passed  text   // FIN-WAIT-1 passed unseen
	details []text // timer timewait 59.9 s
	local   text   // local 127.0.0.1:40112
}

// findingBlock is one line if there is room, else what is known beyond the state stands below it.
func findingBlock(f found, width int) (block []text) {
	const indent, hang = 2, 4
	details := text(nil).join(", ", f.details...)
	if len(f.state) == 0 {
		return wrap(details, width, indent, hang)
	}
	head := text(nil).join(string(nbsp), f.state, f.source)
	if indent+head.width() > width {
		head, details = f.state, text(nil).join(" ", details, f.source)
	}
	more := text(nil).join(", ", f.passed, details, f.local)
	if line := text(nil).join(string([]rune{nbsp, nbsp}), head, more); indent+line.width() <= width {
		return wrap(line, width, indent, hang)
	}
	block = wrap(head, width, indent, hang)
	for _, t := range []text{f.passed, details, f.local} {
		if len(t) > 0 {
			block = append(block, wrap(t, width, hang, hang)...)
		}
	}
	return block
}

// checkBlock is an expectation: met, or what was expected and what was got.
func (s symbols) checkBlock(c *timeline.Check, width int) []text {
	if c.OK {
		t := text(nil).add(good, s.yes).add(plain, " "+s.clean(c.Says()))
		return wrap(t, width, 0, len([]rune(s.yes))+1)
	}
	indent := len([]rune(s.no)) + 1
	hang := indent + len("expect ")
	t := text(nil).add(bad, s.no+" expect").add(plain, glued(" ")+s.clean(c.Expect))
	got := text(nil).add(bad, "got"+glued("    ")).add(plain, s.clean(c.Got))
	return append(wrap(t, width, 0, hang), wrap(got, width, indent, hang)...)
}

// noteBlock is a sentence of explanation.
func (s symbols) noteBlock(n *timeline.Note, width int) []text {
	return wrap(text(nil).add(dim, s.clean(n.Text)), width, 0, 0)
}

// counterBlock is a kernel counter's rise; it is everybody's, not this connection's.
func (s symbols) counterBlock(c *timeline.Counter, width int) []text {
	t := text(nil).add(plain, fmt.Sprintf("%s%c%+d", s.clean(c.Name), nbsp, c.Delta)).add(dim, " "+glued("(whole namespace)"))
	return wrap(t, width, 2, 4)
}

// summaryBlock is the last line of a run.
func (s symbols) summaryBlock(b *timeline.Summary, width int) []text {
	t := text(nil).add(strong, s.clean(b.Scenario)).add(plain, ": ")
	switch {
	case b.Why == timeline.Interrupted:
		t = t.add(strong, b.Why)
		if b.Checks > 0 {
			t = t.add(plain, fmt.Sprintf(" (until then %d of %s met)", b.Checks-b.Failed, plural(b.Checks, "check")))
		}
	case b.Failed > 0 && b.Options != "":
		t = t.add(bad, fmt.Sprintf("%d of %s differ", b.Failed, plural(b.Checks, "check"))).add(plain, ", with "+s.clean(b.Options))
	case b.Failed > 0:
		t = t.add(bad, fmt.Sprintf("%d of %s FAILED", b.Failed, plural(b.Checks, "check")))
	case !b.OK:
		t = t.add(bad, "FAILED").add(plain, ": it did not come to its end")
		if b.Checks > 0 {
			t = t.add(plain, fmt.Sprintf(" (%s until then, met)", plural(b.Checks, "check")))
		}
	case b.Checks == 0:
		t = t.add(plain, "done, nothing to check")
	case b.Checks == 1:
		t = t.add(good, "1 check, met")
	default:
		t = t.add(good, fmt.Sprintf("%d checks, all met", b.Checks))
	}
	return wrap(t, width, 0, 2)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// coverageHead and coverageBlock are the tour's table: a state or a transition, the scenario that showed it and the
// source, or why nothing did.
func (s symbols) coverageHead() text {
	return text(nil).add(dim, strings.Repeat(" ", s.markWide())+"state or transition").pad(s.coverageColumn()).add(dim, "seen in").
		pad(s.coverageColumn()+scenarioWide).add(dim, "by")
}

const scenarioWide = 20 // of a coverage row: the longest scenario's name and a gap

func (s symbols) markWide() int { return max(len([]rune(s.yes)), len([]rune(s.absent))) + 1 }

// coverageColumn is where the second column begins: after the longest transition.
func (s symbols) coverageColumn() int {
	return s.markWide() + len(tcpinfo.SynReceived.String())*2 + len([]rune(" "+s.arrow+" ")) + gap
}

func (s symbols) coverageBlock(c *timeline.Coverage, width int) []text {
	mark := text(nil).add(good, s.yes)
	if !c.Seen {
		mark = text(nil).add(dim, s.absent)
	}
	name := text(nil).add(strong, c.State.String())
	if c.State == 0 {
		name = text(nil).add(plain, c.From.String()).add(dim, " "+s.arrow+" ").add(plain, c.To.String())
	}
	line := mark.pad(s.markWide()).join("", name).pad(s.coverageColumn())
	second := text(nil).add(dim, s.clean(c.WhyNot))
	if c.Seen {
		second = text(nil).add(plain, s.clean(c.Scenario))
		if c.Source != "" {
			second = second.pad(scenarioWide-1).add(dim, " "+s.clean(c.Source))
		}
		if line.width()+second.width() <= width {
			return []text{append(line, second...)}
		}
	}
	column := s.coverageColumn()
	if column+24 > width || line.width() > column { // a narrow terminal: below
		return append(wrap(line, width, 0, s.markWide()), wrap(second, width, s.markWide(), s.markWide())...)
	}
	return layout{x: [2]int{0, column}}.sideBySide("", [2][]text{{line}, wrap(second, width-column, 0, 0)})
}
