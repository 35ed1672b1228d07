package segment

import (
	"fmt"
	"strings"
)

// Flags are the control bits of a TCP header (RFC 9293 section 3.1), in the header's own bit order. The
// twelve low bits are what the header has room for: the nine named ones, and three that are reserved.
type Flags uint16

// The control bits. AE is the accurate ECN bit (RFC 9768), which RFC 3540 once called NS.
const (
	FIN Flags = 1 << iota // no more data from the sender
	SYN                   // synchronize sequence numbers
	RST                   // reset the connection
	PSH                   // push: deliver now
	ACK                   // the acknowledgment number is significant
	URG                   // the urgent pointer is significant
	ECE                   // ECN echo (RFC 3168)
	CWR                   // congestion window reduced (RFC 3168)
	AE                    // accurate ECN
)

const (
	namedFlags = FIN | SYN | RST | PSH | ACK | URG | ECE | CWR | AE
	maxFlags   = Flags(0x0fff)
)

type flagName struct {
	flag Flags
	name string
}

// listOrder is the order of lists: what a segment does to a connection first.
var listOrder = [...]flagName{
	{SYN, "SYN"}, {ACK, "ACK"}, {FIN, "FIN"}, {RST, "RST"}, {PSH, "PSH"}, {URG, "URG"},
	{ECE, "ECE"}, {CWR, "CWR"}, {AE, "AE"},
}

// spokenOrder is the order in which segments are spoken of: "FIN+ACK", "PSH+ACK", "RST+ACK".
var spokenOrder = [...]flagName{
	{SYN, "SYN"}, {FIN, "FIN"}, {RST, "RST"}, {PSH, "PSH"}, {URG, "URG"}, {ACK, "ACK"},
	{ECE, "ECE"}, {CWR, "CWR"}, {AE, "AE"},
}

// Has reports whether all of the bits in want are set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// Names lists the bits that are set, in the order SYN ACK FIN RST PSH URG ECE CWR AE; reserved bits come
// last, together, as "UNKNOWN(0x200)". With no bit set the list is empty.
func (f Flags) Names() []string { return f.names(&listOrder) }

// String joins the bits that are set as they are spoken of: "SYN", "SYN+ACK", "FIN+PSH+ACK"; "none" with
// no bit set.
func (f Flags) String() string {
	if f == 0 {
		return "none"
	}
	return strings.Join(f.names(&spokenOrder), "+")
}

func (f Flags) names(order *[9]flagName) []string {
	names := []string{}
	for _, n := range order {
		if f&n.flag != 0 {
			names = append(names, n.name)
		}
	}
	if rest := f &^ namedFlags; rest != 0 {
		names = append(names, fmt.Sprintf("UNKNOWN(%#x)", uint16(rest)))
	}
	return names
}
