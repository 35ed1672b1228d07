package explain

import "strings"

// Call is a system call of the sockets API.
type Call struct {
	Name    string
	Also    []string // others that are the same but for their arguments
	Does    string   // what it does, for a TCP socket
	Sends   string   // what that means on the wire, and for the state
	Returns string
	Man     string
	Seen    string // the scenario that shows it; "" if none does
}

// Calls are all that are explained, in the order of a connection's life.
func Calls() []Call { return calls }

// FindCall finds one by its name, with or without (); nil if it is not explained.
func FindCall(word string) *Call {
	name := strings.TrimSuffix(strings.ToLower(word), "()")
	for i, c := range calls {
		for _, n := range append([]string{c.Name}, c.Also...) {
			if n == name {
				return &calls[i]
			}
		}
	}
	return nil
}

// Errors are the error numbers that a call gives, as [Errnos] has them.
func (c *Call) Errors() (names []string) {
	for _, e := range errnos {
		for _, why := range e.Calls {
			if has(why.Calls, c.Name) {
				names = append(names, e.Name)
				break
			}
		}
	}
	return names
}

// has tells whether a list with commas has a name.
func has(list, name string) bool { return strings.Contains(", "+list+",", ", "+name+",") }

var calls = []Call{
	{"socket", nil, "Makes a socket, which has no address and no connection.", "Nothing is sent; the state is CLOSED.", "A descriptor.", "socket(2)", "handshake"},
	{"bind", nil, "Gives the socket an address and a port of this host; with port 0 the kernel chooses one.", "Nothing is sent; the port is taken, though nobody listens yet.", "0.", "bind(2)", "reuseaddr"},
	{"listen", nil, "Has the kernel answer SYNs for this address, complete handshakes by itself, and queue up to backlog + 1 connections.",
		"CLOSED, then LISTEN; from now on SYNs are answered with SYN-ACK and not with RST.", "0, at once.", "listen(2)", "backlog"},
	{"accept", []string{"accept4"}, "Takes the oldest connection out of the accept queue, and waits while that is empty.",
		"Nothing is sent: the handshake was over before.", "A new descriptor, for that connection; the listener stays as it is.", "accept(2)", "handshake"},
	{"connect", nil, "Chooses a local port, sends a SYN, and waits until the SYN-ACK is there, a RST, or nothing for too long.",
		"CLOSED, SYN-SENT, then ESTABLISHED.", "0 when the connection is there for this kernel; the server's application may not know of it.", "connect(2)", "handshake"},
	{"read", []string{"recv", "recvfrom", "recvmsg"}, "Takes what is in the receive buffer, and waits while that is empty.",
		"Nothing is sent, but for an ACK that tells of a window with room again.", "How many bytes; 0: the peer's FIN has come, and all before it was read.", "read(2), recv(2)", "half-close"},
	{"write", []string{"send", "sendto", "sendmsg"}, "Copies data into the send buffer, and waits while that has no room.",
		"The kernel sends it when the peer's window and the network allow.", "How many bytes the kernel took: not that they have arrived, nor that anybody will read them.", "write(2), send(2)", "lost-response"},
	{"shutdown", nil, "Ends one direction or both, for all descriptors of the socket. SHUT_WR: what is sent; SHUT_RD: this side's read(), and a listener.",
		"SHUT_WR sends a FIN behind the data: ESTABLISHED, then FIN-WAIT-1; or CLOSE-WAIT, then LAST-ACK. SHUT_RD sends nothing.", "0, at once.", "shutdown(2)", "half-close"},
	{"close", nil, "Gives up a descriptor. With the last one of the socket both directions end; the kernel delivers what was written.",
		"A FIN behind the data; a RST, if something was not read, or with SO_LINGER and 0 s. After that the connection is the kernel's alone.", "0, whatever becomes of the data.", "close(2)", "close"},
	{"getsockname", nil, "Tells the socket's own address and port.", "Nothing is sent.", "The address.", "getsockname(2)", "self-connect"},
	{"getpeername", nil, "Tells the other end's address and port.", "Nothing is sent.", "The address; ENOTCONN if the connection is gone.", "getpeername(2)", "accept-reset"},
	{"getsockopt", nil, "Asks for an option, such as SO_ERROR or TCP_INFO.", "Nothing is sent.", "Its value.", "getsockopt(2)", "accept-reset"},
	{"setsockopt", nil, "Sets an option: most before bind(), listen() or connect(); what a listener accepts inherits them.", "Nothing is sent.", "0.", "setsockopt(2)", "reuseaddr"},
	{"dup", nil, "Makes another descriptor of the same socket, as fork() does for a child.", "Nothing is sent; close() of one of them ends nothing.", "A descriptor.", "dup(2)", "shutdown-vs-close"},
	{"poll", []string{"select", "epoll_wait"}, "Waits until one of several descriptors can be read or written, or has an error.", "Nothing is sent.",
		"How many; POLLIN: read() does not wait (there is data, a connection, or the end); POLLRDHUP: the peer's FIN has come.", "poll(2)", "urgent"},
	{"ioctl", nil, "SIOCINQ: how many bytes can be read; SIOCOUTQ: how many are not acknowledged yet; SIOCATMARK: whether urgent data is next.", "Nothing is sent.", "0, and the number.", "ioctl(2), tcp(7)", "urgent"},
}
