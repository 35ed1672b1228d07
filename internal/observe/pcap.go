package observe

import (
	"bytes"
	"io"
	"slices"
	"sync"
	"time"

	"socklife/internal/lab"
	"socklife/internal/segment"
)

// Pcap is a capture of the wire, each host's side an interface of its own: what a host sent stands on its side, when it
// sent it, and on the other's when, and if, it arrived there. Packets are in the order of their times. One of which
// nothing has become yet waits, with what came after it, for its fate: that is said in a comment.
type Pcap struct {
	mu     sync.Mutex
	writer *segment.PcapWriter
	sides  map[lab.Side]int
	queue  []*segment.PcapPacket          // about to be written, by time
	open   map[uint64]*segment.PcapPacket // of these, by the packet's number, what was sent and nothing has become of yet
	err    error
}

// reorderWindow is how much older than one report the times of a later one may be.
const reorderWindow = 100 * time.Millisecond

// NewPcap begins a capture.
func NewPcap(w io.Writer) (*Pcap, error) {
	writer, err := segment.NewPcapWriter(w, segment.PcapInfo{Application: "echoc", OS: "Linux"})
	if err != nil {
		return nil, err
	}
	p := &Pcap{writer: writer, sides: map[lab.Side]int{}, open: map[uint64]*segment.PcapPacket{}}
	for _, side := range []lab.Side{lab.Client, lab.Server} {
		n, err := writer.AddInterface(segment.PcapInterface{Name: side.String(), Description: "the " + side.String() + "'s host"})
		if err != nil {
			return nil, err
		}
		p.sides[side] = n
	}
	return p, nil
}

// Close ends the capture and tells whether all of it could be written.
func (p *Pcap) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, sent := range p.open {
		sent.Comments = append(sent.Comments, "and never let go")
	}
	clear(p.open)
	p.flush(time.Time{})
	if err := p.writer.Close(); p.err == nil {
		p.err = err
	}
	return p.err
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
			p.open[packet.ID] = p.sent(packet, comment)
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
	p.flush(packet.At.Add(-reorderWindow))
}

// sent has a packet on its sender's side. What had been said of one that was held gives way to what became of it.
func (p *Pcap) sent(packet lab.Packet, comments ...string) *segment.PcapPacket {
	sent := p.open[packet.ID]
	if sent == nil {
		sent = p.enqueue(packet, packet.From, segment.Outbound, packet.Seen)
	}
	delete(p.open, packet.ID)
	sent.Comments = comments
	return sent
}

// came has a packet on the other side.
func (p *Pcap) came(packet lab.Packet, comments ...string) {
	to := lab.Server
	if packet.From == lab.Server {
		to = lab.Client
	}
	p.enqueue(packet, to, segment.Inbound, packet.At).Comments = comments
}

// takeBack: the receiving host refused a packet that was on its way in.
func (p *Pcap) takeBack(id uint64, comment string) {
	p.queue = slices.DeleteFunc(p.queue, func(q *segment.PcapPacket) bool { return q.ID == id && q.Direction == segment.Inbound })
	for _, q := range p.queue {
		if q.ID == id {
			q.Comments = []string{comment}
		}
	}
}

// enqueue puts a packet behind those that are as old.
func (p *Pcap) enqueue(packet lab.Packet, side lab.Side, d segment.Direction, at time.Time) *segment.PcapPacket {
	q := &segment.PcapPacket{Interface: p.sides[side], Time: at, Data: bytes.Clone(packet.Raw), Direction: d, ID: packet.ID}
	i := len(p.queue)
	for i > 0 && p.queue[i-1].Time.After(at) {
		i--
	}
	p.queue = slices.Insert(p.queue, i, q)
	return q
}

// flush writes what is older than a time, up to the first of which nothing has become yet; all of it if there is no
// time.
func (p *Pcap) flush(before time.Time) {
	n := 0
	for ; n < len(p.queue) && p.open[p.queue[n].ID] != p.queue[n] && (before.IsZero() || p.queue[n].Time.Before(before)); n++ {
		if err := p.writer.WritePacket(*p.queue[n]); p.err == nil {
			p.err = err
		}
	}
	p.queue = slices.Delete(p.queue, 0, n)
}
