// Package echo is the plain echo server of RFC 862 and the interactive client for it: what echod and echoc are
// without a scenario.
//
// [Server] is one epoll(7) loop over non-blocking sockets: any number of connections, no goroutine and no thread for
// any of them. [RunClient] copies an input to a server and what comes back to an output, both at once, with blocking
// calls.
//
// Neither prints anything. The calls they make on sockets go to a [sockapi.Tracer], and what happens to a connection
// goes to the functions in [Events] and [ClientEvents]. Calls that are not of the sockets API (epoll_ctl, epoll_wait,
// eventfd2, poll) are not traced.
//
// # What a connection costs
//
// The server reads into one buffer that all connections share, and writes from it at once. Only when a client's receive
// window and the kernel's send buffer are full does the rest move to a buffer of the connection's own, from a pool; the
// server then stops reading from that client until the rest is gone. So a connection costs at most Config.BufferSize
// bytes of this process, and an idle one costs none. The flow control of TCP does the rest: the data the server does
// not read fills the kernel's receive queue, the window that it offers closes, and the client blocks.
package echo
