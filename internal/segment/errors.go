package segment

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
)

// ErrTruncated is wrapped by the error of [Decode] when the capture ends inside the IP header or the first 20 octets
// of the TCP header.
var ErrTruncated = errors.New("the capture was cut short")

// MalformedError says that a header contradicts itself, or what is around it.
type MalformedError struct {
	Header string // "IPv4", "IPv6", "TCP"
	Reason string // "header length 16 is below 20"
}

func (e *MalformedError) Error() string { return "segment: " + e.Header + ": " + e.Reason }

func malformedf(header, format string, args ...any) error {
	return &MalformedError{Header: header, Reason: fmt.Sprintf(format, args...)}
}

func truncated(header string) error {
	return fmt.Errorf("segment: %s header: %w", header, ErrTruncated)
}

// NotTCPError says that the packet is sound as far as it was looked at, and carries something else than TCP.
type NotTCPError struct {
	Src, Dst netip.Addr
	Protocol uint8 // the number in the IP header, or in the last IPv6 extension header
	ICMP     *ICMP // for protocols 1 and 58 with a header, else nil
}

// Error is "segment: 192.0.2.1 > 192.0.2.2: UDP, not TCP".
func (e *NotTCPError) Error() string {
	what := ProtocolName(e.Protocol)
	if e.ICMP != nil {
		what = e.ICMP.String()
	}
	return fmt.Sprintf("segment: %s > %s: %s, not TCP", e.Src, e.Dst, what)
}

// FragmentError says that the packet is a later fragment of a packet: the headers of what it carries were in the
// first fragment, which [Decode] reads, with [IP.MoreFragments] set.
type FragmentError struct {
	Src, Dst netip.Addr
	Protocol uint8  // of the whole packet
	ID       uint32 // identification: 16 bits in IPv4, 32 in IPv6
	Offset   int    // of this fragment's data in the whole packet's, in octets
	More     bool   // this is not the last fragment
}

// Error is "segment: 192.0.2.1 > 192.0.2.2: TCP, fragment at 1480 of packet 7".
func (e *FragmentError) Error() string {
	return fmt.Sprintf("segment: %s > %s: %s, fragment at %d of packet %d",
		e.Src, e.Dst, ProtocolName(e.Protocol), e.Offset, e.ID)
}

// ProtocolName is the name of an IP protocol number that one meets next to TCP, or UNKNOWN(n) (IANA, "Assigned
// Internet Protocol Numbers").
func ProtocolName(protocol uint8) string {
	switch protocol {
	case protocolICMP:
		return "ICMP"
	case 2:
		return "IGMP"
	case protocolTCP:
		return "TCP"
	case protocolUDP:
		return "UDP"
	case 33:
		return "DCCP"
	case 47:
		return "GRE"
	case 50:
		return "ESP"
	case headerAuth:
		return "AH"
	case protocolICMPv6:
		return "ICMPv6"
	case 59:
		return "no next header"
	case 89:
		return "OSPF"
	case 132:
		return "SCTP"
	}
	return "UNKNOWN(" + strconv.Itoa(int(protocol)) + ")"
}
