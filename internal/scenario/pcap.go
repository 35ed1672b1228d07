package scenario

import (
	"io"
	"sync"

	"socklife/internal/lab"
	"socklife/internal/segment"
)

// Pcap is a capture of the wire, each host's side an interface of its own: what a host sent stands on its side, and on the
// other's when, and if, it arrived there.
type Pcap struct {
	mu     sync.Mutex
	writer *segment.PcapWriter
	sides  map[lab.Side]int
	err    error
}

// NewPcap begins a capture.
func NewPcap(w io.Writer) (*Pcap, error) {
	writer, err := segment.NewPcapWriter(w, segment.PcapInfo{Application: "echoc", OS: "Linux"})
	if err != nil {
		return nil, err
	}
	p := &Pcap{writer: writer, sides: map[lab.Side]int{}}
	for _, side := range []lab.Side{lab.Client, lab.Server} {
		n, err := writer.AddInterface(segment.PcapInterface{Name: side.String(), Description: "the " + side.String() + "'s host", LinkType: segment.LinkTypeRaw})
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
	if err := p.writer.Close(); p.err == nil {
		p.err = err
	}
	return p.err
}

func (p *Pcap) write(packet lab.Packet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	to := lab.Server
	if packet.From == lab.Server {
		to = lab.Client
	}
	sent := segment.PcapPacket{Interface: p.sides[packet.From], Time: packet.Seen, Data: packet.Raw, Direction: segment.Outbound, ID: packet.ID}
	came := segment.PcapPacket{Interface: p.sides[to], Time: packet.At, Data: packet.Raw, Direction: segment.Inbound, ID: packet.ID}
	comment := packet.Fate.String()
	if packet.By != "" {
		comment += " by " + packet.By
	}
	switch {
	case packet.Fate == lab.Dropped:
		sent.Comments = []string{comment}
		p.packet(sent)
	case packet.Fate == lab.Duplicated || packet.CopyOf != 0 || packet.Number == 0:
		came.Comments = []string{comment}
		p.packet(came)
	case packet.Fate == lab.Delivered:
		if packet.By != "" || packet.Late {
			came.Comments = []string{comment}
		}
		p.packet(sent)
		p.packet(came)
	}
}

func (p *Pcap) packet(packet segment.PcapPacket) {
	if err := p.writer.WritePacket(packet); p.err == nil {
		p.err = err
	}
}
