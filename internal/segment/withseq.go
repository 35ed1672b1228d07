package segment

import (
	"bytes"
	"encoding/binary"
)

// WithSeq is a copy of a packet that [Decode] reads, with another sequence number and the checksum that goes with it
// (RFC 1624: what leaves the sum is subtracted from it, what comes is added).
func WithSeq(packet []byte, seq uint32) []byte {
	var n network
	if n.parse(packet) != nil {
		return nil
	}
	packet = bytes.Clone(packet)
	tcp := packet[n.header:]
	before := binary.BigEndian.Uint32(tcp[4:])
	binary.BigEndian.PutUint32(tcp[4:], seq)
	sum := uint32(^binary.BigEndian.Uint16(tcp[16:])) + ^before>>16 + ^before&0xffff + seq>>16 + seq&0xffff
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(tcp[16:], ^uint16(sum))
	return packet
}
