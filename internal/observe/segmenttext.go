package observe

import (
	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// segmentEvent is a segment as the timeline has it.
func segmentEvent(seen segment.Seen, from timeline.Side, absolute bool) *timeline.Segment {
	s := seen.Segment
	seq, ack := seen.Seq, seen.Ack
	if absolute {
		seq, ack = s.Seq, s.Ack
	}
	e := &timeline.Segment{
		Src: s.Src, Dst: s.Dst, Flags: s.Flags.Names(),
		Seq: seq, Len: s.Len(), Win: uint32(seen.Window), Unscaled: !seen.Scaled && seen.Window > 0,
		Options: s.Options.StringsRelative(ack - s.Ack), From: from,
	}
	if s.Flags.Has(segment.ACK) {
		e.Ack = &ack
	}
	if seen.OneOrigin && !absolute {
		e.SeqBase = &seen.SeqBase
		if e.Ack != nil {
			e.AckBase = &seen.AckBase
		}
	}
	if names := seen.Analysis.String(); names != "" {
		e.Marks = []string{names}
	}
	return e
}
