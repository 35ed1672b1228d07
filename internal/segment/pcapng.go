package segment

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Direction is which way a packet went, seen from the host that the interface belongs to.
type Direction uint8

// The directions of epb_flags, bits 0 and 1.
const (
	DirectionUnknown Direction = iota
	Inbound
	Outbound
)

// PcapInfo describes a capture; empty fields are left out.
type PcapInfo struct{ OS, Application string }

// PcapInterface describes an interface that packets were captured on; empty strings are left out.
type PcapInterface struct{ Name, Description string }

// linkTypeRaw: packets start with their IP header, version 4 or 6, as on TUN devices (LINKTYPE_RAW).
const linkTypeRaw = 101

// PcapPacket is a packet as it was captured.
type PcapPacket struct {
	Interface int       // what AddInterface returned
	Time      time.Time // 1970 to 2262
	Data      []byte    // from the IP header on; not kept
	Direction Direction
	ID        uint64   // the same for the same packet on two interfaces; 0: not known
	Comments  []string // such as why it was dropped
}

// PcapWriter writes a capture in pcapng (draft-ietf-opsawg-pcapng), little-endian and with times in nanoseconds, that
// Wireshark and tshark open. Each block goes out in one Write as soon as it is complete, so what was written is a valid
// capture at any time; wrap the file in a buffer only where that is not wanted.
type PcapWriter struct {
	w          io.Writer
	block      []byte // the one being made
	tooLong    int    // octets of a text in it that does not fit into an option
	interfaces []pcapCounts
	err        error // the first error of w: after half a block nothing that follows can be read
}

// pcapCounts is what the statistics of an interface say in the end.
type pcapCounts struct {
	received    uint64
	first, last int64 // nanoseconds since 1970
}

// The times that fit into the nanoseconds since 1970 of [time.Time.UnixNano].
var (
	firstTime = time.Unix(0, 0)
	lastTime  = time.Unix(0, math.MaxInt64)
)

var errPcapClosed = errors.New("segment: the capture is closed")

// NewPcapWriter starts a capture on w with its section header. Errors are those of w, and of a string that is longer
// than the 65535 octets of an option. The writer does not close w.
func NewPcapWriter(w io.Writer, info PcapInfo) (*PcapWriter, error) {
	p := &PcapWriter{w: w}
	p.begin(blockSectionHeader)
	p.u32(byteOrderMagic)
	p.u16(1) // version 1.0
	p.u16(0)
	p.u32(math.MaxUint32) // section length: not known
	p.u32(math.MaxUint32)
	p.text(optionOS, info.OS)
	p.text(optionApplication, info.Application)
	return p, p.end()
}

// AddInterface describes an interface, at any time before its first packet, and returns its number for
// [PcapPacket.Interface]: 0, 1, …
func (p *PcapWriter) AddInterface(i PcapInterface) (int, error) {
	p.begin(blockInterface)
	p.u16(linkTypeRaw)
	p.u16(0)
	p.u32(0) // octets kept of a packet: all
	p.text(optionInterfaceName, i.Name)
	p.text(optionInterfaceDescription, i.Description)
	p.option(optionTimeResolution, []byte{9}) // 10^-9 s
	if err := p.end(); err != nil {
		return 0, err
	}
	p.interfaces = append(p.interfaces, pcapCounts{})
	return len(p.interfaces) - 1, nil
}

// WritePacket adds a packet. Errors are those of w, which stay, and of a packet that cannot be written, which leaves
// the capture as it was.
func (p *PcapWriter) WritePacket(packet PcapPacket) error {
	if packet.Interface < 0 || packet.Interface >= len(p.interfaces) {
		return fmt.Errorf("segment: capture has no interface %d", packet.Interface)
	}
	if packet.Time.Before(firstTime) || packet.Time.After(lastTime) {
		return fmt.Errorf("segment: capture cannot have a packet of %v", packet.Time)
	}
	at := packet.Time.UnixNano()
	p.packetBlock(&packet, uint64(at))
	if err := p.end(); err != nil {
		return err
	}
	p.interfaces[packet.Interface].add(at)
	return nil
}

func (p *PcapWriter) packetBlock(packet *PcapPacket, at uint64) {
	p.begin(blockEnhancedPacket)
	p.u32(uint32(packet.Interface))
	p.time(at)
	p.u32(uint32(len(packet.Data))) // captured
	p.u32(uint32(len(packet.Data))) // on the wire
	p.padded(packet.Data)
	for _, comment := range packet.Comments {
		p.text(optionComment, comment)
	}
	if packet.Direction != DirectionUnknown {
		p.optionU32(optionPacketFlags, uint32(packet.Direction&3))
	}
	if packet.ID != 0 {
		p.optionU64(optionPacketID, packet.ID)
	}
}

func (c *pcapCounts) add(at int64) {
	if c.received == 0 {
		c.first, c.last = at, at
	}
	c.first, c.last = min(c.first, at), max(c.last, at)
	c.received++
}

// Close ends the capture with the statistics of each interface: the time of its first and last packet, and how many
// there were. It does not close the underlying writer. A second Close does nothing.
func (p *PcapWriter) Close() error {
	if p.err == errPcapClosed {
		return nil
	}
	for i := range p.interfaces {
		c := &p.interfaces[i]
		p.begin(blockStatistics)
		p.u32(uint32(i))
		p.time(uint64(c.last))
		if c.received > 0 {
			p.optionTime(optionStatisticsStart, uint64(c.first))
			p.optionTime(optionStatisticsEnd, uint64(c.last))
		}
		p.optionU64(optionStatisticsReceived, c.received)
		if err := p.end(); err != nil {
			return err
		}
	}
	err := p.err
	p.err = errPcapClosed
	return err
}
