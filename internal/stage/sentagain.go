package stage

import (
	"time"

	"socklife/internal/lab"
	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// ecn is what a SYN offers only once: sent again it goes without (RFC 3168, 6.1.1.1).
const ecn = segment.ECE | segment.CWR

// AwaitSentAgain waits until the sender of a segment has sent it once more, whatever became of that.
func (w *Wire) AwaitSentAgain(p lab.Packet) lab.Packet {
	ctx, cancel := w.run.bounded(nil)
	defer cancel()
	again, ok := w.segments.Await(ctx, 1, func(a lab.Packet) bool {
		return a.From == p.From && a.ID > p.ID && a.By != lab.ByInjected && a.Segment.Src == p.Segment.Src && a.Segment.Dst == p.Segment.Dst &&
			a.Segment.Seq == p.Segment.Seq && a.Segment.Flags&^ecn == p.Segment.Flags&^ecn
	})
	if !ok {
		w.run.unmet()
		w.run.check(timeline.Wire, time.Time{}, "sent again: "+p.Segment.String(), "it was not", false)
		w.run.fail(timeout{"the segment once more", w.run.cfg.Timeout})
	}
	w.arrived(again)
	return again
}
