package view

import (
	"cmp"
	"slices"
	"time"

	"socklife/internal/ladder"
	"socklife/internal/timeline"
)

// inferred shows what the next event shows of segments, which nobody has seen, and the event.
func (t *Terminal) inferred(rows []ladder.Row) {
	for _, r := range rows {
		if r.Arrow == nil {
			t.event(r.Event)
			continue
		}
		if r.Arrow.Aside && !t.o.All {
			continue
		}
		t.endBulk()
		t.fold.open = false
		if !t.mayStandAbovePairs(r) {
			t.showPairs()
		}
		t.head()
		t.arrow(r.Arrow)
		t.write()
	}
	if t.live.Keeps() && !t.o.Recorded {
		if t.liveTimer == nil {
			t.liveTimer = time.AfterFunc(liveWait*t.wait, t.Flush)
		} else {
			t.liveTimer.Reset(liveWait * t.wait)
		}
	}
}

// liveWait is how many times longer than what belongs together an event waits for what shows a segment above it.
const liveWait = 7

// mayStandAbovePairs says whether all that a look has found, and that is not shown yet, was found after a segment was
// sent: so that the states of both ends that go with it stay side by side.
func (t *Terminal) mayStandAbovePairs(r ladder.Row) bool {
	if r.Since.IsZero() {
		return false
	}
	for _, p := range t.pairs {
		for _, f := range append(slices.Clone(p[0]), p[1]...) {
			unsent := f.state != nil && f.Side == r.Arrow.From && f.state.SendQ != nil && *f.state.SendQ > 1
			if f.Time.Before(r.Since) || unsent {
				return false
			}
		}
	}
	return true
}

// arrow draws a segment that was inferred. It has no time of its own.
func (t *Terminal) arrow(a *ladder.Arrow) {
	s, b := t.s, &timeline.Segment{From: a.From}
	s.dash = s.dashed
	if a.Open {
		s.head, s.headLeft = s.open, s.openLeft
	}
	says := text(nil).add(plain, s.clean(a.Says))
	if tag := t.arrowTag(a); tag != "" {
		says = says.add(plain, " ").add(t.tags.hue(tag), s.clean(tag))
	}
	if t.l.lanes == 2 {
		t.across("", []text{s.arrowAround(says, b, t.l.fullWidth())})
	} else {
		t.lane(a.From, "", wrap(s.shaft(2).add(dim, s.head+" ").join("", says), t.l.lane, 0, 4))
	}
	if t.dashed {
		return
	}
	t.dashed = true
	for _, line := range wrap(text(nil).add(dim, s.clean(s.dashedSays)), t.l.fullWidth(), 0, 0) {
		t.across("", []text{append(text(nil).pad((t.l.fullWidth()-line.width())/2), line...)})
	}
}

// arrowTag tells which connection an arrow is of, where there are several.
func (t *Terminal) arrowTag(a *ladder.Arrow) string {
	if a.Name != "" {
		return written(a.Name)
	}
	client := cmp.Or(a.Ends.Local, a.Ends.Remote)
	if a.From == timeline.Server {
		client = a.Ends.Remote
	}
	if t.o.ManyConns && client.Port() != 0 {
		return port(client)
	}
	return ""
}
