package observe

import (
	"context"
	"encoding/hex"
	"sync"
	"time"

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

	mu       sync.Mutex
	flows    segment.Flows
	first    map[uint64]segment.Seen     // of packets that come again: held, delayed
	analyses map[uint64]segment.Analysis // of what the hosts sent, by its ID
	packets  []lab.Packet                // each as it was first seen, without its payload's bytes
	more     chan struct{}               // closed when there is another
	asked    int                         // keepalive probes
}

// NewSegmentLog returns one that has seen nothing yet. absolute has sequence numbers shown as they are; pcap may be
// nil.
func NewSegmentLog(log *timeline.Log, absolute bool, pcap *Pcap) *SegmentLog {
	return &SegmentLog{log: log, absolute: absolute, pcap: pcap, first: map[uint64]segment.Seen{}, analyses: map[uint64]segment.Analysis{}, more: make(chan struct{})}
}

// OneOrigin has the numbers of all connections between the same ports count from the SYNs of the first. It is called
// before there is a segment.
func (l *SegmentLog) OneOrigin() { l.flows.OneOrigin = true }

// Report is called by the wire, which stands still meanwhile.
func (l *SegmentLog) Report(p lab.Packet) {
	if p.ICMP != nil {
		l.write(p, &timeline.Note{Text: p.From.String() + " sends " + p.ICMP.String() + ": " + p.Fate.String()})
		return
	}
	l.mu.Lock()
	seen, again := l.first[p.ID]
	if !again {
		if p.CopyOf != 0 { // no host has sent it once more
			seen = l.flows.Of(p.Segment.Src, p.Segment.Dst).Relative(p.Segment)
			seen.Analysis = l.analyses[p.CopyOf]
		} else {
			seen = l.flows.Add(p.Seen, p.Segment)
			l.analyses[p.ID] = seen.Analysis
		}
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
	l.write(p, l.event(p, seen))
}

// write has the timeline say when that was: the wire has not delivered the packet yet, so that nothing of what comes of
// it can be before.
func (l *SegmentLog) write(p lab.Packet, body timeline.Body) {
	p.At = l.log.Add(timeline.Wire, time.Time{}, body)
	if l.pcap != nil {
		l.pcap.Write(p)
	}
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
	e.Fate, e.Header = fateOf(p.Fate), hex.EncodeToString(segment.HeaderOf(p.Raw))
	if p.By == lab.ByInjected {
		e.Injected = true
		e.Marks = append(e.Marks, "injected")
	}
	if p.By == lab.ByLate {
		e.Marks = append(e.Marks, "sent again because the wire was late")
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

// Await waits for the nth packet that fits and that a host sent.
func (l *SegmentLog) Await(ctx context.Context, n int, fits func(lab.Packet) bool) (lab.Packet, bool) {
	for {
		l.mu.Lock()
		more := l.more
		for found, i := 0, 0; i < len(l.packets); i++ {
			if sent(l.packets[i]) && fits(l.packets[i]) {
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

// sent tells whether a host sent it: copies, and what is injected, the wire made.
func sent(p lab.Packet) bool { return p.CopyOf == 0 && p.By != lab.ByInjected }

// Count is how many that fit were sent.
func (l *SegmentLog) Count(m lab.Match) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.packets {
		if sent(p) && m.Fits(p) {
			n++
		}
	}
	return n
}

// Line is a packet in one line, numbered as the timeline numbers it.
func (l *SegmentLog) Line(p lab.Packet) string { return l.numbered(p).Line() }
