package tcpinfo

import (
	"fmt"
	"strings"
)

// CAState is what the sender thinks of the path (enum tcp_ca_state, include/uapi/linux/tcp.h).
type CAState uint8

// The degrees of trouble, from none to the worst.
const (
	CAOpen     CAState = 0 // nothing bad seen lately
	CADisorder CAState = 1 // duplicate or selective acknowledgments came: perhaps a loss
	CACWR      CAState = 2 // the window is being reduced: congestion was signalled
	CARecovery CAState = 3 // fast recovery: lost segments are being retransmitted
	CALoss     CAState = 4 // recovery from a retransmission timeout
)

// String is the kernel's name without TCP_CA_: "Recovery".
func (c CAState) String() string {
	return enum(uint64(c), "Open", "Disorder", "CWR", "Recovery", "Loss")
}

// FastopenFail is why TCP Fast Open failed, seen from the client (enum tcp_fastopen_client_fail).
type FastopenFail uint8

// Reasons for the failure.
const (
	FastopenUnspecified       FastopenFail = 0 // also: it did not fail, or was not asked for
	FastopenCookieUnavailable FastopenFail = 1
	FastopenDataNotAcked      FastopenFail = 2
	FastopenSynRetransmitted  FastopenFail = 3
)

// String says the reason in words.
func (f FastopenFail) String() string {
	return enum(uint64(f), "unspecified", "cookie unavailable", "data not acknowledged", "SYN retransmitted")
}

// AccECNSeen says what was seen of the peer's Accurate ECN option (TCP_ACCECN_OPT_…, include/net/tcp_ecn.h).
type AccECNSeen uint16

// String says in words what was seen.
func (a AccECNSeen) String() string {
	return enum(uint64(a), "not seen", "empty seen", "counter seen", "fail seen")
}

func enum(v uint64, names ...string) string {
	if v < uint64(len(names)) {
		return names[v]
	}
	return fmt.Sprintf("UNKNOWN(%d)", v)
}

// TCPOptions is the set of TCP options in use (TCPI_OPT_…, include/uapi/linux/tcp.h).
type TCPOptions uint8

// The options, one bit each.
const (
	OptTimestamps TCPOptions = 1 << iota
	OptSACK
	OptWscale
	OptECN
	OptECNSeen  // at least one segment came with an ECN mark
	OptSynData  // data in the SYN was acknowledged by the SYN-ACK
	OptUsecTS   // timestamps in microseconds (Linux 6.7)
	OptTFOChild // a server's connection that Fast Open made (Linux 6.15)
)

var optionNames = []string{"timestamps", "sack", "wscale", "ecn", "ecn_seen", "syn_data", "usec_ts", "tfo_child"}

// Names lists the options that are in the set.
func (o TCPOptions) Names() []string { return bitNames(uint64(o), optionNames) }

// String joins the names with commas.
func (o TCPOptions) String() string { return strings.Join(o.Names(), ",") }

// AccECNFail is the set of ways in which Accurate ECN was found to fail (TCP_ACCECN_…_FAIL_…, include/net/tcp_ecn.h).
type AccECNFail uint16

var accECNFailNames = []string{"ace_fail_send", "ace_fail_recv", "opt_fail_send", "opt_fail_recv"}

// Names lists the failures that are in the set.
func (a AccECNFail) Names() []string { return bitNames(uint64(a), accECNFailNames) }

// String joins the names with commas.
func (a AccECNFail) String() string { return strings.Join(a.Names(), ",") }

// bitNames names the bits that are set; a bit without a name is shown by its number.
func bitNames(v uint64, names []string) []string {
	list := []string{}
	for n := 0; v != 0; n, v = n+1, v>>1 {
		switch {
		case v&1 == 0:
		case n < len(names):
			list = append(list, names[n])
		default:
			list = append(list, fmt.Sprintf("UNKNOWN(%d)", n))
		}
	}
	return list
}
