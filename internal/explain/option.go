package explain

import "strings"

// Option is an option of a socket.
type Option struct {
	Name    string // SO_REUSEADDR
	Does    string // one sentence: what it does, or tells
	When    string // one sentence: when to set it, or to ask
	Default string // what it is if nobody sets it; "" for what can only be asked
	Man     string // where it is described
	Seen    string // the scenario that shows it; "" if none does
}

// Options are all that are explained: those that bind, listen and connect go by, those of a connection, those of its
// end, and those that only tell something.
func Options() []Option { return options }

// FindOption finds one by its name, in any case, with its prefix or without, or by the flag that sets it: SO_REUSEADDR,
// reuseaddr, --user-timeout. nil if it is not explained.
func FindOption(word string) *Option {
	plain := strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(word, "--"), "-", "_"))
	for _, prefix := range []string{"", "SO_", "TCP_", "IP_", "IPV6_"} {
		for i := range options {
			if options[i].Name == prefix+plain {
				return &options[i]
			}
		}
	}
	return nil
}

var options = []Option{
	// addresses and listeners

	{"SO_REUSEADDR", "bind() succeeds beside connections at that port, those in TIME-WAIT too, if their sockets had the option; never beside a live listener.",
		"In every server, before bind(): else it cannot start again for a minute.", "off", "socket(7)", "reuseaddr"},
	{"SO_REUSEPORT", "Several sockets listen on one address and port, each with an accept queue of its own; the kernel spreads new connections by a hash.",
		"For workers with a listener each: on all of them, before bind(), by one user.", "off", "socket(7)", "reuseport"},
	{"SO_ATTACH_REUSEPORT_EBPF", "A BPF program chooses which listener of a SO_REUSEPORT group gets a connection.",
		"Where the hash is not good enough, or to drain one listener.", "none", "socket(7)", ""},
	{"IPV6_V6ONLY", "A socket bound to [::] does not take IPv4 connections (as ::ffff:192.0.2.1) too.",
		"Before bind(), where IPv4 has a listener of its own at that port.", "net.ipv6.bindv6only (off)", "ipv6(7)", ""},
	{"IP_LOCAL_PORT_RANGE", "connect() chooses the local port from this range (Linux 6.3), within net.ipv4.ip_local_port_range.",
		"To share one address's ports among tenants; or to run out of them on purpose.", "net.ipv4.ip_local_port_range", "ip(7)", "port-exhaustion"},
	{"IP_BIND_ADDRESS_NO_PORT", "bind() with port 0 fixes the address alone, and connect() chooses the port, for that destination.",
		"In clients that bind a source address and open many connections.", "off", "ip(7)", ""},
	{"TCP_DEFER_ACCEPT", "A connection stays SYN-RECEIVED, and is not accepted, until it has sent data, or until this time is over.",
		"On a listener whose clients speak first.", "off", "tcp(7)", "syn-queue"},
	{"TCP_SAVE_SYN", "A listener keeps the SYN of each connection, for TCP_SAVED_SYN.",
		"On a listener, to see what clients offered.", "off", "tcp(7)", "handshake"},
	{"TCP_SYNCNT", "connect() gives up after so many SYNs without an answer (ETIMEDOUT); since Linux 6.5 it is rather the time that so many would take, with doubling waits.",
		"Before connect(), where two minutes are too long.", "net.ipv4.tcp_syn_retries (6)", "tcp(7)", "connect-timeout"},

	// a connection

	{"SO_RCVBUF", "The receive buffer's size, which bounds the window that the peer is offered; the kernel doubles it and then does not adapt it any more.",
		"Seldom: the kernel adapts it by itself; if at all, before listen() or connect(), where the window scale is settled.", "net.ipv4.tcp_rmem (131072, adapted)", "socket(7), tcp(7)", "half-close"},
	{"SO_SNDBUF", "The send buffer's size: how much write() takes that is not acknowledged yet; the kernel doubles it and then does not adapt it any more.",
		"Seldom: the kernel adapts it by itself.", "net.ipv4.tcp_wmem (16384, adapted)", "socket(7), tcp(7)", "half-close"},
	{"SO_RCVTIMEO", "accept() and read() wait no longer than this: EAGAIN.", "Where a blocking call may not wait indefinitely.", "0: no limit", "socket(7)", ""},
	{"SO_SNDTIMEO", "connect() and write() wait no longer than this: EINPROGRESS, while the attempt goes on, and EAGAIN.",
		"Where a blocking call may not wait indefinitely; after connect() close the socket, or the attempt goes on.", "0: no limit", "socket(7)", "connect-timeout"},
	{"TCP_NODELAY", "A small segment is sent at once, though an earlier one is not acknowledged yet (Nagle's algorithm is off).",
		"For requests that are written in several pieces, and for what somebody types.", "off", "tcp(7)", ""},
	{"TCP_QUICKACK", "Acknowledgements are sent at once and not delayed; the kernel goes back to its own mind soon.",
		"Where the delay of 40 ms hurts; again after each read().", "as the kernel sees fit", "tcp(7)", ""},
	{"TCP_MAXSEG", "The largest segment to send, and to offer in the SYN (MSS).", "Before connect() or listen(), for a path on which larger ones are lost.", "after the route's MTU", "tcp(7)", ""},
	{"TCP_USER_TIMEOUT", "A connection is given up if what it has sent stays unacknowledged so long (ETIMEDOUT): the SYN, data, a full window.",
		"On connections that send: to notice a dead peer in seconds and not in 15 minutes.", "0: by the number of retransmissions", "tcp(7), RFC 5482", "dead-peer"},
	{"SO_KEEPALIVE", "A connection that has heard nothing for TCP_KEEPIDLE asks whether the peer is still there, and is given up if nothing answers (ETIMEDOUT).",
		"On connections that are idle for long, together with the three times.", "off", "socket(7), tcp(7)", "dead-peer"},
	{"TCP_KEEPIDLE", "How long nothing must have come before the first keepalive probe.", "With SO_KEEPALIVE.", "net.ipv4.tcp_keepalive_time (7200 s)", "tcp(7)", "dead-peer"},
	{"TCP_KEEPINTVL", "How long to wait between keepalive probes.", "With SO_KEEPALIVE.", "net.ipv4.tcp_keepalive_intvl (75 s)", "tcp(7)", "dead-peer"},
	{"TCP_KEEPCNT", "How many keepalive probes may stay unanswered.", "With SO_KEEPALIVE.", "net.ipv4.tcp_keepalive_probes (9)", "tcp(7)", "dead-peer"},
	{"SO_MAX_PACING_RATE", "How many bytes a second the connection sends at most.", "To leave room for others on a link.", "no limit", "socket(7)", ""},
	{"SO_OOBINLINE", "The urgent byte stays in the stream, and is not set aside for recv() with MSG_OOB.", "Where urgent data must be received, so that no byte is lost.", "off", "socket(7)", "urgent"},
	{"SO_ATTACH_FILTER", "Each segment that arrives for the socket goes through a BPF program, which may drop it.", "In this program: to hold a connection in SYN-RECEIVED or TIME-WAIT.", "none", "socket(7)", "simultaneous-open"},
	{"SO_DETACH_FILTER", "Takes that program away.", "When the state was looked at.", "", "socket(7)", "simultaneous-open"},

	// the end

	{"SO_LINGER", "Off: close() returns at once, and the kernel delivers what was written; on, with a time: close() waits so long for the acknowledgement; on, with 0: close() sends RST, and what was not sent is lost.",
		"Hardly ever: with a time it does not say whether the data arrived, and with 0 it loses data.", "off", "socket(7)", "linger-reset"},
	{"TCP_LINGER2", "How long a connection stays in FIN-WAIT-2 after close(); negative: not at all, it is reset.",
		"For sockets whose peers often do not close.", "net.ipv4.tcp_fin_timeout (60 s)", "tcp(7)", "fin-wait-2-orphan"},

	// what can be asked

	{"SO_ERROR", "The error that waits to be told, 0 if there is none; to ask clears it.", "After poll() for a connect() that does not wait; after read() gave 0, if a reset may hide there.", "", "socket(7)", "accept-reset"},
	{"SO_ACCEPTCONN", "Whether the socket listens.", "For a descriptor that was inherited.", "", "socket(7)", ""},
	{"SO_COOKIE", "The number that the socket has in sock_diag, for its whole life; ss -e shows it as sk.", "To find a socket again when its descriptor is closed.", "", "socket(7)", "shutdown-vs-close"},
	{"SO_TYPE", "The type: SOCK_STREAM for TCP.", "For a descriptor that was inherited.", "", "socket(7)", ""},
	{"SO_PROTOCOL", "The protocol: IPPROTO_TCP, or another one with the same type.", "For a descriptor that was inherited.", "", "socket(7)", ""},
	{"TCP_INFO", "The kernel's own account of a connection: its state, timers, windows, round trip and counts.", "At any time: this program asks it after each call.", "", "tcp(7)", "half-close"},
	{"TCP_SAVED_SYN", "The SYN that made the connection, if its listener had TCP_SAVE_SYN; once.", "After accept().", "", "tcp(7)", "handshake"},
}
