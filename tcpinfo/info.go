package tcpinfo

import "time"

// Info is struct tcp_info (include/uapi/linux/tcp.h) with every field that it had up to Linux 6.18. The names are the kernel's
// without "tcpi_"; times that the kernel gives in micro- or milliseconds are a time.Duration. Fields (the function)
// says of each what it means and since when it exists.
//
// The struct grew over the years, and a field that this kernel does not have is zero here. Has tells a zero that was
// reported from a field that was not.
type Info struct {
	State                  State
	CAState                CAState
	Retransmits            uint8
	Probes                 uint8
	Backoff                uint8
	Options                Options
	SndWscale              uint8 // 4 bits: the shift of windows the peer announces
	RcvWscale              uint8 // 4 bits: the shift of windows this side announces
	DeliveryRateAppLimited bool
	FastopenClientFail     FastopenFail // 2 bits

	RTO    time.Duration
	ATO    time.Duration
	SndMSS uint32
	RcvMSS uint32

	Unacked uint32 // of a listener: connections in the accept queue
	Sacked  uint32 // of a listener: the accept queue's limit
	Lost    uint32
	Retrans uint32
	Fackets uint32

	LastDataSent time.Duration
	LastAckSent  time.Duration
	LastDataRecv time.Duration
	LastAckRecv  time.Duration

	PMTU        uint32
	RcvSsthresh uint32
	RTT         time.Duration
	RTTVar      time.Duration
	SndSsthresh uint32
	SndCwnd     uint32
	AdvMSS      uint32
	Reordering  uint32

	RcvRTT   time.Duration
	RcvSpace uint32

	TotalRetrans uint32

	PacingRate    uint64 // bytes a second; all ones: not limited
	MaxPacingRate uint64 // bytes a second; all ones: not limited
	BytesAcked    uint64
	BytesReceived uint64
	SegsOut       uint32
	SegsIn        uint32

	NotsentBytes uint32
	MinRTT       time.Duration // all ones (4294.967295 s): none measured yet
	DataSegsIn   uint32
	DataSegsOut  uint32

	DeliveryRate uint64 // bytes a second

	BusyTime      time.Duration
	RwndLimited   time.Duration
	SndbufLimited time.Duration

	Delivered   uint32
	DeliveredCE uint32

	BytesSent    uint64
	BytesRetrans uint64
	DSACKDups    uint32
	ReordSeen    uint32

	RcvOOOPack uint32
	SndWnd     uint32
	RcvWnd     uint32
	Rehash     uint32

	TotalRTO           uint16
	TotalRTORecoveries uint16
	TotalRTOTime       time.Duration

	ReceivedCE       uint32
	DeliveredE1Bytes uint32
	DeliveredE0Bytes uint32
	DeliveredCEBytes uint32
	ReceivedE1Bytes  uint32
	ReceivedE0Bytes  uint32
	ReceivedCEBytes  uint32
	AccECNFailMode   AccECNFail
	AccECNOptSeen    AccECNSeen

	// Len is how many bytes of struct tcp_info the kernel gave: what lies beyond is absent.
	Len int
	// Extra holds what a newer kernel gave beyond the fields known here.
	Extra []byte

	layout release
}
