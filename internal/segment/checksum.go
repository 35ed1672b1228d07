package segment

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
)

// ChecksumError says that a checksum is not what the octets under it add up to.
type ChecksumError struct {
	Header    string // "IPv4", "TCP"
	Got, Want uint16 // in the header; as it should be

	// Offloaded: TCP's checksum is that of the pseudo-header alone. This is how Linux leaves the rest to the
	// network card, and how most packets captured on loopback or on their way out look.
	Offloaded bool
}

func (e *ChecksumError) Error() string {
	text := fmt.Sprintf("segment: %s checksum %#04x, want %#04x", e.Header, e.Got, e.Want)
	if e.Offloaded {
		text += ": left to the network card (checksum offload)"
	}
	return text
}

// VerifyIP checks the header checksum of a packet that starts with its IPv4 header (RFC 791 section 3.1); an IPv6
// header has none. Errors: a [*ChecksumError], or those of [Decode] about the IP header.
func VerifyIP(b []byte) error {
	var n network
	if err := n.parse(b); err != nil {
		return err
	}
	if n.version == 6 {
		return nil
	}
	return checkSum("IPv4", b[:n.header], 10, 0)
}

// VerifyTCP checks the TCP checksum of a packet that starts with its IP header (RFC 9293 section 3.1; the IPv6
// pseudo-header is in RFC 8200 section 8.1). The destination is taken from the IP header: a packet that still
// has stops of a source route to go has another one in its checksum, and fails.
//
// Errors: a [*ChecksumError]; one that wraps [ErrTruncated] where part of the segment was not captured; a
// [*FragmentError], also for a first fragment: the checksum is that of the whole; those of [Decode] about what is
// before the TCP header.
func VerifyTCP(b []byte) error {
	var n network
	if err := n.parse(b); err != nil {
		return err
	}
	switch {
	case n.offset > 0 || n.protocol != protocolTCP:
		return n.notTCP()
	case n.ip.MoreFragments:
		return n.fragment()
	case n.length < tcpHeaderLen:
		return malformedf("TCP", "%d octets, %d below a header", n.length, tcpHeaderLen-n.length)
	case len(n.body) < n.length:
		return fmt.Errorf("segment: TCP checksum: %w", ErrTruncated)
	}
	return checkSum("TCP", n.body, 16, pseudoHeader(n.src, n.dst, n.length))
}

// checkSum compares the checksum at octet at of b with what b, and what is in sum before it, add up to.
func checkSum(header string, b []byte, at int, sum uint64) error {
	total := fold(addOctets(sum, b))
	if total == 0xffff {
		return nil
	}
	got := binary.BigEndian.Uint16(b[at:])
	return &ChecksumError{
		Header: header, Got: got,
		Want:      ^fold(uint64(total) + uint64(^got)), // adding the complement takes got out of the sum
		Offloaded: header == "TCP" && got == fold(sum),
	}
}

// pseudoHeader is the sum of the addresses, the protocol and the length, which TCP's checksum starts from.
func pseudoHeader(src, dst netip.Addr, length int) uint64 {
	sum := uint64(protocolTCP) + uint64(length)
	if src.Is4() {
		from, to := src.As4(), dst.As4()
		return addOctets(addOctets(sum, from[:]), to[:])
	}
	from, to := src.As16(), dst.As16()
	return addOctets(addOctets(sum, from[:]), to[:])
}

// addOctets adds b to the sum of RFC 1071, 8 octets at a time: the sum of 16 bit words comes out of [fold] in the
// end whatever the width it was made with (RFC 1071 section 2). Four carries a round make a chain that costs little.
func addOctets(sum uint64, b []byte) uint64 {
	var carry uint64
	for ; len(b) >= 32; b = b[32:] {
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[8:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[16:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[24:]), carry)
	}
	for ; len(b) >= 8; b = b[8:] {
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b), carry)
	}
	if len(b) > 0 {
		var last [8]byte
		copy(last[:], b)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(last[:]), carry)
	}
	sum, carry = bits.Add64(sum, 0, carry)
	return sum + carry
}

// fold makes the 16 bit sum of a wider one, adding what is carried out of the low 16 bits to them.
func fold(sum uint64) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
