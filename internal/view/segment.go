package view

import (
	"slices"
	"strings"

	"socklife/internal/timeline"
)

// The fates that a segment's arrow shows; another one is said in words.
const (
	delivered  = "delivered"
	dropped    = "dropped"
	held       = "held"
	duplicated = "duplicated"
)

// notPlain are those with a word of their own on the arrow.
var notPlain = []string{dropped, held, duplicated}

// segment is an arrow across both lanes from the sender to the receiver, with what the segment says in its middle. One
// that did not arrive ends on the way, with its fate. What does not fit stands below.
func (s symbols) segment(b *timeline.Segment, width int) (lines []text) {
	says := wrap(text(nil).add(plain, s.segmentText(b)), width-4-shortest-farShaft(b.Fate), 0, 0)
	lines = append(lines, s.arrowAround(says[0], b, width))
	for _, more := range says[1:] {
		lines = append(lines, append(text(nil).pad((width-more.width())/2), more...))
	}
	return lines
}

// arrowAround draws what the client sent from left to right, and what the server sent from right to left.
func (s symbols) arrowAround(says text, b *timeline.Segment, width int) text {
	leftwards := b.From == timeline.Server
	tail, head := s.tail, s.head
	if leftwards {
		tail, head = s.tailLeft, s.headLeft
	}
	shafts := width - says.width() - 4
	near := shafts / 2
	if leftwards {
		near = shafts - near
	}
	near = min(near, shafts-farShaft(b.Fate))
	space := text(nil).add(plain, " ")
	start := text(nil).add(dim, tail)
	parts := append([]text{start, s.shaft(near), space, says, space}, s.end(b.Fate, head, shafts-near)...)
	if leftwards {
		slices.Reverse(parts)
	}
	return text(nil).join("", parts...)
}

// shortest is the least length of an arrow's shaft on either side of the text.
const shortest = 3

// farShaft is the least length on the receiver's side, where the fate stands too.
func farShaft(fate string) int {
	if slices.Contains(notPlain, fate) {
		return len(duplicated) + 7
	}
	return shortest
}

// fate is what an arrow ends with, and the word for it where it did not just arrive.
func (s symbols) fate(fate, head string) (mark, word text) {
	switch fate {
	case dropped:
		return text(nil).add(bad, s.lost), text(nil).add(bad, fate)
	case held:
		return text(nil).add(dim, s.stopped), text(nil).add(strong, fate)
	case duplicated:
		return text(nil).add(dim, head+head), text(nil).add(strong, fate)
	}
	return text(nil).add(dim, head), nil
}

// end is the receiver's end of an arrow, n columns and a head, in the order from the sender to the receiver.
func (s symbols) end(fate, head string, n int) []text {
	mark, word := s.fate(fate, head)
	space := text(nil).add(plain, " ")
	switch fate {
	case dropped, held:
		return []text{s.shaft(2), mark, space, word, text(nil).pad(n - 3 - len(word))}
	case duplicated:
		return []text{s.shaft(2), space, word, space, s.shaft(n - 5 - len(word)), mark}
	}
	return []text{s.shaft(n), mark}
}

func (s symbols) shaft(n int) text { return text(nil).add(dim, strings.Repeat(s.dash, max(0, n))) }

// segmentInLane is a segment where there is one lane: its sender stands before it.
func (s symbols) segmentInLane(b *timeline.Segment) text {
	mark, word := s.fate(b.Fate, s.head)
	return s.shaft(2).join("", mark).add(plain, " "+s.segmentText(b)).join(" ", word)
}

// segmentText is [timeline.Segment.Line] with the places where it may be broken, and a fate that the arrow does not
// show.
func (s symbols) segmentText(b *timeline.Segment) string {
	says := s.clean(b.Numbers())
	if news := b.News(); len(news) > 0 {
		says += " <" + s.options(news) + ">"
	}
	for _, m := range b.Marks {
		says += " [" + s.clean(m) + "]"
	}
	if b.Fate != "" && b.Fate != delivered && !slices.Contains(notPlain, b.Fate) {
		says += " " + s.clean(b.Fate)
	}
	return says
}

// options lets a line of mss 65495, sackOK, TS val 7 ecr 0 end between two options, and not within one but for a sack's
// blocks {10:20} {30:40}.
func (s symbols) options(list []string) string {
	whole := make([]string, len(list))
	for i, o := range list {
		whole[i] = strings.ReplaceAll(glued(s.clean(o)), "}"+string(nbsp), "} ")
	}
	return strings.Join(whole, ", ")
}
