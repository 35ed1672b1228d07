package segment

import "strings"

// Analysis says what is unusual about a segment, given those of its connection that were seen before it. It is a set:
// more than one can be true. Names and meanings are those of Wireshark's tcp.analysis fields (Wireshark User's
// Guide, "TCP Analysis"). They are conclusions from what was seen at one point of the path, not observations.
type Analysis uint16

// What a segment can be. "Expected" is the highest sequence number seen from its sender so far, and what follows it.
const (
	// Retransmission: data, SYN or FIN below the expected number. Set with the next two as well.
	Retransmission Analysis = 1 << iota
	// FastRetransmission: the data that at least two duplicate acknowledgments asked for, within 20 ms of them.
	FastRetransmission
	// SpuriousRetransmission: all of its data was acknowledged already.
	SpuriousRetransmission
	// OutOfOrder: data below the expected number, so soon after what came before it that it was rather overtaken
	// than sent again: within the handshake's round trip time, or 3 ms where that is not known.
	OutOfOrder
	// LostSegment: it starts above the expected number: something before it was not seen (yet).
	LostSegment
	// AckLostSegment: it acknowledges data that was not seen.
	AckLostSegment
	// DuplicateAck: no data, and sequence number, acknowledgment number and window are those of the segment
	// before it; or the same numbers, and SACK blocks.
	DuplicateAck
	// KeepAlive: at most one octet of data, one below the expected number: it asks for an acknowledgment.
	KeepAlive
	// KeepAliveAck: the answer to one.
	KeepAliveAck
	// ZeroWindow: no more data can be received.
	ZeroWindow
	// ZeroWindowProbe: the other side's window is zero, and this asks whether it still is. Either one octet of data at
	// the expected number, as in RFC 9293 section 3.8.6.1; or a segment without data one below it, which is how Linux
	// does it. A keep-alive looks like the latter, so both are set then; Wireshark only says KeepAlive.
	ZeroWindowProbe
	// ZeroWindowProbeAck: the answer to one: the window is still zero.
	ZeroWindowProbeAck
	// WindowUpdate: nothing new but the window.
	WindowUpdate
	// WindowFull: its data reaches the end of the other side's window.
	WindowFull
	// ReusedPorts: a SYN that opens another connection between two ports that had one.
	ReusedPorts
)

var analysisNames = [...]string{
	"retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order", "lost_segment",
	"ack_lost_segment", "duplicate_ack", "keep_alive", "keep_alive_ack", "zero_window", "zero_window_probe",
	"zero_window_probe_ack", "window_update", "window_full", "reused_ports",
}

// Has reports whether all of want is in the set.
func (a Analysis) Has(want Analysis) bool { return a&want == want }

// String is "duplicate_ack, window_full", as in Wireshark's tcp.analysis.NAME; empty where nothing is unusual.
func (a Analysis) String() string {
	var names []string
	for i, name := range analysisNames {
		if a&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
