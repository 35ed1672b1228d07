package tcpinfo

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Socket is what sock_diag says of one TCP socket. A pointer is nil, and a slice or string empty, where the kernel did
// not say: of SYN-RECEIVED, TIME-WAIT and an orphan's FIN-WAIT-2 it keeps and reports little more than addresses and a
// timer.
type Socket struct {
	Family uint8 `json:"-"` // unix.AF_INET or AF_INET6
	State  State `json:"state"`
	// Addresses and ports in host order. An IPv6 socket that speaks IPv4 has IPv4-mapped addresses (::ffff:192.0.2.1).
	Local     netip.AddrPort `json:"local"`
	Remote    netip.AddrPort `json:"-"`
	Interface uint32         `json:"interface,omitempty"` // index of the interface that the socket is bound to, 0 if none
	// Cookie is the kernel's number for this socket, kept to the end of TIME-WAIT and never used again; SO_COOKIE.
	Cookie uint64 `json:"cookie"`
	Timer  Timer  `json:"-"`
	// Of a listener: connections waiting for accept, and the limit. Otherwise: sequence numbers received and not read
	// (a FIN counts 1), and written and not acknowledged.
	RecvQ uint32 `json:"recv_q"`
	SendQ uint32 `json:"send_q"`
	// 0 where no descriptor is open: Inode is what /proc/PID/fd shows as socket:[inode].
	UID   uint32 `json:"-"`
	Inode uint32 `json:"inode,omitempty"`

	Mem      *Memory    `json:"skmem,omitempty"`
	Cong     string     `json:"congestion,omitempty"` // congestion control, such as "cubic"
	Shutdown *Shutdown  `json:"-"`                    // which directions are shut
	TOS      *uint8     `json:"tos,omitempty"`        // IP_TOS
	TClass   *uint8     `json:"tclass,omitempty"`     // IPV6_TCLASS
	V6Only   *bool      `json:"v6only,omitempty"`     // IPV6_V6ONLY, of sockets that listen or are closed
	Mark     *uint32    `json:"mark,omitempty"`
	ClassID  *uint32    `json:"class_id,omitempty"` // net_cls class, or SO_PRIORITY if there is none
	CgroupID *uint64    `json:"cgroup_id,omitempty"`
	SockOpt  *SockOpt   `json:"sockopt,omitempty"`
	Vegas    *VegasInfo `json:"vegas,omitempty"`
	DCTCP    *DCTCPInfo `json:"dctcp,omitempty"`
	BBR      *BBRInfo   `json:"bbr,omitempty"`
	Info     *Info      `json:"tcp_info,omitempty"`
	ULP      string     `json:"ulp,omitempty"`     // upper layer protocol, such as "tls" or "mptcp"
	Unknown  []Attr     `json:"unknown,omitempty"` // what else the kernel sent
}

// Shutdown is the set of directions in which a socket is shut (INET_DIAG_SHUTDOWN; RCV_SHUTDOWN and SEND_SHUTDOWN,
// include/net/sock.h).
type Shutdown uint8

// The directions, one bit each.
const (
	RcvShutdown  Shutdown = 1 // nothing more is received: a FIN came, or shutdown(SHUT_RD)
	SendShutdown Shutdown = 2 // nothing more is sent: shutdown(SHUT_WR), or close
)

var shutdownNames = []string{"RCV_SHUTDOWN", "SEND_SHUTDOWN"}

// Names lists the directions that are in the set, by the kernel's names; it is empty and not nil where none is.
func (s Shutdown) Names() []string { return bitNames(uint64(s), shutdownNames) }

// String joins the names with commas.
func (s Shutdown) String() string { return strings.Join(s.Names(), ",") }

// Attr is an attribute of a reply that this package has no field for.
type Attr struct {
	Type uint16 `json:"type"` // INET_DIAG_…, include/uapi/linux/inet_diag.h
	Data []byte `json:"data"` // base64 in JSON
}

// TimerKind is the timer that is running for a socket, numbered as in idiag_timer.
type TimerKind uint8

// The timers. The kernel reports one: the first of these that runs, in the order on, persist, keepalive.
const (
	TimerNone      TimerKind = 0
	TimerOn        TimerKind = 1 // retransmission of data, of a FIN, of a SYN or SYN-ACK; or a loss probe
	TimerKeepalive TimerKind = 2 // keepalive; also of an orphan's FIN-WAIT-2, as long as more than 60 s are left
	TimerTimeWait  TimerKind = 3 // the end of TIME-WAIT, or of an orphan's FIN-WAIT-2
	TimerPersist   TimerKind = 4 // the next window probe: the peer's window is full
	TimerDelack    TimerKind = 5 // a delayed acknowledgment, in kernels newer than 6.18
)

// String gives the names that ss(8) prints, and "none".
func (k TimerKind) String() string {
	return enum(uint64(k), "none", "on", "keepalive", "timewait", "persist", "delack")
}

// MarshalText makes the kind readable in JSON.
func (k TimerKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Timer is the timer that is running for a socket.
type Timer struct {
	Kind    TimerKind
	Expires time.Duration // how long from now, to the millisecond
	Retrans uint8         // retransmissions (of the SYN-ACK in SYN-RECEIVED) or probes sent since the last answer
}

// String is as ss(8) prints a timer: kind, time left, retransmissions; "none" where none runs.
func (t Timer) String() string {
	if t.Kind == TimerNone {
		return "none"
	}
	return fmt.Sprintf("%v,%v,%d", t.Kind, t.Expires, t.Retrans)
}

// Memory is what a socket holds, in bytes (INET_DIAG_SKMEMINFO: SK_MEMINFO_…, include/uapi/linux/sock_diag.h).
type Memory struct {
	RmemAlloc  uint32 `json:"rmem_alloc"`  // of received segments, with their overhead
	Rcvbuf     uint32 `json:"rcvbuf"`      // SO_RCVBUF
	WmemAlloc  uint32 `json:"wmem_alloc"`  // of segments handed to the network device
	Sndbuf     uint32 `json:"sndbuf"`      // SO_SNDBUF
	FwdAlloc   int32  `json:"fwd_alloc"`   // reserved and not in use yet
	WmemQueued uint32 `json:"wmem_queued"` // of the send queue
	Optmem     uint32 `json:"optmem"`      // of options and filters
	Backlog    uint32 `json:"backlog"`     // arrived while the socket was locked
	Drops      uint32 `json:"drops"`       // segments dropped (Linux 4.7)
}

// SockOpt is a set of switches of a socket (struct inet_diag_sockopt, Linux 5.10).
type SockOpt struct {
	RecvErr           bool `json:"recverr"`              // IP_RECVERR
	IsICSK            bool `json:"is_icsk"`              // it is a connection-oriented socket
	Freebind          bool `json:"freebind"`             // IP_FREEBIND
	HdrIncl           bool `json:"hdrincl"`              // IP_HDRINCL
	McLoop            bool `json:"mc_loop"`              // IP_MULTICAST_LOOP
	Transparent       bool `json:"transparent"`          // IP_TRANSPARENT
	McAll             bool `json:"mc_all"`               // IP_MULTICAST_ALL
	Nodefrag          bool `json:"nodefrag"`             // IP_NODEFRAG
	BindAddressNoPort bool `json:"bind_address_no_port"` // IP_BIND_ADDRESS_NO_PORT
	RecvErrRFC4884    bool `json:"recverr_rfc4884"`      // IP_RECVERR_RFC4884
	DeferConnect      bool `json:"defer_connect"`        // TCP_FASTOPEN_CONNECT put the SYN off
}

// VegasInfo is the state of the "vegas" congestion control and of those that report like it (struct tcpvegas_info).
type VegasInfo struct {
	Enabled bool
	RTTCnt  uint32
	RTT     time.Duration
	MinRTT  time.Duration
}

// DCTCPInfo is the state of the "dctcp" congestion control (struct tcp_dctcp_info).
type DCTCPInfo struct {
	Enabled bool   `json:"enabled"`
	CEState uint16 `json:"ce_state"`
	Alpha   uint32 `json:"alpha"`        // the share of marked bytes, in 1024ths
	AbECN   uint32 `json:"ab_ecn_bytes"` // bytes acknowledged with a mark
	AbTot   uint32 `json:"ab_tot_bytes"` // bytes acknowledged
}

// BBRInfo is the state of the "bbr" congestion control (struct tcp_bbr_info).
type BBRInfo struct {
	Bandwidth  uint64 // estimated, bytes a second
	MinRTT     time.Duration
	PacingGain uint32 // in 256ths
	CwndGain   uint32 // in 256ths
}
