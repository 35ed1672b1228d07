// Package sockapi is the sockets API of Linux, one method a system call.
//
// A [Socket] holds one descriptor. Its methods are named after the calls that they make: [NewSocket] is socket(2), then
// [Socket.Bind], [Socket.Listen], [Socket.Accept4], [Socket.Connect], [Socket.Read], [Socket.Write], [Socket.Recv],
// [Socket.Send], [Socket.Shutdown], [Socket.Getsockname], [Socket.Getpeername], [Socket.Dup] and [Socket.Close]. What a
// program that uses this package does is therefore what strace(1) shows of it, call by call, and /proc/PID/fd has one
// entry for each socket. Nothing is set or called that was not asked for: compare package net, which sets SO_REUSEADDR,
// TCP_NODELAY and the keepalive options on its own, makes every socket non-blocking, and decides when close(2) happens.
//
// Options are values named as in socket(7), tcp(7), ip(7) and ipv6(7), with the type that the kernel's value means:
// SO_REUSEADDR.Set(s, true). SetGet reads the option back and returns what the kernel made of it, which is not always
// what it was given: it doubles SO_RCVBUF, and rounds SO_RCVTIMEO to its clock tick.
//
// A [Tracer] sees each [Call] before and after it is made, as a value that strace's notation can be had of. A Socket
// without one pays nothing for the possibility, and [Socket.Untraced] is a traced one without it.
//
// # Addresses
//
// An IPv4 [netip.AddrPort] becomes a sockaddr_in, an IPv6 one a sockaddr_in6; nothing is converted. An AF_INET6 socket
// wants IPv4 peers as the mapped ::ffff:192.0.2.1, and reports them so. The zero AddrPort becomes a sockaddr of family
// AF_UNSPEC, with which connect(2) undoes a connection. A zone (fe80::1%eth0) becomes sin6_scope_id: a zone that is a
// name costs an ioctl(SIOCGIFINDEX), or SIOCGIFNAME on the way back, on the same descriptor; these lookups are not
// traced. A numeric zone (fe80::1%2) costs none.
//
// # Blocking
//
// Sockets block, as those of a C program do, and a blocked call holds an operating system thread. That is right for
// lessons and tools with a handful of sockets, and wrong for a server with thousands: Go gives up at 10,000 threads.
// Such a server sets SOCK_NONBLOCK in [NewSocket]'s type and [Socket.Accept4]'s flags, and hands [Socket.FD] to
// epoll_ctl(2). Calls that would block then fail with EAGAIN. SO_RCVTIMEO and SO_SNDTIMEO bound the wait of a blocking
// socket; when the time is up the call fails with EAGAIN (connect: EINPROGRESS) and the error's Timeout method says
// true. [Socket.Abort], from another goroutine, ends a wait at once.
//
// # Interrupted calls
//
// Go's runtime uses signals, and a call on a socket with SO_RCVTIMEO or SO_SNDTIMEO is never restarted by the kernel
// after one (signal(7)). A call that fails with EINTR is therefore made again, with its full timeout, and
// [Call.Interrupted] counts how often. Two calls differ. An interrupted connect(2) goes on by itself: its end is waited
// for with poll(2) for what is left of SO_SNDTIMEO, and SO_ERROR says how it went; the tracer sees these calls too. And
// close(2) is never made twice, since Linux frees the number first, and by the second time it may be somebody else's.
//
// # Closing
//
// After [Socket.Close] each method fails with an error for which errors.Is(err, os.ErrClosed) holds, and cannot touch a
// descriptor that was given the same number since. Close waits for the calls in progress, because close(2) does not
// wake them, and a number in use must not be freed: wake them first, with Shutdown or Abort. No finalizer closes a
// Socket that is dropped: its descriptor stays open. A positive SO_LINGER makes close(2) itself block, on a
// non-blocking socket too.
//
// # SIGPIPE
//
// Write is write(2): no MSG_NOSIGNAL is added. The kernel raises SIGPIPE when the connection is gone; Go's runtime
// ignores it except on descriptors 1 and 2 (package os/signal), so that the caller sees EPIPE. Send takes MSG_NOSIGNAL
// like any flag.
package sockapi
