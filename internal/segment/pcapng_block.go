package segment

import (
	"encoding/binary"
	"fmt"
)

// Block types and option codes of pcapng (draft-ietf-opsawg-pcapng section 4).
const (
	blockSectionHeader  = 0x0a0d0d0a
	blockInterface      = 1
	blockStatistics     = 5
	blockEnhancedPacket = 6

	byteOrderMagic = 0x1a2b3c4d

	optionEnd     = 0
	optionComment = 1

	optionOS          = 3 // of the section header
	optionApplication = 4

	optionInterfaceName        = 2
	optionInterfaceDescription = 3
	optionTimeResolution       = 9

	optionPacketFlags = 2
	optionPacketID    = 5

	optionStatisticsStart    = 2
	optionStatisticsEnd      = 3
	optionStatisticsReceived = 4
)

// begin starts a block; its length is filled in at the end.
func (p *PcapWriter) begin(kind uint32) {
	p.block = p.block[:0]
	p.u32(kind)
	p.u32(0)
}

// end completes the block that was begun and writes it. An error of the underlying writer spoils all that follow.
func (p *PcapWriter) end() error {
	if p.err != nil {
		return p.err
	}
	p.u16(optionEnd)
	p.u16(0)
	length := uint32(len(p.block) + 4)
	p.u32(length)
	binary.LittleEndian.PutUint32(p.block[4:], length)
	if _, err := p.w.Write(p.block); err != nil {
		p.err = fmt.Errorf("segment: capture: %w", err)
	}
	return p.err
}

func (p *PcapWriter) u16(v uint16) { p.block = binary.LittleEndian.AppendUint16(p.block, v) }
func (p *PcapWriter) u32(v uint32) { p.block = binary.LittleEndian.AppendUint32(p.block, v) }

// timestamp is a time outside of an option or in one: the high half comes first, whatever the byte order.
func timestamp(ns int64) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(ns>>32)), uint32(ns))
}

// padded appends data and fills up to a multiple of 4 octets.
func (p *PcapWriter) padded(data []byte) {
	p.block = append(p.block, data...)
	p.block = append(p.block, 0, 0, 0)[:len(p.block)+(4-len(data)%4)%4]
}

func (p *PcapWriter) option(code uint16, data []byte) {
	p.u16(code)
	p.u16(uint16(len(data)))
	p.padded(data)
}
