// Package tcpinfo reads what Linux says of its TCP sockets: their states, under the names of RFC 9293; TCP_INFO, every
// field of it up to Linux 6.18; and sock_diag, the interface beneath ss(8), with timers, queues, memory and the
// sockets that no descriptor leads to any more.
package tcpinfo
