package scenario

import (
	"context"
	"sync"

	"socklife/internal/lab"
	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// tap sees every packet on the wire and what becomes of it, and tells the timeline, and the capture if there is one.
type tap struct {
	run     *run
	mu      sync.Mutex
	flows   segment.Flows
	first   map[uint64]segment.Seen // of packets that come again: held, delayed
	packets []lab.Packet            // each as it was first seen, without its payload's bytes
	more    chan struct{}           // closed when there is another
	asked   int                     // keepalive probes
}

func newTap(r *run) *tap {
	return &tap{run: r, first: map[uint64]segment.Seen{}, more: make(chan struct{})}
}

// report is called by the wire, which stands still meanwhile.
func (t *tap) report(p lab.Packet) {
	if c := t.run.cfg.Wire.Pcap; c != nil {
		c.Write(p)
	}
	if p.ICMP != nil {
		t.run.log.Add(timeline.Wire, p.At, &timeline.Note{Text: p.From.String() + " sends " + p.ICMP.String() + ": " + p.Fate.String()})
		return
	}
	t.mu.Lock()
	seen, again := t.first[p.ID]
	if !again {
		seen = t.flows.Add(p.Seen, p.Segment)
		t.keep(p)
		if seen.Analysis.Has(segment.KeepAlive) {
			t.asked++
		}
	}
	waits := p.Fate == lab.Held || p.Fate == lab.Delayed || p.Fate == lab.Reordered
	if waits {
		t.first[p.ID] = withoutData(seen)
	} else {
		delete(t.first, p.ID)
	}
	t.mu.Unlock()
	t.run.log.Add(timeline.Wire, p.At, t.event(p, seen))
}

// withoutData keeps all of a segment but the bytes of its data, which are the wire's.
func withoutData(s segment.Seen) segment.Seen {
	s.Segment.Missing, s.Segment.Payload = s.Segment.Len(), nil
	return s
}

// keep remembers a packet, for the lesson to wait for and to count.
func (t *tap) keep(p lab.Packet) {
	t.packets = append(t.packets, p.Clone())
	close(t.more)
	t.more = make(chan struct{})
}

// event is the packet as the timeline has it.
func (t *tap) event(p lab.Packet, seen segment.Seen) *timeline.Segment {
	e := segmentEvent(seen, sideOf(p.From), t.run.cfg.AbsoluteSeq)
	e.Fate = fateOf(p.Fate)
	if p.By == lab.ByInjected {
		e.Marks = append(e.Marks, "injected")
	}
	return e
}

// fateOf is the word of the contract: what waits for a decision or for its time is held.
func fateOf(f lab.Fate) string {
	switch f {
	case lab.Delivered:
		return "delivered"
	case lab.Duplicated:
		return "duplicated"
	case lab.Dropped:
		return "dropped"
	}
	return "held"
}

func sideOf(s lab.Side) timeline.Side {
	if s == lab.Server {
		return timeline.Server
	}
	return timeline.Client
}

// await waits for the nth packet that fits.
func (t *tap) await(ctx context.Context, n int, fits func(lab.Packet) bool) (lab.Packet, bool) {
	for {
		t.mu.Lock()
		more := t.more
		for found, i := 0, 0; i < len(t.packets); i++ {
			if fits(t.packets[i]) {
				if found++; found == n {
					defer t.mu.Unlock()
					return t.packets[i], true
				}
			}
		}
		t.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return lab.Packet{}, false
		}
	}
}

// probes is how many keepalive probes there were.
func (t *tap) probes() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked
}

func (t *tap) count(m lab.Match) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.packets {
		if m.Fits(p) {
			n++
		}
	}
	return n
}
