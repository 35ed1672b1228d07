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
	protocolUDP    = 17
	headerRouting  = 43
	headerFragment = 44
	headerAuth     = 51
	protocolICMPv6 = 58
	headerDest     = 60
	headerMobility = 135
	headerHIP      = 139
	headerShim6    = 140
)

const (
	ipv4HeaderLen = 20
	ipv6HeaderLen = 40
)

// network is a packet as far as IP goes: its header, and what the header says of the rest.
type network struct {
	version  int
	src, dst netip.Addr
	ip       IP
	protocol uint8  // of body
	id       uint32 // of a fragment
	offset   int    // of a fragment, in octets
	header   int    // octets of the packet that come before body
	body     []byte // what was captured of the part after the headers
	length   int    // of that part by the headers
}

func (n *network) parse(b []byte) error {
	if len(b) == 0 {
		return truncated("IP")
	}
	switch n.version = int(b[0] >> 4); n.version {
	case 4:
		return n.parseIPv4(b)
	case 6:
		return n.parseIPv6(b)
	}
	return malformedf("IP", "version %d", n.version)
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
		return malformedf("IPv4", "header length %d is below %d", n.header, ipv4HeaderLen)
	case total < n.header:
		return malformedf("IPv4", "total length %d is below the header's %d", total, n.header)
	case len(b) < n.header:
		return truncated("IPv4")
	}
	frag := binary.BigEndian.Uint16(b[6:])
	n.id, n.offset = uint32(binary.BigEndian.Uint16(b[4:])), int(frag&0x1fff)*8
	n.protocol = b[9]
	n.ip = IP{
		TTL: b[8], DSCP: b[1] >> 2, ECN: b[1] & 3,
		ID: uint16(n.id), DontFragment: frag&0x4000 != 0, MoreFragments: frag&0x2000 != 0,
	}
	if n.header > ipv4HeaderLen {
		n.ip.Options = b[ipv4HeaderLen:n.header:n.header]
	}
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
	first := binary.BigEndian.Uint32(b)
	n.ip = IP{TTL: b[7], DSCP: uint8(first >> 22 & 63), ECN: uint8(first >> 20 & 3), FlowLabel: first & 0xfffff}
	n.protocol, n.header = b[6], ipv6HeaderLen
	total := ipv6HeaderLen + int(binary.BigEndian.Uint16(b[4:]))
	if total == ipv6HeaderLen && len(b) > ipv6HeaderLen {
		total = jumboLength(b)
	}
	if n.protocol != protocolTCP {
		if err := n.parseExtensions(b, total); err != nil {
			return err
		}
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
	first := n.protocol
	for n.offset == 0 && isExtension(n.protocol) {
		rest := b[n.header:min(len(b), total)]
		if len(rest) < 8 {
			return n.endsInExtension(len(b), total)
		}
		size := extensionLen(n.protocol, rest)
		if len(rest) < size {
			return n.endsInExtension(len(b), total)
		}
		if n.protocol == headerFragment {
			field := binary.BigEndian.Uint16(rest[2:])
			n.offset, n.ip.MoreFragments = int(field&^7), field&1 != 0
			n.id = binary.BigEndian.Uint32(rest[4:])
		}
		n.protocol, n.header = rest[0], n.header+size
	}
	if n.header > ipv6HeaderLen {
		n.ip.NextHeader, n.ip.Options = first, b[ipv6HeaderLen:n.header:n.header]
	}
	return nil
}

func (n *network) endsInExtension(captured, total int) error {
	if captured < total {
		return truncated("IPv6 extension")
	}
	return malformedf("IPv6", "payload ends inside extension header %d", n.protocol)
}

func isExtension(header uint8) bool {
	switch header {
	case headerHopByHop, headerRouting, headerFragment, headerAuth, headerDest, headerMobility, headerHIP, headerShim6:
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
