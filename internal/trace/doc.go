// Package trace has the kernel itself tell each transition of a TCP socket, as it makes it: through its tracepoint
// sock:inet_sock_set_state (Linux 4.16), in a trace instance of our own. It takes root.
//
// Nothing is sampled, so a state may last for a microsecond and is not missed. But the tracepoint tells what the kernel
// does to its socket structures, and that is not quite the diagram of RFC 9293: TIME-WAIT is not in it. On Linux 6.18:
//
//	RFC 9293, figure 5                   the tracepoint
//	CLOSED → LISTEN, and back            the same; the local port is 0 if the kernel is to pick it in listen(2)
//	CLOSED → SYN-SENT                    the same, before the local port is picked: it is 0 unless the socket was bound
//	SYN-SENT → ESTABLISHED, CLOSED       the same
//	SYN-SENT → SYN-RECEIVED              the same (SYNs that crossed, a socket connected to itself)
//	LISTEN → SYN-RECEIVED                not when the SYN comes: there is no socket yet. It is shown at the end of the
//	                                     handshake, when the listener makes one (with TCP_DEFER_ACCEPT, when data comes)
//	SYN-RECEIVED → ESTABLISHED           the same; for a listener's connection within microseconds of the above
//	SYN-RECEIVED → CLOSED                not for a listener's connection (there was no socket)
//	ESTABLISHED → FIN-WAIT-1, CLOSE-WAIT the same
//	FIN-WAIT-1 → FIN-WAIT-2, CLOSING     the same
//	FIN-WAIT-1 → TIME-WAIT (one segment) FIN-WAIT-1 → FIN-WAIT-2 → CLOSED
//	FIN-WAIT-2 → TIME-WAIT               FIN-WAIT-2 → CLOSED: in TIME-WAIT there is no socket, but a smaller thing
//	CLOSING → TIME-WAIT                  CLOSING → CLOSED
//	TIME-WAIT → CLOSED                   not shown
//	TIME-WAIT → SYN-RECEIVED (RFC 6191)  LISTEN → SYN-RECEIVED of a new socket
//	CLOSE-WAIT → LAST-ACK → CLOSED       the same
//	any → CLOSED by RST, or giving up    the same, but for those of which there is no socket: SYN-RECEIVED at a listener,
//	                                     TIME-WAIT
//
// So SYN-RECEIVED of a listener's connection is shown too late, and TIME-WAIT not at all. Nor is a FIN-WAIT-2 that
// nobody holds: once the socket is closed and its FIN acknowledged, the kernel puts the same smaller thing in its place
// (unless the wait is to be longer than a minute), and FIN-WAIT-2 → CLOSED is shown at once, though FIN-WAIT-2 goes on
// for as long as tcp_fin_timeout says. sock_diag shows all three. [Event.ClosedIsNotTheEnd] tells where CLOSED may
// stand for something else.
//
// With TCP Fast Open the socket is made when the SYN comes, and SYN-RECEIVED is shown when it begins.
//
// A socket that was only bound has no transitions, and close(2) after shutdown(2), which sets the state that is set
// already, makes none here. A socket for which connect(2) picks a port a second time, because it was refused or
// disconnected before, still has the first one in the transition from CLOSED: that is taken away here. The remote
// address of LISTEN → SYN-RECEIVED is not there yet either: the same socket's next transition has it, and it is filled
// in from there.
//
// An IPv6 socket that speaks IPv4 has IPv4-mapped addresses, as in sock_diag, while a listener for both has [::].
package trace
