// Package tcpinfo reads what Linux says of its TCP sockets: their states, under the names of RFC 9293; TCP_INFO, every
// field of it up to Linux 6.18; and sock_diag, the interface beneath ss(8), with timers, queues, memory and the
// sockets that no descriptor leads to any more.
//
// # Two sources
//
// Get asks getsockopt(TCP_INFO) about an open descriptor. It costs half a microsecond. It cannot see TIME-WAIT, which
// begins when the kernel's socket has ended (the descriptor reads CLOSED), nor SYN-RECEIVED of a connection that is
// still to be accepted, nor anything after close.
//
// Dial opens a netlink socket to sock_diag(7), which sees all of these. Conn.Lookup finds one socket by its addresses
// and its cookie, in five microseconds; Conn.Dump lists those that match a Filter, which the kernel applies, in some
// hundreds; Conn.Destroy aborts one. No single source shows all eleven states; the two together do. Only Destroy needs
// a privilege.
//
// # What was not reported
//
// struct tcp_info grows from one Linux to the next. Both sources use the same decoder, which takes any length: Info.Has
// tells a zero that the kernel reported from a field that it does not have. In a Socket, pointers are nil for what the
// kernel did not send, and attributes that this package does not know are kept in Socket.Unknown. JSON leaves out what
// was not reported; a number's unit is in its name.
//
// # Names
//
// State.String gives RFC 9293's names, State.SS those of ss(8), State.Kernel those of the kernel's source; ParseState
// reads them all. Fields describes every field of struct tcp_info: its offset, unit, meaning, and the Linux that first
// had it.
//
// # Namespaces
//
// A Conn belongs to the network namespace of the thread that made it, whichever thread uses it later.
//
// Package tcpinfo/watch follows sockets through their lives.
package tcpinfo
