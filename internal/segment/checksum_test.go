package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
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
	if n.src.Is6() {
		return nil
	}
	return checkSum("IPv4", b[:n.header], 10, 0)
}

// VerifyTCP checks the TCP checksum of a packet that starts with its IP header (RFC 9293 section 3.1; the IPv6
// pseudo-header is in RFC 8200 section 8.1). The destination is taken from the IP header: a packet that still
// has stops of a source route to go has another one in its checksum, and fails.
//
// Errors: a [*ChecksumError]; one where part of the segment was not captured or there is none; those of [Decode].
func VerifyTCP(b []byte) error {
	var n network
	if err := n.parse(b); err != nil {
		return err
	}
	if n.later || n.protocol != protocolTCP || n.length < tcpHeaderLen || len(n.body) < n.length {
		return errors.New("segment: TCP checksum: not a whole segment")
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
