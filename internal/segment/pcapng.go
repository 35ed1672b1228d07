package segment

import (
	"encoding/binary"
	"io"
	"math"
	"time"
)

// Direction is which way a packet went, seen from the host that the interface belongs to.
type Direction uint8

// The directions of epb_flags, bits 0 and 1.
const (
	Inbound Direction = 1 + iota
	Outbound
)

// PcapInfo describes a capture.
type PcapInfo struct{ OS, Application string }

// PcapInterface describes an interface that packets were captured on.
type PcapInterface struct{ Name, Description string }

// linkTypeRaw: packets start with their IP header, version 4 or 6, as on TUN devices (LINKTYPE_RAW).
const linkTypeRaw = 101

// PcapPacket is a packet as it was captured.
type PcapPacket struct {
	Interface int // what AddInterface returned
	Time      time.Time
	Data      []byte // from the IP header on; not kept
	Direction Direction
	ID        uint64   // the same for the same packet on two interfaces
	Comments  []string // such as why it was dropped
}

// PcapWriter writes a capture in pcapng (draft-ietf-opsawg-pcapng), little-endian and with times in nanoseconds, that
// Wireshark and tshark open. Each block goes out in one Write as soon as it is complete, so what was written is a valid
// capture at any time; wrap the file in a buffer only where that is not wanted.
type PcapWriter struct {
	w          io.Writer
	block      []byte // the one being made
	interfaces []pcapCounts
	err        error // the first error of w: after half a block nothing that follows can be read
}

// pcapCounts is what the statistics of an interface say in the end.
type pcapCounts struct {
	received    uint64
	first, last int64 // nanoseconds since 1970
}

// NewPcapWriter starts a capture on w with its section header. Errors are those of w. The writer does not close w.
func NewPcapWriter(w io.Writer, info PcapInfo) (*PcapWriter, error) {
	p := &PcapWriter{w: w}
	p.begin(blockSectionHeader)
	p.u32(byteOrderMagic)
	p.u16(1) // version 1.0
	p.u16(0)
	p.u32(math.MaxUint32) // section length: not known
	p.u32(math.MaxUint32)
	p.option(optionOS, []byte(info.OS))
	p.option(optionApplication, []byte(info.Application))
	return p, p.end()
}

// AddInterface describes an interface, at any time before its first packet, and returns its number for
// [PcapPacket.Interface]: 0, 1, …
func (p *PcapWriter) AddInterface(i PcapInterface) (int, error) {
	p.begin(blockInterface)
	p.u16(linkTypeRaw)
	p.u16(0)
	p.u32(0) // octets kept of a packet: all
	p.option(optionInterfaceName, []byte(i.Name))
	p.option(optionInterfaceDescription, []byte(i.Description))
	p.option(optionTimeResolution, []byte{9}) // 10^-9 s
	if err := p.end(); err != nil {
		return 0, err
	}
	p.interfaces = append(p.interfaces, pcapCounts{})
	return len(p.interfaces) - 1, nil
}

// WritePacket adds a packet. Errors are those of w, and stay.
func (p *PcapWriter) WritePacket(packet PcapPacket) error {
	at := packet.Time.UnixNano()
	p.begin(blockEnhancedPacket)
	p.u32(uint32(packet.Interface))
	p.block = append(p.block, timestamp(at)...)
	p.u32(uint32(len(packet.Data))) // captured
	p.u32(uint32(len(packet.Data))) // on the wire
	p.padded(packet.Data)
	for _, comment := range packet.Comments {
		p.option(optionComment, []byte(comment))
	}
	p.option(optionPacketFlags, binary.LittleEndian.AppendUint32(nil, uint32(packet.Direction)))
	if packet.ID != 0 { // packets with the same are one
		p.option(optionPacketID, binary.LittleEndian.AppendUint64(nil, packet.ID))
	}
	p.interfaces[packet.Interface].add(at)
	return p.end()
}

func (c *pcapCounts) add(at int64) {
	if c.received == 0 {
		c.first, c.last = at, at
	}
	c.first, c.last = min(c.first, at), max(c.last, at)
	c.received++
}

// Close ends the capture with the statistics of each interface: the time of its first and last packet, and how many
// there were; the comments, which belong to no packet, stand with the first of them. It does not close the underlying
// writer.
func (p *PcapWriter) Close(comments ...string) error {
	for i, c := range p.interfaces {
		p.begin(blockStatistics)
		p.u32(uint32(i))
		p.block = append(p.block, timestamp(c.last)...)
		if i == 0 {
			for _, comment := range comments {
				p.option(optionComment, []byte(comment))
			}
		}
		if c.received > 0 {
			p.option(optionStatisticsStart, timestamp(c.first))
			p.option(optionStatisticsEnd, timestamp(c.last))
		}
		p.option(optionStatisticsReceived, binary.LittleEndian.AppendUint64(nil, c.received))
		if err := p.end(); err != nil {
			return err
		}
	}
	return p.err
}
