package tcpinfo

import (
	"math"
	"time"
)

// Field describes one field of struct tcp_info. One row of the table below is all there is to say of a field: decoding,
// Has, iteration, JSON and the printed reference are made from it.
type Field struct {
	Name   string // the kernel's, without "tcpi_"
	Offset int    // bytes from the start of the struct
	Size   int    // bytes: 1, 2, 4 or 8
	Bit    int    // of a bit-field: how many bits of the byte are declared before it
	Bits   int    // of a bit-field: its width; 0 for a whole field
	Unit   Unit
	Since  string // the first Linux that reports it
	Doc    string // one sentence

	need   int     // length of the struct in that Linux, where Offset+Size does not tell (bit-fields in what was padding)
	gone   release // the Linux that put something else in its place without changing the length
	listen bool    // reported of a listener, of which the kernel leaves everything else zero
	access
}

// Unit is what a field counts.
type Unit string

// Units of tcp_info's fields.
const (
	Number         Unit = "" // a count, a state or a set of bits
	Microseconds   Unit = "us"
	Milliseconds   Unit = "ms"
	Bytes          Unit = "bytes"
	Segments       Unit = "segments"
	BytesPerSecond Unit = "bytes_per_s"
)

// access reads and writes a field's place in Info, in the kernel's unit.
type access struct {
	get func(*Info) uint64
	put func(*Info, uint64)
}

func num[T ~uint8 | ~uint16 | ~uint32 | ~uint64](at func(*Info) *T) access {
	return access{
		get: func(i *Info) uint64 { return uint64(*at(i)) },
		put: func(i *Info, v uint64) { *at(i) = T(v) },
	}
}

func onOff(at func(*Info) *bool) access {
	return access{
		get: func(i *Info) uint64 {
			if *at(i) {
				return 1
			}
			return 0
		},
		put: func(i *Info, v uint64) { *at(i) = v != 0 },
	}
}

func dur(unit time.Duration, at func(*Info) *time.Duration) access {
	return access{
		get: func(i *Info) uint64 { return uint64(*at(i) / unit) },
		put: func(i *Info, v uint64) { *at(i) = time.Duration(min(v, math.MaxInt64/uint64(unit))) * unit },
	}
}

func usec(at func(*Info) *time.Duration) access { return dur(time.Microsecond, at) }
func msec(at func(*Info) *time.Duration) access { return dur(time.Millisecond, at) }

// Fields returns the description of every field, in the struct's order.
func Fields() []Field { return append([]Field(nil), fields...) }

var fields = []Field{
	{Name: "state", Offset: 0, Size: 1, Since: "2.4", listen: true, access: num(func(i *Info) *State { return &i.State }),
		Doc: "The connection's state."},
	{Name: "ca_state", Offset: 1, Size: 1, Since: "2.4", access: num(func(i *Info) *CAState { return &i.CAState }),
		Doc: "What the sender thinks of the path: Open is normal, Disorder, CWR, Recovery and Loss are degrees of trouble."},
	{Name: "retransmits", Offset: 2, Size: 1, Since: "2.4", access: num(func(i *Info) *uint8 { return &i.Retransmits }),
		Doc: "Retransmission timeouts in a row for the segment at the head of the queue; 0 again when it is acknowledged."},
	{Name: "probes", Offset: 3, Size: 1, Since: "2.4", access: num(func(i *Info) *uint8 { return &i.Probes }),
		Doc: "Window probes or keepalive probes sent that were not answered."},
	{Name: "backoff", Offset: 4, Size: 1, Since: "2.4", access: num(func(i *Info) *uint8 { return &i.Backoff }),
		Doc: "How many times the retransmission or probe interval was doubled."},
	{Name: "options", Offset: 5, Size: 1, Since: "2.4", access: num(func(i *Info) *Options { return &i.Options }),
		Doc: "The TCP options in use, a set of TCPI_OPT_ bits."},
	{Name: "snd_wscale", Offset: 6, Size: 1, Bit: 0, Bits: 4, Since: "2.4", access: num(func(i *Info) *uint8 { return &i.SndWscale }),
		Doc: "The window scale the peer announced: by how many bits to shift the windows it sends (the low four bits)."},
	{Name: "rcv_wscale", Offset: 6, Size: 1, Bit: 4, Bits: 4, Since: "2.4", access: num(func(i *Info) *uint8 { return &i.RcvWscale }),
		Doc: "The window scale this side announced: by how many bits the peer shifts the windows sent from here (the high four bits)."},
	{Name: "delivery_rate_app_limited", Offset: 7, Size: 1, Bit: 0, Bits: 1, Since: "4.9", need: 168, access: onOff(func(i *Info) *bool { return &i.DeliveryRateAppLimited }),
		Doc: "delivery_rate was measured while the application had too little to send, so the path may do better."},
	{Name: "fastopen_client_fail", Offset: 7, Size: 1, Bit: 1, Bits: 2, Since: "5.5", need: 232, access: num(func(i *Info) *FastopenFail { return &i.FastopenClientFail }),
		Doc: "Why TCP Fast Open did not work for this client."},

	{Name: "rto", Offset: 8, Size: 4, Unit: Microseconds, Since: "2.4", access: usec(func(i *Info) *time.Duration { return &i.RTO }),
		Doc: "The retransmission timeout now in force."},
	{Name: "ato", Offset: 12, Size: 4, Unit: Microseconds, Since: "2.4", access: usec(func(i *Info) *time.Duration { return &i.ATO }),
		Doc: "How long an acknowledgment may be delayed."},
	{Name: "snd_mss", Offset: 16, Size: 4, Unit: Bytes, Since: "2.4", access: num(func(i *Info) *uint32 { return &i.SndMSS }),
		Doc: "The most data sent in one segment."},
	{Name: "rcv_mss", Offset: 20, Size: 4, Unit: Bytes, Since: "2.4", access: num(func(i *Info) *uint32 { return &i.RcvMSS }),
		Doc: "The size of the segments that arrive, as estimated to decide when to acknowledge."},

	{Name: "unacked", Offset: 24, Size: 4, Unit: Segments, Since: "2.4", listen: true, access: num(func(i *Info) *uint32 { return &i.Unacked }),
		Doc: "Segments sent and not acknowledged; of a listener: connections waiting for accept."},
	{Name: "sacked", Offset: 28, Size: 4, Unit: Segments, Since: "2.4", listen: true, access: num(func(i *Info) *uint32 { return &i.Sacked }),
		Doc: "Segments acknowledged selectively; of a listener: the accept queue's limit, the backlog given to listen."},
	{Name: "lost", Offset: 32, Size: 4, Unit: Segments, Since: "2.4", access: num(func(i *Info) *uint32 { return &i.Lost }),
		Doc: "Segments in flight that are taken for lost."},
	{Name: "retrans", Offset: 36, Size: 4, Unit: Segments, Since: "2.4", access: num(func(i *Info) *uint32 { return &i.Retrans }),
		Doc: "Retransmitted segments that are now in flight."},
	{Name: "fackets", Offset: 40, Size: 4, Unit: Segments, Since: "2.4", access: num(func(i *Info) *uint32 { return &i.Fackets }),
		Doc: "Segments up to the highest one acknowledged selectively; always 0 since 4.15, which removed FACK."},

	{Name: "last_data_sent", Offset: 44, Size: 4, Unit: Milliseconds, Since: "2.4", access: msec(func(i *Info) *time.Duration { return &i.LastDataSent }),
		Doc: "How long ago data was last sent."},
	{Name: "last_ack_sent", Offset: 48, Size: 4, Unit: Milliseconds, Since: "2.4", access: msec(func(i *Info) *time.Duration { return &i.LastAckSent }),
		Doc: "Not remembered by the kernel: always 0."},
	{Name: "last_data_recv", Offset: 52, Size: 4, Unit: Milliseconds, Since: "2.4", access: msec(func(i *Info) *time.Duration { return &i.LastDataRecv }),
		Doc: "How long ago data last arrived."},
	{Name: "last_ack_recv", Offset: 56, Size: 4, Unit: Milliseconds, Since: "2.4", access: msec(func(i *Info) *time.Duration { return &i.LastAckRecv }),
		Doc: "How long ago an acknowledgment last arrived."},

	{Name: "pmtu", Offset: 60, Size: 4, Unit: Bytes, Since: "2.4", access: num(func(i *Info) *uint32 { return &i.PMTU }),
		Doc: "The path's MTU as far as it is known."},
	{Name: "rcv_ssthresh", Offset: 64, Size: 4, Unit: Bytes, Since: "2.4", access: num(func(i *Info) *uint32 { return &i.RcvSsthresh }),
		Doc: "The largest window that this side is willing to announce for now."},
	{Name: "rtt", Offset: 68, Size: 4, Unit: Microseconds, Since: "2.4", access: usec(func(i *Info) *time.Duration { return &i.RTT }),
		Doc: "The smoothed round-trip time (SRTT of RFC 6298)."},
	{Name: "rttvar", Offset: 72, Size: 4, Unit: Microseconds, Since: "2.4", access: usec(func(i *Info) *time.Duration { return &i.RTTVar }),
		Doc: "The round-trip time's mean deviation (RTTVAR of RFC 6298)."},
	{Name: "snd_ssthresh", Offset: 76, Size: 4, Unit: Segments, Since: "2.4", access: num(func(i *Info) *uint32 { return &i.SndSsthresh }),
		Doc: "The slow start threshold; 2147483647 until there was congestion."},
	{Name: "snd_cwnd", Offset: 80, Size: 4, Unit: Segments, Since: "2.4", listen: true, access: num(func(i *Info) *uint32 { return &i.SndCwnd }),
		Doc: "The congestion window."},
	{Name: "advmss", Offset: 84, Size: 4, Unit: Bytes, Since: "2.4", access: num(func(i *Info) *uint32 { return &i.AdvMSS }),
		Doc: "The MSS that this side announced."},
	{Name: "reordering", Offset: 88, Size: 4, Unit: Segments, Since: "2.4", listen: true, access: num(func(i *Info) *uint32 { return &i.Reordering }),
		Doc: "By how many places a segment may be late before it counts as lost."},

	{Name: "rcv_rtt", Offset: 92, Size: 4, Unit: Microseconds, Since: "2.6", access: usec(func(i *Info) *time.Duration { return &i.RcvRTT }),
		Doc: "The round-trip time as the receiving side estimates it, to size its buffer; 0 before there is an estimate."},
	{Name: "rcv_space", Offset: 96, Size: 4, Unit: Bytes, Since: "2.6", access: num(func(i *Info) *uint32 { return &i.RcvSpace }),
		Doc: "How much the application read in one round trip, to size the receive buffer."},
	{Name: "total_retrans", Offset: 100, Size: 4, Unit: Segments, Since: "2.6", access: num(func(i *Info) *uint32 { return &i.TotalRetrans }),
		Doc: "Segments retransmitted in the connection's life."},

	{Name: "pacing_rate", Offset: 104, Size: 8, Unit: BytesPerSecond, Since: "3.15", listen: true, access: num(func(i *Info) *uint64 { return &i.PacingRate }),
		Doc: "How fast segments are let out; all ones: as fast as they come."},
	{Name: "max_pacing_rate", Offset: 112, Size: 8, Unit: BytesPerSecond, Since: "3.15", listen: true, access: num(func(i *Info) *uint64 { return &i.MaxPacingRate }),
		Doc: "The limit set by SO_MAX_PACING_RATE; all ones: none."},
	{Name: "bytes_acked", Offset: 120, Size: 8, Unit: Bytes, Since: "4.1", access: num(func(i *Info) *uint64 { return &i.BytesAcked }),
		Doc: "Sequence numbers sent and acknowledged, SYN and FIN included (RFC 4898 tcpEStatsAppHCThruOctetsAcked)."},
	{Name: "bytes_received", Offset: 128, Size: 8, Unit: Bytes, Since: "4.1", access: num(func(i *Info) *uint64 { return &i.BytesReceived }),
		Doc: "Sequence numbers received in order, FIN included (RFC 4898 tcpEStatsAppHCThruOctetsReceived)."},
	{Name: "segs_out", Offset: 136, Size: 4, Unit: Segments, Since: "4.2", access: num(func(i *Info) *uint32 { return &i.SegsOut }),
		Doc: "Segments sent, retransmissions and bare acknowledgments included (RFC 4898 tcpEStatsPerfSegsOut)."},
	{Name: "segs_in", Offset: 140, Size: 4, Unit: Segments, Since: "4.2", access: num(func(i *Info) *uint32 { return &i.SegsIn }),
		Doc: "Segments received (RFC 4898 tcpEStatsPerfSegsIn)."},

	{Name: "notsent_bytes", Offset: 144, Size: 4, Unit: Bytes, Since: "4.6", access: num(func(i *Info) *uint32 { return &i.NotsentBytes }),
		Doc: "Bytes in the send queue that were never sent."},
	{Name: "min_rtt", Offset: 148, Size: 4, Unit: Microseconds, Since: "4.6", access: usec(func(i *Info) *time.Duration { return &i.MinRTT }),
		Doc: "The smallest round-trip time in the last tcp_min_rtt_wlen seconds; all ones: none measured yet."},
	{Name: "data_segs_in", Offset: 152, Size: 4, Unit: Segments, Since: "4.6", access: num(func(i *Info) *uint32 { return &i.DataSegsIn }),
		Doc: "Segments with data received (RFC 4898 tcpEStatsPerfDataSegsIn)."},
	{Name: "data_segs_out", Offset: 156, Size: 4, Unit: Segments, Since: "4.6", access: num(func(i *Info) *uint32 { return &i.DataSegsOut }),
		Doc: "Segments with data sent, retransmissions included (RFC 4898 tcpEStatsPerfDataSegsOut)."},

	{Name: "delivery_rate", Offset: 160, Size: 8, Unit: BytesPerSecond, Since: "4.9", access: num(func(i *Info) *uint64 { return &i.DeliveryRate }),
		Doc: "How fast data arrived at the peer, in the last sample; 0 before there was one."},

	{Name: "busy_time", Offset: 168, Size: 8, Unit: Microseconds, Since: "4.10", access: usec(func(i *Info) *time.Duration { return &i.BusyTime }),
		Doc: "Time spent with data to send or to have acknowledged."},
	{Name: "rwnd_limited", Offset: 176, Size: 8, Unit: Microseconds, Since: "4.10", access: usec(func(i *Info) *time.Duration { return &i.RwndLimited }),
		Doc: "Time of busy_time in which the peer's window held the data back."},
	{Name: "sndbuf_limited", Offset: 184, Size: 8, Unit: Microseconds, Since: "4.10", access: usec(func(i *Info) *time.Duration { return &i.SndbufLimited }),
		Doc: "Time of busy_time in which the send buffer was too small."},

	{Name: "delivered", Offset: 192, Size: 4, Unit: Segments, Since: "4.18", access: num(func(i *Info) *uint32 { return &i.Delivered }),
		Doc: "Segments that arrived at the peer, as its acknowledgments say, the SYN included."},
	{Name: "delivered_ce", Offset: 196, Size: 4, Unit: Segments, Since: "4.18", access: num(func(i *Info) *uint32 { return &i.DeliveredCE }),
		Doc: "Of delivered, those that the peer reported as marked with congestion (ECN)."},
	{Name: "bytes_sent", Offset: 200, Size: 8, Unit: Bytes, Since: "4.19", access: num(func(i *Info) *uint64 { return &i.BytesSent }),
		Doc: "Bytes of data sent, retransmissions included (RFC 4898 tcpEStatsPerfHCDataOctetsOut)."},
	{Name: "bytes_retrans", Offset: 208, Size: 8, Unit: Bytes, Since: "4.19", access: num(func(i *Info) *uint64 { return &i.BytesRetrans }),
		Doc: "Bytes of data retransmitted (RFC 4898 tcpEStatsPerfOctetsRetrans)."},
	{Name: "dsack_dups", Offset: 216, Size: 4, Unit: Segments, Since: "4.19", access: num(func(i *Info) *uint32 { return &i.DSACKDups }),
		Doc: "Segments that the peer reported to have received twice (RFC 4898 tcpEStatsStackDSACKDups)."},
	{Name: "reord_seen", Offset: 220, Size: 4, Since: "4.19", access: num(func(i *Info) *uint32 { return &i.ReordSeen }),
		Doc: "How often segments were seen to arrive at the peer out of order."},

	{Name: "rcv_ooopack", Offset: 224, Size: 4, Unit: Segments, Since: "5.4", access: num(func(i *Info) *uint32 { return &i.RcvOOOPack }),
		Doc: "Segments received out of order."},
	{Name: "snd_wnd", Offset: 228, Size: 4, Unit: Bytes, Since: "5.4", access: num(func(i *Info) *uint32 { return &i.SndWnd }),
		Doc: "The window that the peer announced, scaled."},
	{Name: "rcv_wnd", Offset: 232, Size: 4, Unit: Bytes, Since: "6.2", access: num(func(i *Info) *uint32 { return &i.RcvWnd }),
		Doc: "The window that this side announced, scaled."},
	{Name: "rehash", Offset: 236, Size: 4, Since: "6.2", access: num(func(i *Info) *uint32 { return &i.Rehash }),
		Doc: "How often the flow's hash was changed, in hope of a better path."},

	{Name: "total_rto", Offset: 240, Size: 2, Since: "6.7", access: num(func(i *Info) *uint16 { return &i.TotalRTO }),
		Doc: "Retransmission timeouts in the connection's life, those of the handshake included."},
	{Name: "total_rto_recoveries", Offset: 242, Size: 2, Since: "6.7", access: num(func(i *Info) *uint16 { return &i.TotalRTORecoveries }),
		Doc: "How often the connection had to recover from timeouts."},
	{Name: "total_rto_time", Offset: 244, Size: 4, Unit: Milliseconds, Since: "6.7", access: msec(func(i *Info) *time.Duration { return &i.TotalRTOTime }),
		Doc: "Time spent recovering from timeouts."},

	{Name: "received_ce", Offset: 248, Size: 4, Unit: Segments, Since: "6.18", access: num(func(i *Info) *uint32 { return &i.ReceivedCE }),
		Doc: "Segments received that were marked with congestion (ECN)."},
	{Name: "delivered_e1_bytes", Offset: 252, Size: 4, Unit: Bytes, Since: "6.18", access: num(func(i *Info) *uint32 { return &i.DeliveredE1Bytes }),
		Doc: "Bytes that the peer reported to have received marked ECT(1) (Accurate ECN)."},
	{Name: "delivered_e0_bytes", Offset: 256, Size: 4, Unit: Bytes, Since: "6.18", access: num(func(i *Info) *uint32 { return &i.DeliveredE0Bytes }),
		Doc: "Bytes that the peer reported to have received marked ECT(0) (Accurate ECN)."},
	{Name: "delivered_ce_bytes", Offset: 260, Size: 4, Unit: Bytes, Since: "6.18", access: num(func(i *Info) *uint32 { return &i.DeliveredCEBytes }),
		Doc: "Bytes that the peer reported to have received marked CE (Accurate ECN)."},
	{Name: "received_e1_bytes", Offset: 264, Size: 4, Unit: Bytes, Since: "6.18", access: num(func(i *Info) *uint32 { return &i.ReceivedE1Bytes }),
		Doc: "Bytes received marked ECT(1)."},
	{Name: "received_e0_bytes", Offset: 268, Size: 4, Unit: Bytes, Since: "6.18", access: num(func(i *Info) *uint32 { return &i.ReceivedE0Bytes }),
		Doc: "Bytes received marked ECT(0)."},
	{Name: "received_ce_bytes", Offset: 272, Size: 4, Unit: Bytes, Since: "6.18", access: num(func(i *Info) *uint32 { return &i.ReceivedCEBytes }),
		Doc: "Bytes received marked CE."},
	{Name: "accecn_fail_mode", Offset: 276, Size: 2, Since: "6.18", gone: release{7, 0}, access: num(func(i *Info) *AccECNFail { return &i.AccECNFailMode }),
		Doc: "In which directions Accurate ECN was found not to work."},
	{Name: "accecn_opt_seen", Offset: 278, Size: 2, Since: "6.18", gone: release{7, 0}, access: num(func(i *Info) *AccECNSeen { return &i.AccECNOptSeen }),
		Doc: "Whether the peer's Accurate ECN option was seen."},
}

// knownLen is the length of struct tcp_info in Linux 6.18.
const knownLen = 280
