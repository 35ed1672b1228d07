package view

import (
	"bytes"
	"io"
	"net/netip"
	"sync"
	"time"

	"socklife/internal/explain"
	"socklife/internal/ladder"
	"socklife/internal/timeline"
)

// pairWait is how long a Terminal waits for what the same look found of the other end.
func pairWait() time.Duration {
	if d, err := time.ParseDuration(waits); err == nil {
		return d
	}
	return 15 * time.Millisecond
}

// waits is set at link time (-X) by the test that compares a run with its record, whose view waits for nothing: on a
// busy machine a look takes longer than this one waits.
var waits string

// sameMoment is how much later than the time above something may be without showing its own.
const sameMoment = time.Millisecond

// Terminal is a sink that draws two lanes, the client's and the server's, as lines of text.
type Terminal struct {
	mu  sync.Mutex
	w   io.Writer
	err error

	o          Options
	l          layout
	s          symbols
	p          palette
	localShown map[netip.AddrPort]bool // local addresses that have been shown
	counted    map[string]bool         // counters of this run whose sentence has been shown
	sockets    sockets
	pairs      pairs
	live       *ladder.Live // nil if nothing is inferred
	dashed     bool         // what a dashed arrow is has been said
	timer      *time.Timer  // of the pairs
	liveTimer  *time.Timer  // of what live keeps
	wait       time.Duration
	lives      lives
	started    bool          // the title is out
	introduced bool          // so are the question and what to watch
	headed     bool          // the lanes' heads are out
	explained  bool          // so is where states come from
	zero       string        // when time 0 is, still to be said
	tabled     bool          // the coverage table's head is out
	blank      bool          // the last line is empty
	above      timeline.Side // whose the last line is
	differs    [2][]int      // what is shown next, in which lane, is marked: see Options.Differs
	bulk       bulk
	fold       fold
	tags       tags
	shown      time.Time // the last time on a line
	out        bytes.Buffer
}

// New returns a sink that writes to w.
func New(w io.Writer, o Options) *Terminal {
	t := &Terminal{w: w, o: o, l: newLayout(o), s: newSymbols(o.ASCII), p: newPalette(o.Color),
		localShown: map[netip.AddrPort]bool{}, counted: map[string]bool{}, sockets: sockets{}, wait: pairWait(), blank: true}
	if o.Infer && t.l.alone == "" {
		t.live = ladder.NewLive()
	}
	return t
}

// Event shows an event. What a look found may wait a few milliseconds for what it found of the other end; see Flush.
func (t *Terminal) Event(e timeline.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live != nil {
		t.inferred(t.live.Next(e))
		return
	}
	t.event(e)
}

func (t *Terminal) event(e timeline.Event) {
	if t.folds(e) {
		return
	}
	t.fold.open = false
	if s, ok := e.Body.(*timeline.Segment); ok && ordinary(s) {
		if t.bulk.takes(s) {
			return
		}
	} else {
		t.endBulk()
	}
	switch b := e.Body.(type) {
	case *timeline.State:
		t.lives.add(e.Side, b)
		t.find(&finding{Event: e, state: b, before: t.sockets.remember(b)})
		return
	case *timeline.Queue:
		t.find(&finding{Event: e, queue: b})
		return
	case *timeline.Check:
		if sided(e.Side) {
			t.find(&finding{Event: e, check: b})
			return
		}
	}
	t.showPairs()
	t.mark(e, 0)
	t.show(e)
	t.differs = [2][]int{}
	t.write()
}

// Flush shows what is still waiting: before a prompt, and at the end.
func (t *Terminal) Flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live != nil {
		t.inferred(t.live.Flush())
	}
	t.endBulk()
	t.showPairs()
	t.write()
}

// Err is the first error of a write, or nil. After an error nothing more is written.
func (t *Terminal) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *Terminal) find(f *finding) {
	t.pairs.add(f)
	switch {
	case t.o.Recorded:
	case t.timer == nil:
		t.timer = time.AfterFunc(t.wait, t.flushPairs)
	case len(t.pairs) == 1:
		t.timer.Reset(t.wait)
	}
}

// flushPairs shows what looks have found: nothing has come that belongs to it.
func (t *Terminal) flushPairs() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endBulk()
	t.showPairs()
	t.write()
}

// showPairs shows what the last looks found, each row with its time unless the line above has the same.
func (t *Terminal) showPairs() {
	if len(t.pairs) == 0 {
		return
	}
	if t.timer != nil {
		t.timer.Stop()
	}
	t.head()
	for _, r := range t.pairs.rows() {
		when := ""
		if f := r.first(); f.check == nil {
			when = t.when(f.Event, false)
		}
		var sides [2]timeline.Side
		var blocks [2][]text
		for i, cell := range r {
			for _, f := range cell {
				t.mark(f.Event, len(blocks[i]))
				sides[i], blocks[i] = f.Side, append(blocks[i], t.finding(f)...)
			}
		}
		t.row(when, sides, blocks)
		t.differs = [2][]int{}
	}
	t.pairs = nil
}

// show shows everything else.
func (t *Terminal) show(e timeline.Event) {
	switch b := e.Body.(type) {
	case *timeline.Begin:
		t.begin(e)
	case *timeline.Enter:
		t.head()
		t.block(e, t.when(e, true), callBlock(t.named(enterText(b), b.Call, b.FD, b.Label), t.l.lane))
	case *timeline.Call:
		t.head()
		t.noteLocal(b)
		t.block(e, t.when(e, true), callBlock(t.named(callText(b), b.Call, b.FD, b.Label), t.l.lane))
	case *timeline.Segment:
		t.head()
		t.segment(e, b)
	case *timeline.Counter:
		t.head()
		t.block(e, t.when(e, false), t.counter(b, t.wide(e.Side)))
	case *timeline.Check:
		t.head()
		t.block(e, "", t.s.checkBlock(b, t.wide(e.Side)))
	case *timeline.Note:
		t.note(e, b)
	case *timeline.Table:
		t.head()
		t.space()
		t.across("", t.s.headingBlock(b.Title, t.l.fullWidth()))
		t.across("", t.s.tableBlock(b, t.l.fullWidth()))
		t.space()
	case *timeline.Coverage:
		t.coverage(b)
	case *timeline.Summary:
		t.title()
		t.space()
		t.lines(t.s.summaryBlock(b, t.l.width))
		t.takeaway(b)
		t.started, t.headed, t.lives = false, false, nil // what comes now is the next run's
		clear(t.counted)
		t.fold, t.tags = fold{}, tags{}
	}
}

// note is beside what it explains, or a paragraph of its own where it is about both sides.
func (t *Terminal) note(e timeline.Event, b *timeline.Note) {
	t.head()
	if b.Heading {
		t.space()
		t.across("", t.s.headingBlock(b.Text, t.l.fullWidth()))
		return
	}
	if !sided(e.Side) {
		t.space()
	}
	t.block(e, "", t.s.noteBlock(b, min(t.wide(e.Side), 76)))
}

// counter is a counter's rise and, the first time in a run that it rises, what makes it rise.
func (t *Terminal) counter(b *timeline.Counter, width int) []text {
	block := t.s.counterBlock(b, width)
	if _, says := explain.Counter(b.Name); says != "" && b.Delta > 0 && !t.counted[b.Name] {
		t.counted[b.Name] = true
		block = append(block, wrap(text(nil).add(dim, t.s.clean(says)), min(width, 76), 4, 4)...)
	}
	return block
}

func (t *Terminal) segment(e timeline.Event, b *timeline.Segment) {
	when := t.when(e, true)
	if t.l.lanes == 2 {
		t.across(when, t.s.segment(b, t.l.fullWidth()))
		return
	}
	e.Side = b.From
	if !sided(e.Side) {
		e.Side = timeline.Wire
	}
	t.lane(e.Side, when, wrap(t.s.segmentInLane(b), t.l.lane, 0, 4))
}

func (t *Terminal) coverage(b *timeline.Coverage) {
	t.title()
	if !t.tabled {
		t.tabled = true
		t.space()
		if head := t.s.coverageHead(); head.width() <= t.l.width {
			t.line(head)
		}
	}
	t.lines(t.s.coverageBlock(b, t.l.width))
}

// sided says whether an event is one end's and not the wire's.
func sided(s timeline.Side) bool { return s == timeline.Client || s == timeline.Server }

// wide is how much room a side's events have.
func (t *Terminal) wide(s timeline.Side) int {
	if sided(s) {
		return t.l.lane
	}
	return t.l.fullWidth()
}

// block shows an event in its side's lane, or across both.
func (t *Terminal) block(e timeline.Event, when string, block []text) {
	if !sided(e.Side) {
		t.across(when, block)
		return
	}
	t.lane(e.Side, when, block)
}

func (t *Terminal) across(when string, block []text) {
	t.lines(t.l.marked(t.l.full(when, block), t.differs))
	t.above = ""
}

func (t *Terminal) lane(side timeline.Side, when string, block []text) {
	var sides [2]timeline.Side
	var blocks [2][]text
	sides[lane(side)], blocks[lane(side)] = side, block
	t.row(when, sides, blocks)
}

func (t *Terminal) row(when string, sides [2]timeline.Side, blocks [2][]text) {
	t.lines(t.l.marked(t.l.row(when, t.above, sides, blocks), t.differs))
	for i, s := range sides {
		if blocks[i] != nil {
			t.above = s
		}
	}
}

// when is the time to show on a line, if it is worth showing.
func (t *Terminal) when(e timeline.Event, always bool) string {
	if !always && e.Time.Sub(t.shown) < sameMoment { // also what one look found a little before what stands above
		return ""
	}
	t.shown = e.Time
	return t.l.when(e)
}

func (t *Terminal) lines(lines []text) {
	for _, l := range lines {
		t.line(l)
	}
}

func (t *Terminal) line(l text) {
	s := t.p.paint(l)
	t.out.WriteString(s)
	t.out.WriteByte('\n')
	t.blank = s == ""
}

// space leaves one line empty.
func (t *Terminal) space() {
	if !t.blank {
		t.line(nil)
	}
}

// write hands over what has been drawn, in one Write.
func (t *Terminal) write() {
	if t.err == nil && t.out.Len() > 0 {
		_, t.err = t.w.Write(t.out.Bytes())
	}
	t.out.Reset()
}
