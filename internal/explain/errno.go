package explain

import "strings"

// Errno is an error number of the sockets API: every call here that gives it, and why, on Linux.
type Errno struct {
	Name    string   // ECONNRESET
	Means   string   // as strerror(3) has it
	Calls   []Why    // who gives it
	Seen    []string // the scenarios that show it; none where it takes what no lesson does
	Governs []string // the sysctls and options that decide about it
}

// Why is a call, or several, and why they give an error. SO_ERROR, which getsockopt() asks for, stands among them.
type Why struct {
	Calls string // connect; read, write, SO_ERROR
	Why   string // one sentence
}

// Errnos are those that are explained, by the calls that a connection makes: to open, to send and receive, to end; and
// then what any call may give.
func Errnos() []Errno { return errnos }

// FindErrno finds one by its name, in any case; nil if it is not explained.
func FindErrno(name string) *Errno {
	for i := range errnos {
		if strings.EqualFold(errnos[i].Name, name) || errnos[i].Name == "EAGAIN" && strings.EqualFold(name, "EWOULDBLOCK") {
			return &errnos[i]
		}
	}
	return nil
}

var errnos = []Errno{
	// to have an address, and to connect

	{Name: "EADDRINUSE", Means: "Address already in use", Calls: []Why{
		{"bind", "Another socket has the port: a listener, a connection, or one in TIME-WAIT; SO_REUSEADDR, on the old socket and the new, allows all but the live listener."},
		{"listen", "Another socket with the same address, bound like this one with SO_REUSEADDR, listens already."},
	}, Seen: []string{"reuseaddr", "reuseport", "self-connect", "shutdown-listener"}, Governs: []string{"SO_REUSEADDR", "SO_REUSEPORT"}},
	{Name: "EADDRNOTAVAIL", Means: "Cannot assign requested address", Calls: []Why{
		{"connect", "No local port is left for that destination: connections have them all, and those in TIME-WAIT; nothing is sent."},
		{"bind", "The address is not one of this host's."},
	}, Seen: []string{"port-exhaustion", "time-wait-reuse"}, Governs: []string{"net.ipv4.ip_local_port_range", "IP_LOCAL_PORT_RANGE", "net.ipv4.tcp_tw_reuse", "net.ipv4.ip_nonlocal_bind"}},
	{Name: "EACCES", Means: "Permission denied", Calls: []Why{
		{"bind", "The port is below net.ipv4.ip_unprivileged_port_start (1024), and the user has no CAP_NET_BIND_SERVICE."},
	}, Governs: []string{"net.ipv4.ip_unprivileged_port_start"}},
	{Name: "EPERM", Means: "Operation not permitted", Calls: []Why{
		{"setsockopt", "The option takes a privilege that this user does not have, such as CAP_NET_ADMIN."},
		{"sock_diag", "To destroy another's socket (SOCK_DESTROY, ss -K) takes CAP_NET_ADMIN."},
	}},
	{Name: "EAFNOSUPPORT", Means: "Address family not supported by protocol", Calls: []Why{
		{"socket", "The kernel has no such family: IPv6 may be switched off (ipv6.disable=1)."},
		{"bind, connect", "The address is of another family than the socket."},
	}},
	{Name: "ECONNREFUSED", Means: "Connection refused", Calls: []Why{
		{"connect", "The SYN was answered with RST: nobody listens at that address and port, or a firewall rejects; the host is up."},
		{"read, write, SO_ERROR", "The same, of a connect() that had returned EINPROGRESS; once, to whichever comes first."},
	}, Seen: []string{"refused", "shutdown-listener"}},
	{Name: "EINPROGRESS", Means: "Operation now in progress", Calls: []Why{
		{"connect", "The SYN is sent and the call does not wait, or not any longer: the socket is non-blocking, or SO_SNDTIMEO is over; the attempt goes on, and poll() for writing and then SO_ERROR tell how it ended."},
	}, Seen: []string{"connect-timeout", "simultaneous-open"}, Governs: []string{"SOCK_NONBLOCK", "SO_SNDTIMEO"}},
	{Name: "EALREADY", Means: "Operation already in progress", Calls: []Why{
		{"connect", "The socket is non-blocking, and an earlier connect() on it has not ended yet (SYN-SENT)."},
	}},
	{Name: "EISCONN", Means: "Transport endpoint is already connected", Calls: []Why{
		{"connect", "The socket has a connection already; on Linux also: it listens."},
	}},
	{Name: "EHOSTUNREACH", Means: "No route to host", Calls: []Why{
		{"connect", "A router said so (ICMP), or the host is in this network and does not answer ARP; after 3 s."},
		{"read, write", "Data was sent again in vain, and in the meantime a router had said so: where it would be ETIMEDOUT."},
	}},
	{Name: "ENETUNREACH", Means: "Network is unreachable", Calls: []Why{
		{"connect", "The routing table has no way to that network: at once, and nothing is sent."},
	}},

	// to accept

	{Name: "ECONNABORTED", Means: "Software caused connection abort", Calls: []Why{
		{"read, write, SO_ERROR", "The connection was destroyed from outside (SOCK_DESTROY: ss -K, a VPN client, a network manager); told once."},
		{"accept", "On other systems: the connection was gone before it was accepted; Linux hands it over, and the error comes later."},
	}, Seen: []string{"abort", "accept-reset"}},
	{Name: "EMFILE", Means: "Too many open files", Calls: []Why{
		{"socket, accept, dup", "The process has as many descriptors as it may (RLIMIT_NOFILE); what accept() does not take stays in the accept queue."},
	}, Governs: []string{"ulimit -n"}},
	{Name: "ENFILE", Means: "Too many open files in system", Calls: []Why{
		{"socket, accept", "The host has as many open files as it may."},
	}, Governs: []string{"fs.file-max"}},
	{Name: "EPROTO", Means: "Protocol error", Calls: []Why{
		{"accept", "accept(2) lists it among the network errors of a connection that waited; treat it like EAGAIN, and go on accepting."},
	}},

	// to send, to receive, to end

	{Name: "ECONNRESET", Means: "Connection reset by peer", Calls: []Why{
		{"read, write, SO_ERROR", "A RST came, and no FIN before it: told once, to whichever comes first; later read() gives 0 and write() EPIPE."},
	}, Seen: []string{"unread-data-reset", "linger-reset", "lost-response", "resets"}},
	{Name: "EPIPE", Means: "Broken pipe", Calls: []Why{
		{"write", "Nothing can be sent: there is no connection, or it is over and the reason was told already, or shutdown(SHUT_WR) was called here; with SIGPIPE, unless MSG_NOSIGNAL is given."},
		{"write, SO_ERROR", "A RST came in CLOSE-WAIT, after the peer's FIN: the peer had closed, and data was sent to it."},
	}, Seen: []string{"write-after-close", "half-close", "close-wait-leak", "resets"}},
	{Name: "ETIMEDOUT", Means: "Connection timed out", Calls: []Why{
		{"connect", "No SYN was answered, for about 131 s by default."},
		{"read, write, SO_ERROR", "Data that was sent was not acknowledged, for about 15 minutes by default; or no keepalive probe was answered."},
	}, Seen: []string{"connect-timeout", "dead-peer"}, Governs: []string{"net.ipv4.tcp_syn_retries", "TCP_SYNCNT", "TCP_USER_TIMEOUT", "net.ipv4.tcp_retries2", "TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT"}},
	{Name: "EAGAIN", Means: "Resource temporarily unavailable (EWOULDBLOCK is the same number)", Calls: []Why{
		{"read", "There is nothing to read yet, and the call does not wait: the socket is non-blocking, MSG_DONTWAIT is given, or SO_RCVTIMEO is over."},
		{"write", "The send buffer has no room, and the call does not wait: the same reasons, with SO_SNDTIMEO."},
		{"accept", "The accept queue is empty, and the call does not wait."},
	}, Seen: []string{"fin-wait-1"}, Governs: []string{"SOCK_NONBLOCK", "MSG_DONTWAIT", "SO_RCVTIMEO", "SO_SNDTIMEO"}},
	{Name: "ENOTCONN", Means: "Transport endpoint is not connected", Calls: []Why{
		{"getpeername, shutdown", "There is no connection: there was none yet, or it is over (CLOSED)."},
		{"read", "The socket was never connected, or it listens."},
	}, Seen: []string{"accept-reset"}},
	{Name: "EINVAL", Means: "Invalid argument", Calls: []Why{
		{"accept", "The socket does not listen: listen() was not called, or shutdown(SHUT_RD) has ended it."},
		{"bind", "The socket has an address already."},
		{"listen", "The socket is connected."},
		{"read", "recv() with MSG_OOB: there is no urgent byte, it was taken already, or SO_OOBINLINE has it in the stream."},
		{"setsockopt", "The value is none that the option takes."},
	}, Seen: []string{"shutdown-listener", "urgent"}},

	// any call

	{Name: "EINTR", Means: "Interrupted system call", Calls: []Why{
		{"accept, read, write", "A signal came before the call had done anything, and its handler was set without SA_RESTART: call again; with SO_RCVTIMEO or SO_SNDTIMEO it comes in spite of SA_RESTART."},
		{"connect", "The same, and the attempt goes on: wait with poll(), and then ask SO_ERROR."},
	}, Governs: []string{"sigaction(2) SA_RESTART", "signal(7)"}},
	{Name: "ENOBUFS", Means: "No buffer space available", Calls: []Why{
		{"socket, accept, connect, write", "The kernel has no memory for a socket or a segment; ENOMEM says the same."},
	}, Governs: []string{"net.ipv4.tcp_mem"}},
	{Name: "EBADF", Means: "Bad file descriptor", Calls: []Why{
		{"close, read, write", "The number is no open descriptor: it was closed before, perhaps by another thread, and may be another file's by now; any call may give it."},
	}},
	{Name: "ENOTSOCK", Means: "Socket operation on non-socket", Calls: []Why{
		{"accept, connect, setsockopt", "The descriptor is a file's or a pipe's; any call of the sockets API may give it."},
	}},
	{Name: "EOPNOTSUPP", Means: "Operation not supported", Calls: []Why{
		{"accept, listen", "The socket is none that listens: not of a type with connections."},
	}},
	{Name: "ENOPROTOOPT", Means: "Protocol not available", Calls: []Why{
		{"setsockopt, getsockopt", "This kernel does not know the option: it is older than that."},
	}},
}
