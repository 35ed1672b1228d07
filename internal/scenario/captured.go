package scenario

import (
	"context"
	"fmt"
	"sync"

	"socklife/internal/capture"
	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// captured has the segments on this host's own interfaces beside the calls and states: watched, not held.
type captured struct {
	run     *run
	capture *capture.Capture
	flows   segment.Flows
	stop    func()
	lost    bool // the capture itself has lost segments
	err     error
}

// openCapture begins to watch, if the reader asked for it.
func (r *run) openCapture() error {
	if !r.cfg.Capture || r.cfg.Wire != nil {
		return nil
	}
	socket, err := capture.Open()
	if err != nil {
		return err
	}
	c := &captured{run: r, capture: socket}
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() { c.err = socket.Run(ctx, c.packet) })
	c.stop = func() { cancel(); reading.Wait() }
	r.captured = c
	r.log.SetLag(traceLag)
	return nil
}

// close ends the capture; what was seen until now is in the timeline then.
func (c *captured) close() error {
	if c == nil {
		return nil
	}
	c.stop()
	c.run.log.Flush()
	if err := c.capture.Close(); c.err == nil {
		return err
	}
	return c.err
}

// packet puts a segment into the timeline. What is not a whole segment is not ours to show, nor is what others send to
// the same port elsewhere.
func (c *captured) packet(p capture.Packet) {
	if p.Lost > 0 {
		c.lost = true
		c.run.log.Add(timeline.Wire, p.At, &timeline.Note{Text: fmt.Sprintf("%d segments are missing here: they came faster than they could be read", p.Lost)})
	}
	s, err := segment.Decode(p.Data)
	if err != nil {
		return
	}
	from, ours := c.run.whose(s.Src, s.Dst)
	if !ours {
		return
	}
	seen := c.flows.Add(p.At, s)
	if c.lost { // it cannot be told from a segment that the network lost
		seen.Analysis &^= segment.LostSegment | segment.AckLostSegment
	}
	e := segmentEvent(seen, from, c.run.cfg.AbsoluteSeq)
	c.run.log.Add(timeline.Wire, p.At, e)
}

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
	if names := seen.Analysis.String(); names != "" {
		e.Marks = []string{names}
	}
	return e
}
