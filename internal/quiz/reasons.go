package quiz

// What calls return, where it is not an errno.
const (
	someBytes  = "some bytes"
	allBytes   = "all the bytes"
	descriptor = "a new descriptor"
)

// outcomes are what each call may return: the man pages' list, those first that are taken for one another.
var outcomes = map[string][]string{
	"read":        {"0", "-1 ECONNRESET", someBytes, "-1 EPIPE", "-1 ENOTCONN", "-1 ETIMEDOUT", "-1 ECONNABORTED"},
	"recvfrom":    {"0", "-1 ECONNRESET", someBytes, "-1 EINVAL", "-1 EAGAIN", "-1 EPIPE"},
	"write":       {allBytes, "-1 EPIPE", "-1 ECONNRESET", "0", "-1 ENOTCONN", "-1 ETIMEDOUT", "-1 ECONNABORTED"},
	"sendto":      {allBytes, "-1 EPIPE", "-1 ECONNRESET", "0", "-1 ENOTCONN"},
	"connect":     {"0", "-1 ECONNREFUSED", "-1 ETIMEDOUT", "-1 EINPROGRESS", "-1 EADDRNOTAVAIL", "-1 ECONNRESET"},
	"bind":        {"0", "-1 EADDRINUSE", "-1 EADDRNOTAVAIL", "-1 EACCES", "-1 EISCONN"},
	"accept4":     {descriptor, "-1 ECONNABORTED", "-1 EINVAL", "-1 ENOTCONN", "0"},
	"getpeername": {"0", "-1 ENOTCONN", "-1 ECONNRESET", "-1 EBADF"},
}

var (
	reading = map[string]string{
		"0":               "the end of the stream: the peer's FIN has come, and all data before it has been read",
		someBytes:         "data that has come and was not read yet",
		"-1 ECONNRESET":   "an RST has come: the connection is over, and what was not delivered is lost",
		"-1 EPIPE":        "an error for those who write: the sending side is shut, or the connection is over",
		"-1 ENOTCONN":     "the socket was never connected",
		"-1 ETIMEDOUT":    "the kernel has given the connection up: the peer has not answered for too long",
		"-1 ECONNABORTED": "this end has been aborted: by the administrator (ss -K), for one",
		"-1 EAGAIN":       "nothing there yet, on a socket that does not wait",
		"-1 EINVAL":       "there is no urgent data to be read with MSG_OOB, or it has been read",
	}
	writing = map[string]string{
		allBytes:          "the kernel has taken them into its send buffer; that says nothing of the peer",
		"0":               "write() gives 0 only where it is asked to write nothing",
		"-1 EPIPE":        "nothing can be sent any more: this side is shut, or the connection is over (with SIGPIPE, unless it is ignored)",
		"-1 ECONNRESET":   "an RST has come, and no call has told of it yet: a call tells it once, and later writes give EPIPE",
		"-1 ENOTCONN":     "the socket was never connected",
		"-1 ETIMEDOUT":    "the kernel has given the connection up: the peer has not answered for too long",
		"-1 ECONNABORTED": "this end has been aborted: by the administrator (ss -K), for one",
	}
)

// meanings says of each what it means.
var meanings = map[string]map[string]string{
	"read": reading, "recvfrom": reading, "write": writing, "sendto": writing,
	"connect": {
		"0":                "connected: the SYN-ACK has come",
		"-1 ECONNREFUSED":  "the SYN was answered with an RST: nobody listens at that port",
		"-1 ETIMEDOUT":     "no answer to any SYN, until the kernel gave up",
		"-1 EINPROGRESS":   "the socket does not block, or its patience is over (SO_SNDTIMEO): the handshake goes on by itself",
		"-1 EADDRNOTAVAIL": "there is no port of our own left for it: all are taken, by connections or by TIME-WAIT",
		"-1 ECONNRESET":    "an RST has come on a connection that was there: not what connect() tells",
	},
	"bind": {
		"0":                "the address is the socket's",
		"-1 EADDRINUSE":    "another socket has the port, and the two do not agree to share it (SO_REUSEADDR, SO_REUSEPORT); a connection in TIME-WAIT counts",
		"-1 EADDRNOTAVAIL": "no interface of this host has that address",
		"-1 EACCES":        "the port is below 1024, and this user may not",
		"-1 EISCONN":       "an error of connect(): the socket is connected already",
	},
	"accept4": {
		descriptor:        "the connection that has waited longest in the accept queue",
		"-1 ECONNABORTED": "the connection ended while it waited: what POSIX allows, and Linux does not do for an RST",
		"-1 EINVAL":       "the socket does not listen, or does not any more",
		"-1 ENOTCONN":     "an error for sockets of connections, not for listeners",
		"0":               "0 is standard input: accept() gives the lowest descriptor that is free",
	},
	"getpeername": {
		"0":             "the address of the peer: the socket is connected",
		"-1 ENOTCONN":   "the socket is not connected, or not any more",
		"-1 ECONNRESET": "what read() tells of an RST; getpeername() asks only for an address",
		"-1 EBADF":      "no such descriptor",
	},
}

// why is the reason for what was observed, where the socket's past gives a nearer one than the meaning.
func why(call, outcome string, s socket) string {
	writes := call == "write" || call == "sendto"
	switch {
	case writes && outcome == "-1 EPIPE" && s.shut:
		return "This side said with shutdown() that it has finished sending: its own kernel refuses, and the peer has no part in it."
	case writes && outcome == "-1 EPIPE" && s.err != "":
		return "The connection is over, as the call that failed has shown: from then on a write gives EPIPE."
	case outcome == "0" && s.err != "" && (call == "read" || call == "recvfrom"):
		return "The connection is over, and there is no error left to tell (each is told once): then read() gives 0, as at the end of a stream."
	case writes && outcome == "-1 EPIPE" && s.wrote > 0:
		return "The first write ended the connection: the peer took no more. Where the peer's FIN had come before, the next write gives EPIPE, not ECONNRESET."
	case writes && outcome == allBytes && s.eof:
		return "A FIN says only that the peer has finished sending. Whether it still reads is not known here, so the kernel takes the data and sends it."
	case outcome == "0" && call == "bind":
		return "Nothing is in the way this time: " + meanings[call][outcome] + "."
	}
	return sentence(meanings[call][outcome])
}
