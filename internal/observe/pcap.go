package observe

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"socklife/internal/capture"
	"socklife/internal/lab"
	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// Pcap is a capture of segments, as one host saw them or as both did, each an interface of its own: what a host sent
// stands on its side, when it sent it, and on the other's when, and if, it arrived there. Packets are in the order of
// their times. They wait a moment for what is said of them (it is a sink of the timeline too); one of which nothing has
// become yet waits, with what came after it, for its fate.
type Pcap struct {
	mu          sync.Mutex
	writer      *segment.PcapWriter
	began       time.Time
	views       []timeline.Side        // whose the interfaces are, by their numbers
	queue       []*pcapPacket          // about to be written, by time
	open        map[uint64]*pcapPacket // of these, by the packet's number, what was sent and nothing has become of yet
	said        []*remark              // of which it is not known yet where they stand
	words       func(timeline.Event) string
	told        map[timeline.Side]bool // of a call of that side it was said already that it was entered
	connections map[int]timeline.Ends  // by the number of a socket
	timer       *time.Timer
	closed      bool
	err         error
	failed      func(error) // called with the first error of the file
}

// pcapPacket is a packet that is about to be written.
type pcapPacket struct {
	segment.PcapPacket
	segment segment.Segment
	from    timeline.Side
	at      time.Time
	said    []string // of it, besides what became of it
}

// pcapWindow is how long a packet waits for what is said of it.
const pcapWindow = 100 * time.Millisecond

// PcapConfig says what a capture is of.
type PcapConfig struct {
	// Ends are whose views of the segments it holds; timeline.Wire is that of this host's own interfaces.
	Ends []timeline.Side
	// Words is an event in one line, for the comments.
	Words func(timeline.Event) string
	// Failed is called when the capture can not be written any more.
	Failed func(error)
}

// NewPcap begins a capture.
func NewPcap(w io.Writer, c PcapConfig) (*Pcap, error) {
	writer, err := segment.NewPcapWriter(w, segment.PcapInfo{Application: "echoc", OS: "Linux"})
	if err != nil {
		return nil, err
	}
	p := &Pcap{writer: writer, began: time.Now(), views: c.Ends, open: map[uint64]*pcapPacket{}, words: c.Words,
		told: map[timeline.Side]bool{}, connections: map[int]timeline.Ends{}, failed: c.Failed}
	for _, end := range c.Ends {
		about := segment.PcapInterface{Name: string(end), Description: "the " + string(end) + "'s host: what it sent, and what arrived there"}
		if end == timeline.Wire {
			about = segment.PcapInterface{Name: "any", Description: "this host's interfaces"}
		}
		if _, err := writer.AddInterface(about); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(pcapWindow, p.tick)
	return p, nil
}

// Close ends the capture and tells whether all of it could be written.
func (p *Pcap) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer.Stop()
	p.closed = true
	for _, sent := range p.open {
		sent.Comments = append(sent.Comments, "and never let go")
	}
	clear(p.open)
	p.settle(time.Time{})
	p.flush(time.Time{})
	var rest []string
	for _, r := range p.said {
		rest = append(rest, r.says())
	}
	p.failure(p.writer.Close(rest...))
	return p.err
}

// tick writes what has waited long enough.
func (p *Pcap) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	now := time.Now()
	p.settle(now)
	p.flush(now.Add(-pcapWindow))
	p.timer.Reset(pcapWindow / 4)
}

// Captured takes a segment that was on one of this host's interfaces.
func (p *Pcap) Captured(packet capture.Packet, s segment.Segment, from timeline.Side) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.enqueue(timeline.Wire, packet.At, &pcapPacket{segment: s, from: from, PcapPacket: segment.PcapPacket{Data: bytes.Clone(packet.Data)}})
}

// Missing says how many were not seen before what comes next.
func (p *Pcap) Missing(n uint32, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, &remark{kind: before, at: at, text: fmt.Sprintf("%d segments are missing here: they came faster than they could be read", n)})
}

// Write takes what the wire reports of a packet.
func (p *Pcap) Write(packet lab.Packet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	comment := packet.Fate.String()
	if packet.By != "" {
		comment += " by " + packet.By
	}
	// Its sender sent this one; copies and what is injected, the wire made.
	genuine := packet.CopyOf == 0 && packet.Number > 0
	switch packet.Fate {
	case lab.Held, lab.Delayed, lab.Reordered:
		if genuine {
			if sent := p.sent(packet, comment); sent != nil {
				p.open[packet.ID] = sent
			}
		}
	case lab.Dropped:
		if packet.By == lab.ByKernel {
			p.takeBack(packet.ID, comment)
		} else if genuine {
			p.sent(packet, comment)
		}
	case lab.Duplicated:
		p.came(packet, comment)
	case lab.Delivered:
		if genuine {
			p.sent(packet)
		}
		if packet.By != "" || packet.Late {
			p.came(packet, comment)
		} else {
			p.came(packet)
		}
	}
}

// sent has a packet on its sender's side; nil if that is not captured. What had been said of one that was held gives
// way to what became of it.
func (p *Pcap) sent(packet lab.Packet, comments ...string) *pcapPacket {
	sent := p.open[packet.ID]
	if sent == nil {
		sent = p.onSide(sideOf(packet.From), packet, segment.Outbound, packet.Seen)
	}
	delete(p.open, packet.ID)
	if sent != nil {
		sent.Comments = comments
	}
	return sent
}

// came has a packet on the other side.
func (p *Pcap) came(packet lab.Packet, comments ...string) {
	if came := p.onSide(sideOf(packet.From).Other(), packet, segment.Inbound, packet.At); came != nil {
		came.Comments = comments
	}
}

// takeBack: the receiving host refused a packet that was on its way in.
func (p *Pcap) takeBack(id uint64, comment string) {
	p.queue = slices.DeleteFunc(p.queue, func(q *pcapPacket) bool { return q.ID == id && q.Direction == segment.Inbound })
	for _, q := range p.queue {
		if q.ID == id {
			q.Comments = []string{comment}
		}
	}
}

// onSide puts a packet of the wire into the view of one end.
func (p *Pcap) onSide(end timeline.Side, packet lab.Packet, d segment.Direction, at time.Time) *pcapPacket {
	if !slices.Contains(p.views, end) {
		return nil
	}
	return p.enqueue(end, at, &pcapPacket{segment: packet.Segment, from: sideOf(packet.From),
		PcapPacket: segment.PcapPacket{Data: bytes.Clone(packet.Raw), Direction: d, ID: packet.ID}})
}

// enqueue puts a packet behind those that are as old.
func (p *Pcap) enqueue(end timeline.Side, at time.Time, q *pcapPacket) *pcapPacket {
	q.Interface, q.at = slices.Index(p.views, end), at
	q.Time = p.began.Round(0).Add(at.Sub(p.began)) // the order is that of the one clock that is never set
	q.segment.Payload = nil                        // which is the relay's
	i := len(p.queue)
	for i > 0 && p.queue[i-1].at.After(at) {
		i--
	}
	p.queue = slices.Insert(p.queue, i, q)
	return q
}

// flush writes what is older than a time, up to the first of which nothing has become yet; all of it if there is no
// time.
func (p *Pcap) flush(before time.Time) {
	n := 0
	for ; n < len(p.queue) && p.open[p.queue[n].ID] != p.queue[n] && (before.IsZero() || p.queue[n].at.Before(before)); n++ {
		q := p.queue[n]
		q.Comments = append(q.Comments, q.said...)
		p.failure(p.writer.WritePacket(q.PcapPacket))
	}
	p.queue = slices.Delete(p.queue, 0, n)
}

// failure keeps the first error.
func (p *Pcap) failure(err error) {
	if err != nil && p.err == nil {
		p.err = err
		p.failed(err)
	}
}
