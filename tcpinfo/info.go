package tcpinfo

import "time"

// Info is struct tcp_info (include/uapi/linux/tcp.h) with every field that it had up to Linux 6.18. The names are the
// kernel's without "tcpi_"; times that the kernel gives in micro- or milliseconds are a time.Duration. Fields (the
// function) says of each what it means and since when it exists.
//
// The struct grew over the years, and a field that this kernel does not have is zero here. Has tells a zero that was
// reported from a field that was not.
type Info struct {
	State                  State
	CAState                CAState
	Retransmits            uint8
	Probes                 uint8
	Backoff                uint8
	Options                TCPOptions
	SndWscale              uint8 // 4 bits: the shift of windows the peer announces
	RcvWscale              uint8 // 4 bits: the shift of windows this side announces
	DeliveryRateAppLimited bool
	FastopenClientFail     FastopenFail // 2 bits

	RTO    time.Duration
	ATO    time.Duration
	SndMSS uint32 // bytes
	RcvMSS uint32 // bytes

	Unacked uint32 // segments; of a listener: connections in the accept queue
	Sacked  uint32 // segments; of a listener: the accept queue's limit
	Lost    uint32 // segments
	Retrans uint32 // segments
	Fackets uint32 // segments

	LastDataSent time.Duration
	LastAckSent  time.Duration
	LastDataRecv time.Duration
	LastAckRecv  time.Duration

	PMTU        uint32 // bytes
	RcvSsthresh uint32 // bytes
	RTT         time.Duration
	RTTVar      time.Duration
	SndSsthresh uint32 // segments
	SndCwnd     uint32 // segments
	AdvMSS      uint32 // bytes
	Reordering  uint32 // segments

	RcvRTT   time.Duration
	RcvSpace uint32 // bytes

	TotalRetrans uint32 // segments

	PacingRate    uint64 // bytes a second; all ones: not limited
	MaxPacingRate uint64 // bytes a second; all ones: not limited
	BytesAcked    uint64 // bytes
	BytesReceived uint64 // bytes
	SegsOut       uint32 // segments
	SegsIn        uint32 // segments

	NotsentBytes uint32        // bytes
	MinRTT       time.Duration // all ones (4294.967295 s): none measured yet
	DataSegsIn   uint32        // segments
	DataSegsOut  uint32        // segments

	DeliveryRate uint64 // bytes a second

	BusyTime      time.Duration
	RwndLimited   time.Duration
	SndbufLimited time.Duration

	Delivered   uint32 // segments
	DeliveredCE uint32 // segments

	BytesSent    uint64 // bytes
	BytesRetrans uint64 // bytes
	DSACKDups    uint32 // segments
	ReordSeen    uint32

	RcvOOOPack uint32 // segments
	SndWnd     uint32 // bytes
	RcvWnd     uint32 // bytes
	Rehash     uint32

	TotalRTO           uint16
	TotalRTORecoveries uint16
	TotalRTOTime       time.Duration

	ReceivedCE       uint32 // segments
	DeliveredE1Bytes uint32 // bytes
	DeliveredE0Bytes uint32 // bytes
	DeliveredCEBytes uint32 // bytes
	ReceivedE1Bytes  uint32 // bytes
	ReceivedE0Bytes  uint32 // bytes
	ReceivedCEBytes  uint32 // bytes
	AccECNFailMode   AccECNFail
	AccECNOptSeen    AccECNSeen

	// Len is how many bytes of struct tcp_info the kernel gave: what lies beyond is absent.
	Len int
	// Extra holds what a newer kernel gave beyond the fields known here.
	Extra []byte

	layout release
}
