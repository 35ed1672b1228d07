package segment

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

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
