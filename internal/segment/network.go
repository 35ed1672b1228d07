package segment

import (
	"encoding/binary"
	"net/netip"
)

// Protocol numbers, and the kinds of IPv6 extension headers, which share their numbering.
const (
	headerHopByHop = 0
	protocolICMP   = 1
	protocolTCP    = 6
	headerRouting  = 43
	headerFragment = 44
	headerAuth     = 51
	protocolICMPv6 = 58
	headerDest     = 60
)

const (
	ipv4HeaderLen = 20
	ipv6HeaderLen = 40
)

// network is a packet as far as IP goes: what its header says of the rest.
type network struct {
	src, dst netip.Addr
	protocol uint8  // of body
	later    bool   // it is a fragment, and not the first
	header   int    // octets of the packet that come before body
	body     []byte // what was captured of the part after the headers
	length   int    // of that part by the headers
}

func (n *network) parse(b []byte) error {
	if len(b) == 0 {
		return truncated("IP")
	}
	switch b[0] >> 4 {
	case 4:
		return n.parseIPv4(b)
	case 6:
		return n.parseIPv6(b)
	}
	return malformed("IP", "version %d", b[0]>>4)
}

// parseIPv4 reads the header of RFC 791 section 3.1.
func (n *network) parseIPv4(b []byte) error {
	if len(b) < ipv4HeaderLen {
		return truncated("IPv4")
	}
	n.src = netip.AddrFrom4([4]byte(b[12:]))
	n.dst = netip.AddrFrom4([4]byte(b[16:]))
	n.header = int(b[0]&15) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total == 0 {
		total = len(b) // a packet still to be cut up by the network card, and above 64 KiB: the length did not fit
	}
	switch {
	case n.header < ipv4HeaderLen:
		return malformed("IPv4", "header length %d is below %d", n.header, ipv4HeaderLen)
	case total < n.header:
		return malformed("IPv4", "total length %d is below the header's %d", total, n.header)
	case len(b) < n.header:
		return truncated("IPv4")
	}
	n.later = binary.BigEndian.Uint16(b[6:])&0x1fff != 0
	n.protocol = b[9]
	n.setBody(b, total)
	return nil
}

func (n *network) setBody(b []byte, total int) {
	end := min(len(b), total)
	n.body, n.length = b[n.header:end:end], total-n.header
}

// parseIPv6 reads the header of RFC 8200 section 3, and the extension headers behind it.
func (n *network) parseIPv6(b []byte) error {
	if len(b) < ipv6HeaderLen {
		return truncated("IPv6")
	}
	n.src = netip.AddrFrom16([16]byte(b[8:]))
	n.dst = netip.AddrFrom16([16]byte(b[24:]))
	n.protocol, n.header = b[6], ipv6HeaderLen
	total := ipv6HeaderLen + int(binary.BigEndian.Uint16(b[4:]))
	if total == ipv6HeaderLen && len(b) > ipv6HeaderLen {
		total = jumboLength(b)
	}
	if err := n.parseExtensions(b, total); err != nil {
		return err
	}
	n.setBody(b, total)
	return nil
}

// jumboLength is the length of a packet whose header says 0: the one in the jumbo payload option (RFC 2675
// section 2), or else what is there: Linux has packets above 64 KiB inside the host without the option too.
func jumboLength(b []byte) int {
	const optionJumbo, at = 0xc2, ipv6HeaderLen
	if b[6] == headerHopByHop && len(b) >= at+8 && b[at+2] == optionJumbo && b[at+3] == 4 {
		if length := binary.BigEndian.Uint32(b[at+4:]); length > 0xffff && length < 1<<31-at {
			return at + int(length)
		}
	}
	return len(b)
}

// parseExtensions goes along the chain of extension headers (RFC 8200 section 4) up to the first header that is
// none, or to the data of a fragment that is not the first.
func (n *network) parseExtensions(b []byte, total int) error {
	for !n.later && isExtension(n.protocol) {
		rest := b[n.header:min(len(b), total)]
		if len(rest) < 8 || len(rest) < extensionLen(n.protocol, rest) {
			return malformed("IPv6", "ends inside extension header %d", n.protocol)
		}
		if n.protocol == headerFragment {
			n.later = binary.BigEndian.Uint16(rest[2:])&^7 != 0
		}
		n.protocol, n.header = rest[0], n.header+extensionLen(n.protocol, rest)
	}
	return nil
}

func isExtension(header uint8) bool {
	switch header {
	case headerHopByHop, headerRouting, headerFragment, headerAuth, headerDest:
		return true
	}
	return false
}

// extensionLen is the length in octets of the extension header that b starts with. Its second octet counts units of
// 8 octets beyond the first 8, except in the fragment header, which has none, and in the authentication header,
// where it counts units of 4 octets beyond the first 8 (RFC 4302 section 2.2).
func extensionLen(header uint8, b []byte) int {
	switch header {
	case headerFragment:
		return 8
	case headerAuth:
		return (int(b[1]) + 2) * 4
	}
	return (int(b[1]) + 1) * 8
}
