package view

import "socklife/internal/timeline"

// fold leaves out what is beside the lesson: how both sides agree on the next step. A line stands for what comes before
// anything else is shown; what only follows from a line above has none.
type fold struct {
	open    bool                  // the last thing shown is such a line
	told    bool                  // that there is a side connection
	ended   bool                  // that it closes
	unheard map[timeline.Side]int // bytes that were said to a side, and that it has not read
}

// takes tells whether an event is left out, and what is said in its place, if anything.
func (f *fold) takes(b timeline.Body, side timeline.Side) (aside bool, says string) {
	if s, is := b.(*timeline.State); is && f.unread(side, s) {
		return true, ""
	}
	label := timeline.LabelOf(b)
	if label == nil || !label.Aside {
		return false, ""
	}
	if c, ok := b.(*timeline.Call); ok {
		says = f.call(side, c)
	}
	if f.open {
		return true, ""
	}
	f.open = says != ""
	return true, says
}

// unread says whether all that a state has to tell is a word to agree by, which its side has not read yet: where the
// word and the read() are left out, nobody would know what that is.
func (f *fold) unread(side timeline.Side, s *timeline.State) bool {
	n := f.unheard[side]
	return n > 0 && s.From == s.To && s.RecvQ != nil && int(*s.RecvQ) == n && s.Timer == "" && len(s.Shutdown) == 0
}

// call is what a call is to the other side: a connection to agree over, a word, or the end.
func (f *fold) call(side timeline.Side, c *timeline.Call) string {
	switch c.Call {
	case "socket", "connect", "accept4":
		if f.told {
			return ""
		}
		f.told = true
		return "both sides agree over a connection of their own (--all shows it)"
	case "write":
		if f.unheard == nil {
			f.unheard = map[timeline.Side]int{}
		}
		f.unheard[side.Other()] += max(0, c.Ret)
		return "both sides agree on the next step"
	case "read":
		if c.Ret <= 0 {
			return ""
		}
		if heard := f.unheard[side] >= c.Ret; heard {
			f.unheard[side] -= c.Ret
			return ""
		}
		return "both sides agree on the next step"
	case "close":
		if f.ended || c.Name == "" {
			return ""
		}
		f.ended = true
		return "both sides close the connection over which they agreed"
	}
	return ""
}

// folds tells whether an event is left out; a line may stand in its place.
func (t *Terminal) folds(e timeline.Event) bool {
	if t.o.All {
		return false
	}
	aside, says := t.fold.takes(e.Body, e.Side)
	if says != "" {
		t.endBulk()
		t.showPairs()
		t.head()
		t.across(t.when(e, true), wrap(text(nil).add(dim, t.s.more+" "+says), t.l.fullWidth(), 0, 2))
		t.write()
	}
	return aside
}
