// Package explain says in a few sentences what a TCP state waits for, what makes a counter of the kernel rise, why a
// call gives an error, and what timers, socket options, calls and sysctls do: echoc prints them, and docs/ have their
// tables from them.
package explain

import "socklife/tcpinfo"

// Waiting is what a connection in a state waits for.
type Waiting struct {
	Waits   string   // one sentence: what it waits for
	Who     string   // who must act, as seen from the connection's own end
	Act     string   // one sentence: what ends the state
	Lasts   string   // one sentence: how long it may last
	Governs []string // the sysctls, socket options and calls that decide about it
}

// Who must act for a connection to leave the state it is in.
const (
	applicationHere   = "the application here"
	peersKernel       = "the peer's kernel"
	peersApplication  = "the peer's application"
	eitherApplication = "the application at either end" // no end has to do anything: data may flow
	aTimer            = "nobody: a timer ends it"
)

// State says what a connection in one of the eleven states of [tcpinfo.States] waits for, who must act, how long it may
// last and what governs that, on Linux. Sources: RFC 9293 section 3.3.2, tcp(7), socket(7) and the kernel's
// Documentation/networking/ip-sysctl.rst. Of any other state it says nothing.
func State(s tcpinfo.State) Waiting { return states[s] }

var states = map[tcpinfo.State]Waiting{
	tcpinfo.Listen: {
		Waits: "A socket in LISTEN waits for SYNs from clients that want to connect.",
		Who:   peersApplication,
		Act:   "A client calls connect(); this socket stays in LISTEN and a new one is made for the connection, which accept() hands out.",
		Lasts: "Until the application closes it or shuts its receiving side down.",
		Governs: []string{"listen(2) backlog, up to net.core.somaxconn: limits the accept queue (one more fits) and the SYN queue",
			"net.ipv4.tcp_syncookies: whether SYNs beyond that are answered", "net.ipv4.tcp_max_syn_backlog: where tcp_syncookies is 0", "net.ipv4.tcp_abort_on_overflow", "TCP_DEFER_ACCEPT"},
	},
	tcpinfo.SynSent: {
		Waits: "A connection in SYN-SENT has sent a SYN and waits for the peer's SYN-ACK.",
		Who:   peersKernel,
		Act:   "The peer's kernel answers with a SYN-ACK (or an RST: connection refused), or the SYN is sent again until connect() gives up with ETIMEDOUT.",
		Lasts: "About two minutes with the default of tcp_syn_retries, 6 (since Linux 6.5 that is ten retransmissions in all); less with TCP_USER_TIMEOUT.",
		Governs: []string{"net.ipv4.tcp_syn_retries", "net.ipv4.tcp_syn_linear_timeouts: how many retransmissions come each second before the waits double (Linux 6.5)",
			"TCP_SYNCNT", "TCP_USER_TIMEOUT", "SO_SNDTIMEO: how long connect() waits"},
	},
	tcpinfo.SynReceived: {
		Waits: "A connection in SYN-RECEIVED has answered a SYN with a SYN-ACK and waits for the ACK that completes the handshake.",
		Who:   peersKernel,
		Act:   "The peer's kernel sends the ACK; with TCP_DEFER_ACCEPT the peer's application has to send data too; and where the accept queue is full, the application here has to accept.",
		Lasts: "About one minute with the default of five retransmissions of the SYN-ACK; TCP_DEFER_ACCEPT has a time of its own.",
		Governs: []string{"net.ipv4.tcp_synack_retries", "listen(2) backlog: how many there may be", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_max_syn_backlog: where tcp_syncookies is 0", "net.ipv4.tcp_abort_on_overflow",
			"TCP_DEFER_ACCEPT"},
	},
	tcpinfo.Established: {
		Waits: "A connection in ESTABLISHED waits for data, in either direction, or for either application to end its side.",
		Who:   eitherApplication,
		Act:   "Either application sends, or calls shutdown(SHUT_WR) or close().",
		Lasts: "Without limit: an idle connection sends nothing, and does not notice that its peer is gone, unless keepalive is on; data that is not acknowledged ends it after about fifteen minutes.",
		Governs: []string{"SO_KEEPALIVE with TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, or net.ipv4.tcp_keepalive_time, tcp_keepalive_intvl, tcp_keepalive_probes",
			"TCP_USER_TIMEOUT", "net.ipv4.tcp_retries2"},
	},
	tcpinfo.FinWait1: {
		Waits: "A connection in FIN-WAIT-1 has ended its sending side and waits for the peer to acknowledge the FIN, and the data before it.",
		Who:   peersKernel,
		Act:   "The peer's kernel acknowledges the FIN; while the peer's window is full, the peer's application has to read first, because the FIN waits behind the data.",
		Lasts: "One round trip; if the peer is silent, as long as retransmissions go on; if its window stays full, without limit while the descriptor is open.",
		Governs: []string{"net.ipv4.tcp_retries2; net.ipv4.tcp_orphan_retries after close()", "TCP_USER_TIMEOUT", "SO_LINGER: how long close() waits for it",
			"net.ipv4.tcp_max_orphans"},
	},
	tcpinfo.FinWait2: {
		Waits: "A connection in FIN-WAIT-2 has ended its sending side, the peer knows it, and it waits for the peer to end its own.",
		Who:   peersApplication,
		Act:   "The peer's application, which is in CLOSE-WAIT, calls close() or shutdown(SHUT_WR).",
		Lasts: "Without limit while the descriptor is open; tcp_fin_timeout (60 s) after close().",
		Governs: []string{"net.ipv4.tcp_fin_timeout", "TCP_LINGER2",
			"SO_KEEPALIVE, while the descriptor is open"},
	},
	tcpinfo.CloseWait: {
		Waits: "A connection in CLOSE-WAIT has received the peer's FIN and waits for the application here to end its side.",
		Who:   applicationHere,
		Act:   "The application here calls close() or shutdown(SHUT_WR), once it has sent what it still has to send; if it has not accepted the connection yet, it calls accept() first.",
		Lasts: "Without limit: no timer ends it, and no sysctl; where it piles up, an application does not close its descriptors, or does not even accept the connections (then no process has them, and ss shows ino:0).",
		Governs: []string{"close(2), shutdown(2): nothing else",
			"SO_KEEPALIVE: ends it only if the peer is gone"},
	},
	tcpinfo.Closing: {
		Waits: "A connection in CLOSING has sent a FIN and received the peer's, at the same time, and waits for its own to be acknowledged.",
		Who:   peersKernel,
		Act:   "The peer's kernel acknowledges the FIN; if data is before it that the peer's window has no room for, the peer's application has to read first.",
		Lasts: "One round trip; if the peer is silent, as long as retransmissions go on.",
		Governs: []string{"net.ipv4.tcp_retries2; net.ipv4.tcp_orphan_retries after close()",
			"TCP_USER_TIMEOUT"},
	},
	tcpinfo.LastAck: {
		Waits: "A connection in LAST-ACK received the peer's FIN first, has sent its own, and waits for that to be acknowledged.",
		Who:   peersKernel,
		Act:   "The peer's kernel acknowledges the FIN; if data is before it that the peer's window has no room for, the peer's application has to read first.",
		Lasts: "One round trip; if the peer is silent, as long as retransmissions go on.",
		Governs: []string{"net.ipv4.tcp_retries2; net.ipv4.tcp_orphan_retries after close()",
			"TCP_USER_TIMEOUT"},
	},
	tcpinfo.TimeWait: {
		Waits: "A connection in TIME-WAIT is over, and waits for segments that may still be under way to die out, and to answer the peer's FIN again if the last ACK was lost.",
		Who:   aTimer,
		Act:   "Nobody has to act: a timer removes it; no descriptor is left, and it costs a few hundred bytes.",
		Lasts: "60 seconds, a constant of Linux (TCP_TIMEWAIT_LEN) where RFC 9293 says twice the maximum segment lifetime; a new SYN from the peer may take it over earlier.",
		Governs: []string{"net.ipv4.tcp_tw_reuse: for new connections from here", "SO_REUSEADDR: to bind its port meanwhile",
			"net.ipv4.tcp_max_tw_buckets", "net.ipv4.tcp_rfc1337: whether an RST ends it", "SO_LINGER {1, 0}: avoids it, with an RST that may lose data"},
	},
	tcpinfo.Closed: {
		Waits: "A socket in CLOSED is no connection: it is new, or its connection is over, or TIME-WAIT goes on without it.",
		Who:   applicationHere,
		Act:   "The application here calls bind(), listen() or connect(), or close().",
		Lasts: "Without limit, while the descriptor is open.",
		Governs: []string{"SO_ERROR: why a connection ended",
			"net.ipv4.ip_local_port_range, IP_LOCAL_PORT_RANGE: the ports that connect() picks from"},
	},
}
