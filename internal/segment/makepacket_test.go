package segment

import "encoding/binary"

// packetOf is the packet with a segment in it, with correct lengths and checksums. Between the IP header and TCP's
// comes what is given: options in IPv4; in IPv6 extension headers, with the kind of the first before them.
func packetOf(s Segment, between ...byte) []byte {
	tcp := tcpHeaderOf(s)
	src, dst := s.Src.Addr(), s.Dst.Addr()
	var ip []byte
	if src.Is4() {
		ip = append([]byte{4<<4 | byte(5+len(between)/4), 0}, 0, 0, 0, 0, 0x40, 0, 64, protocolTCP, 0, 0)
		ip = append(append(append(ip, src.AsSlice()...), dst.AsSlice()...), between...)
		binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(tcp)))
		binary.BigEndian.PutUint16(ip[10:], ^fold(addOctets(0, ip)))
	} else {
		next := []byte{protocolTCP}
		if len(between) > 0 {
			next, between = between[:1], between[1:]
		}
		ip = append([]byte{6 << 4, 0, 0, 0}, 0, 0, next[0], 64)
		ip = append(append(append(ip, src.AsSlice()...), dst.AsSlice()...), between...)
		binary.BigEndian.PutUint16(ip[4:], uint16(len(between)+len(tcp)))
	}
	binary.BigEndian.PutUint16(tcp[16:], ^fold(addOctets(pseudoHeader(src, dst, len(tcp)), tcp)))
	return append(ip, tcp...)
}

// tcpHeaderOf is the header with checksum 0, and the data.
func tcpHeaderOf(s Segment) []byte {
	b := binary.BigEndian.AppendUint16(nil, s.Src.Port())
	b = binary.BigEndian.AppendUint16(b, s.Dst.Port())
	b = binary.BigEndian.AppendUint32(b, s.Seq)
	b = binary.BigEndian.AppendUint32(b, s.Ack)
	words := uint16(tcpHeaderLen+len(s.Options.Bytes())) / 4
	b = binary.BigEndian.AppendUint16(b, words<<12|uint16(s.Flags))
	b = binary.BigEndian.AppendUint16(b, s.Window)
	b = append(b, 0, 0, 0, 0) // checksum, urgent pointer
	return append(append(b, s.Options.Bytes()...), s.Payload...)
}
