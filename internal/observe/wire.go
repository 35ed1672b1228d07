package observe

import (
	"context"
	"sync"

	"socklife/internal/lab"
	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// SegmentLog has every packet on the wire, and what becomes of it, put into the timeline, and into a capture if there
// is one. It remembers them, to be waited for and counted.
type SegmentLog struct {
	log      *timeline.Log
	absolute bool
	pcap     *Pcap // or nil

	mu      sync.Mutex
	flows   segment.Flows
	first   map[uint64]segment.Seen // of packets that come again: held, delayed
	packets []lab.Packet            // each as it was first seen, without its payload's bytes
	more    chan struct{}           // closed when there is another
	asked   int                     // keepalive probes
}

// NewSegmentLog returns one that has seen nothing yet. absolute has sequence numbers shown as they are; pcap may be
// nil.
func NewSegmentLog(log *timeline.Log, absolute bool, pcap *Pcap) *SegmentLog {
	return &SegmentLog{log: log, absolute: absolute, pcap: pcap, first: map[uint64]segment.Seen{}, more: make(chan struct{})}
}

// Report is called by the wire, which stands still meanwhile.
func (l *SegmentLog) Report(p lab.Packet) {
	if l.pcap != nil {
		l.pcap.Write(p)
	}
	if p.ICMP != nil {
		l.log.Add(timeline.Wire, p.At, &timeline.Note{Text: p.From.String() + " sends " + p.ICMP.String() + ": " + p.Fate.String()})
		return
	}
	l.mu.Lock()
	seen, again := l.first[p.ID]
	if !again {
		seen = l.flows.Add(p.Seen, p.Segment)
		l.keep(p)
		if seen.Analysis.Has(segment.KeepAlive) {
			l.asked++
		}
	}
	waits := p.Fate == lab.Held || p.Fate == lab.Delayed || p.Fate == lab.Reordered
	if waits {
		l.first[p.ID] = withoutData(seen)
	} else {
		delete(l.first, p.ID)
	}
	l.mu.Unlock()
	l.log.Add(timeline.Wire, p.At, l.event(p, seen))
}

// withoutData keeps all of a segment but the bytes of its data, which are the wire's.
func withoutData(s segment.Seen) segment.Seen {
	s.Segment.Missing, s.Segment.Payload = s.Segment.Len(), nil
	return s
}

// keep remembers a packet, for the lesson to wait for and to count.
func (l *SegmentLog) keep(p lab.Packet) {
	l.packets = append(l.packets, p.Clone())
	close(l.more)
	l.more = make(chan struct{})
}

// event is the packet as the timeline has it.
func (l *SegmentLog) event(p lab.Packet, seen segment.Seen) *timeline.Segment {
	e := segmentEvent(seen, sideOf(p.From), l.absolute)
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

// Await waits for the nth packet that fits.
func (l *SegmentLog) Await(ctx context.Context, n int, fits func(lab.Packet) bool) (lab.Packet, bool) {
	for {
		l.mu.Lock()
		more := l.more
		for found, i := 0, 0; i < len(l.packets); i++ {
			if fits(l.packets[i]) {
				if found++; found == n {
					defer l.mu.Unlock()
					return l.packets[i], true
				}
			}
		}
		l.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return lab.Packet{}, false
		}
	}
}

// Probes is how many keepalive probes there were.
func (l *SegmentLog) Probes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

// Count is how many that fit there were.
func (l *SegmentLog) Count(m lab.Match) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.packets {
		if m.Fits(p) {
			n++
		}
	}
	return n
}

// Line is a packet in one line, numbered as the timeline numbers it.
func (l *SegmentLog) Line(p lab.Packet) string { return l.numbered(p).Line() }
